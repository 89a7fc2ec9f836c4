import type { Context } from "../../context.ts";
import { type Child, h } from "../../dom.ts";
import { decimals, digits, percent, plural } from "../../format.ts";
import { coherenceRows, importanceRows, type MeasureRow, verdictOf } from "./measures.ts";
import type { Subject } from "./subject.ts";

/** The numbers to see first; null where nothing was scored. */
export function tiles({ data: { scores, partition } }: Context, subject: Subject): HTMLElement | null {
  const { entry, layerUnits, units } = subject;
  if (entry === null || scores === null) return null;
  const { importance } = entry;
  const rows = importanceRows(entry).rows;
  const accuracy = rows.find(({ name }) => name === "accuracy");
  const loss = rows.find(({ name }) => name === "loss");
  const coherence = coherenceRows(entry, scores).rows.filter(({ p }) => p !== null);
  const coherent = coherence.filter((row) => verdictOf(row) === "stands out").length;
  const stable = stabilityOf(partition.coAssignment?.[subject.layerNumber], units);
  const interval = importance?.intervals.lossIncrease ?? [null, null];
  return h(
    "dl",
    { class: "tiles" },
    tile("Units", String(units.length), `${percent(units.length / layerUnits, 0)} of the layer`),
    accuracy &&
      tile(
        "Accuracy lost",
        decimals(100 * (accuracy.spread.amount ?? 0), 1),
        "points, mean over classes",
        accuracy,
      ),
    loss &&
      tile(
        "Loss added",
        digits(loss.spread.amount, 2),
        interval[0] === null ? "nats" : `95 %: ${digits(interval[0], 2)} to ${digits(interval[1], 2)}`,
        loss,
      ),
    importance && tile("Answers changed", percent(importance.flipRate), "of the inputs, when it is lesioned"),
    importance?.keepOnly &&
      tile("Alone", percent(importance.keepOnly.accuracy), "accuracy with only this part of the layer"),
    coherence.length > 0
      ? tile("Coherence", `${coherent} of ${coherence.length}`, "measures stand out from random groups")
      : null,
    stable === null ? null : tile("Stability", digits(stable, 2), "mean co-assignment of its units, to 1"),
  );
}

/** The number, and under it whether it differs from random groups. */
function tile(name: string, value: string, note: Child, row?: MeasureRow): HTMLElement {
  const verdict = row === undefined ? null : verdictOf(row);
  return h(
    "div",
    {},
    h("dt", {}, name),
    h("dd", { class: "value" }, value),
    h("dd", { class: "note" }, note),
    verdict && h("dd", { class: `verdict ${verdict.replaceAll(" ", "-")}` }, verdict),
  );
}

/** Mean co-assignment of units; null where it was not measured. */
export function stabilityOf(
  shares: readonly (number | null)[] | undefined,
  units: readonly number[],
): number | null {
  const known = units.flatMap((unit) => shares?.[unit] ?? []);
  return known.length === 0 ? null : known.reduce((sum, share) => sum + share, 0) / known.length;
}

/** "20 units", for captions. */
export const unitsText = ({ units }: Subject): string => plural(units.length, "unit");
