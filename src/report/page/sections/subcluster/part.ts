import { type Child, h } from "../../dom.ts";

/** A part of the page, under its heading. */
export function part(id: string, heading: string, ...children: Child[]): HTMLElement {
  const name = `subcluster-${id}`;
  return h(
    "section",
    { class: `part ${id}`, "aria-labelledby": name },
    h("h2", { id: name }, heading),
    children,
  );
}
