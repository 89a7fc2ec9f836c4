/** A plain table that scrolls in a box of its own. */
import { type Child, h } from "./dom.ts";

/** A column's header and what it means; text columns stand to the left. */
export interface TableHead {
  readonly text: string;
  readonly title?: string;
  readonly isText?: boolean;
}

/** Rows of cells in the order of the headers; the first cell of a row names it. */
export function dataTable(
  name: string,
  heads: readonly TableHead[],
  rows: readonly (readonly Child[])[],
): HTMLElement {
  const kind = (at: number): string | null => (heads[at]?.isText ? "text" : null);
  return h(
    "div",
    { class: "scroll data-table", tabindex: 0, role: "region", "aria-label": name },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map(({ text, title }, at) => h("th", { scope: "col", title, class: kind(at) }, text)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((cells) =>
          h(
            "tr",
            {},
            cells.map((cell, at) =>
              at === 0
                ? h("th", { scope: "row", class: kind(at) }, cell)
                : h("td", { class: kind(at) }, cell),
            ),
          ),
        ),
      ),
    ),
  );
}
