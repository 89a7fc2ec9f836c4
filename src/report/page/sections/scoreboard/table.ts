/** The table of the scoreboard: sorted by its headers, narrowed by filters, saved as CSV. */
import { clusterChip } from "../../chip.ts";
import type { Context } from "../../context.ts";
import { type Child, h } from "../../dom.ts";
import { count, digits, shorten } from "../../format.ts";
import type { Adjustment, MeasureChoice } from "../../measures.ts";
import { saveFile } from "../../save-file.ts";
import { subclusterAddress } from "../../store.ts";
import { type Column, type ColumnGroup, columnsOf, scoreboardCsv } from "./columns.ts";
import { filterControls } from "./filters.ts";
import {
  type Filter,
  filterRows,
  isRowSignificant,
  NO_FILTER,
  type Order,
  type Row,
  type Shown,
  sortRows,
} from "./rows.ts";

export interface ScoreTable {
  readonly element: HTMLElement;
  /** Shows rows of other measures. */
  update(rows: readonly Row[], shown: Shown, by: Adjustment): void;
}

export function scoreTable(context: Context, hasClasses: boolean): ScoreTable {
  const { store, className } = context;
  const opening = new Map<number, readonly [Child, Child]>();
  let [rows, shown, by]: [readonly Row[], Shown, Adjustment] = [
    [],
    { importance: null, coherence: null },
    "q",
  ];
  let columns: readonly Column[] = [];
  let filter: Filter = NO_FILTER;
  let order: Order = { key: "layer", isDescending: false };
  let listed: readonly Row[] = [];
  let lines: readonly HTMLTableRowElement[] = [];

  const head = h("thead");
  const body = h("tbody");
  const said = h("output", { class: "soft small" });
  const save = h(
    "button",
    { type: "button", onclick: () => saveFile("scoreboard.csv", "text/csv", scoreboardCsv(listed, columns)) },
    "CSV",
  );
  save.title = "Saves the rows shown, in their order, with all digits";
  const table = h("table", { class: "score-table" }, head, body);
  const element = h(
    "div",
    {},
    h(
      "div",
      { class: "controls" },
      filterControls(context, (changed) => {
        filter = changed;
        list();
      }),
      save,
      said,
    ),
    h(
      "div",
      { class: "scroll table-box", role: "region", "aria-label": "Table of subclusters", tabindex: 0 },
      table,
    ),
  );

  /** The link and the chip of a row are made once, whatever is shown beside them. */
  const opened = ({ number, entry: { layer, cluster } }: Row): readonly [Child, Child] => {
    const found = opening.get(number) ?? [
      h("a", { href: subclusterAddress(layer, cluster), title: layer }, shorten(layer, 22)),
      clusterChip(context, cluster, String(cluster)),
    ];
    opening.set(number, found);
    return found;
  };
  const line = (row: Row): HTMLTableRowElement => {
    const { layer, cluster } = row.entry;
    const [link, chip] = opened(row);
    const cells = columns.map((column) => {
      const content =
        column.key === "layer" ? link : column.key === "cluster" ? chip : contentOf(column, row);
      return h("td", { class: classOf(column) }, content);
    });
    const open = (event: Event): void => {
      if ((event.target as Element).closest("a, button") === null)
        location.hash = subclusterAddress(layer, cluster);
    };
    const made = h(
      "tr",
      { class: isRowSignificant(row, by) ? "significant" : null, onclick: open },
      ...cells,
    );
    made.dataset.cluster = String(cluster);
    return made;
  };
  /** The rows that are asked for, in their order. */
  const list = (): void => {
    const column = columns.find(({ key }) => key === order.key) ?? columns[0];
    const kept = filterRows(rows, filter, by, className);
    listed = column ? sortRows(kept, column.value, order.isDescending) : kept;
    body.replaceChildren(
      ...listed.flatMap(({ number }) => lines[number] ?? []),
      ...(listed.length === 0
        ? [
            h(
              "tr",
              {},
              h("td", { colspan: columns.length, class: "none" }, "No subcluster fits these filters."),
            ),
          ]
        : []),
    );
    said.textContent = `${count(listed.length)} of ${count(rows.length)} subclusters; bold: significant`;
  };
  const sortBy = ({ key, isLargestFirst = false }: Column): void => {
    order = { key, isDescending: order.key === key ? !order.isDescending : isLargestFirst };
    showOrder(head, order);
    list();
  };
  const mark = (selected: number | null): void => {
    for (const { dataset, classList } of lines)
      classList.toggle("selected", dataset.cluster === String(selected));
  };
  store.watch(({ selected }) => mark(selected));
  return {
    element,
    update(newRows, newShown, newBy) {
      [rows, shown, by] = [newRows, newShown, newBy];
      columns = columnsOf(rows, shown, by, className, hasClasses);
      if (!columns.some(({ key }) => key === order.key)) order = { key: "layer", isDescending: false };
      head.replaceChildren(...header(columns, shown, sortBy));
      showOrder(head, order);
      lines = rows.map(line);
      mark(store.state.selected);
      list();
    },
  };
}

const classOf = ({ key, isText, group }: Column): string => `${isText ? "text " : ""}${group} ${key}`;

function contentOf(column: Column, row: Row): Child {
  if (column.key !== "lossIncrease") return column.text(row);
  const [low, high] = row.entry.importance?.intervals.lossIncrease ?? [null, null];
  return [
    column.text(row),
    low === null || high === null
      ? null
      : h("span", { class: "interval" }, ` [${digits(low, 2)}, ${digits(high, 2)}]`),
  ];
}

/** Two rows: what the columns are about, and the columns. */
function header(columns: readonly Column[], shown: Shown, sortBy: (column: Column) => void): HTMLElement[] {
  const groups: readonly (readonly [ColumnGroup, string])[] = [
    ["subcluster", "Subcluster"],
    ["lesion", "What its lesion does"],
    ["importance", `Importance: ${labelOf(shown.importance)}`],
    ["coherence", `Coherence: ${labelOf(shown.coherence)}`],
  ];
  const above = groups.flatMap(([group, label]) => {
    const span = columns.filter((column) => column.group === group).length;
    return span === 0 ? [] : [h("th", { colspan: span, scope: "colgroup", class: group }, label)];
  });
  const names = columns.map((column) =>
    h(
      "th",
      { scope: "col", class: classOf(column), "data-key": column.key },
      h(
        "button",
        { type: "button", title: column.title, onclick: () => sortBy(column) },
        column.label,
        h("span", { class: "arrow", "aria-hidden": "true" }),
      ),
    ),
  );
  return [h("tr", { class: "groups" }, ...above), h("tr", {}, ...names)];
}

const labelOf = (measure: MeasureChoice | null): string => measure?.label ?? "";

function showOrder(head: HTMLElement, { key, isDescending }: Order): void {
  for (const cell of head.querySelectorAll<HTMLElement>("[data-key]")) {
    const isSorted = cell.dataset.key === key;
    if (isSorted) cell.setAttribute("aria-sort", isDescending ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  }
}
