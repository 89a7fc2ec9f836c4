/** Light, dark, or as the system has it. */
import { h } from "./dom.ts";

const THEMES = ["auto", "light", "dark"] as const;

/** A button that goes round the themes; it keeps no memory, so that a report opened from disk stores nothing. */
export function themeSwitch(): HTMLElement {
  let at = 0;
  const button = h("button", { class: "theme", type: "button" });
  const show = (): void => {
    const theme = THEMES[at] ?? "auto";
    document.documentElement.dataset.theme = theme;
    button.textContent = `theme: ${theme}`;
  };
  button.addEventListener("click", () => {
    at = (at + 1) % THEMES.length;
    show();
  });
  show();
  return button;
}
