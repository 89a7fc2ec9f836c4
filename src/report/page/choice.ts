import { h } from "./dom.ts";

/** A list to choose from under a visible label; tells the number of what is chosen. */
export function labelledChoice(
  label: string,
  options: readonly string[],
  onChoose: (at: number) => void,
  chosen: number = 0,
): HTMLElement {
  const select = h(
    "select",
    {},
    options.map((text, at) => h("option", { value: at, selected: at === chosen }, text)),
  );
  select.addEventListener("change", () => onChoose(select.selectedIndex));
  return h("label", { class: "labelled-choice" }, label, select);
}
