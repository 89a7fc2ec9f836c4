import { h } from "./dom.ts";

/** A list to choose from; tells the number of what is chosen. */
export function choice(
  label: string,
  options: readonly string[],
  onChoose: (at: number) => void,
  chosen: number = 0,
): HTMLSelectElement {
  const select = h(
    "select",
    { "aria-label": label },
    options.map((text, at) => h("option", { value: at, selected: at === chosen }, text)),
  );
  select.addEventListener("change", () => onChoose(select.selectedIndex));
  return select;
}

/** The same under a visible label. */
export const labelledChoice = (...given: Parameters<typeof choice>): HTMLElement =>
  h("label", { class: "choice" }, given[0], choice(...given));
