/** What a heatmap says in words. */
import type { Context } from "../../context.ts";
import { percent } from "../../format.ts";
import { points } from "../scoreboard/columns.ts";
import type { LesionColumn } from "./changes.ts";
import type { Heatmap } from "./heatmap-layout.ts";

/** Class, subcluster and accuracies of a cell, a line each. */
export function tellCell(
  context: Context,
  { columns, labels }: Heatmap,
  column: number,
  row: number,
): readonly string[] {
  const [found, label] = [columns[column], labels[row]];
  if (found === undefined || label === undefined) return [];
  const { entry, changes, isNoise } = found;
  const name = `class ${context.className(label)} · ${entry.layer} · cluster ${entry.cluster}`;
  const change = changes[label] ?? null;
  if (change === null) return [name, "no inputs of this class"];
  const before = context.data.scores?.baseline?.classAccuracy[label];
  return [
    name,
    `accuracy ${percent(before)} intact, ${percent(entry.importance?.classAccuracy[label])} without it`,
    `${points(change)}${isNoise[label] ? ", within the noise of so many inputs" : ""}`,
  ];
}

/** What it shows, and its strongest cell. */
export function nameOf({ className }: Context, { columns, labels }: Heatmap): string {
  let strongest: { readonly column: LesionColumn; readonly label: number; readonly change: number } | null =
    null;
  for (const column of columns) {
    for (const label of labels) {
      const change = column.changes[label] ?? 0;
      if (Math.abs(change) > Math.abs(strongest?.change ?? 0)) strongest = { column, label, change };
    }
  }
  const found =
    strongest === null
      ? "no lesion changes any"
      : `the largest is ${points(strongest.change)} for class ${className(strongest.label)} without ${strongest.column.entry.layer} cluster ${strongest.column.entry.cluster}`;
  return `Change of ${labels.length} classes' accuracies by the lesions of ${columns.length} subclusters; ${found}.`;
}
