/** The units of a subcluster. */
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { decimals, digits, percent } from "../../format.ts";
import { part } from "./part.ts";
import type { Subject } from "./subject.ts";

/** Shown at once; further ones are folded. */
const SHOWN = 24;

interface UnitRow {
  readonly unit: number;
  readonly degree: number | null;
  /** How far runs agree on its cluster; null where that was not measured. */
  readonly stability: number | null;
}

export function unitsPart({ data }: Context, subject: Subject): HTMLElement {
  const { layerNumber, units } = subject;
  const { map, partition } = data;
  const degrees = new Map<number, number>();
  map.units.unit.forEach((unit, at) => {
    if (map.units.layer[at] === layerNumber) degrees.set(unit, map.units.degree[at] as number);
  });
  const rows = units
    .map(
      (unit): UnitRow => ({
        unit,
        degree: degrees.get(unit) ?? null,
        stability: partition.coAssignment?.[layerNumber]?.[unit] ?? null,
      }),
    )
    .sort((one, other) => (other.degree ?? -1) - (one.degree ?? -1) || one.unit - other.unit);
  const most = Math.max(...degrees.values(), 1e-30);
  const rest = rows.slice(SHOWN);
  const hasStability = rows.some(({ stability }) => stability !== null);
  return part(
    "units",
    "Its units",
    h(
      "p",
      { class: "soft small" },
      "By degree: the sum of a unit's weights in the graph; bars compare it with the layer's highest.",
      hasStability ? " Stability: how far other seeds and settings put a unit with the same others." : null,
    ),
    list(rows.slice(0, SHOWN), most),
    rest.length === 0
      ? null
      : h("details", {}, h("summary", {}, `${rest.length} more units`), list(rest, most)),
  );
}

const list = (rows: readonly UnitRow[], most: number): HTMLElement =>
  h(
    "ul",
    { class: "unit-list" },
    rows.map(({ unit, degree, stability }) =>
      h(
        "li",
        {},
        h("strong", {}, `unit ${unit}`),
        h("span", {}, degree === null ? "degree –" : `degree ${digits(degree)}`),
        h(
          "span",
          { class: "level", "aria-hidden": "true" },
          h("span", { style: `width:${((100 * (degree ?? 0)) / most).toFixed(1)}%` }),
        ),
        stability === null
          ? null
          : h(
              "span",
              { title: `co-assignment ${decimals(stability, 3)}` },
              `stability ${percent(stability, 0)}`,
            ),
      ),
    ),
  );
