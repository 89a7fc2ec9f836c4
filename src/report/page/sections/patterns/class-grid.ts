/** How many inputs of each class are in each pattern of a layer. */
import type { PatternLayer } from "../../../patterns-document.ts";

/** More would be a wall. */
const MOST_CLASSES = 40;
const MOST_PATTERNS = 60;

export interface ClassGrid {
  readonly labels: readonly number[];
  /** Patterns by persistence: their number, inputs, and inputs of each of the labels. */
  readonly columns: readonly {
    readonly pattern: number;
    readonly size: number;
    readonly counts: readonly number[];
  }[];
  /** Classes and patterns that are left out. */
  readonly hiddenClasses: number;
  readonly hiddenPatterns: number;
}

/** The classes with most inputs in patterns, in the order of their numbers; null where labels are not known. */
export function classGrid({ patterns }: Pick<PatternLayer, "patterns">): ClassGrid | null {
  const known = patterns.flatMap(({ pattern, size, classes }) =>
    classes ? [{ pattern, size, counts: classes.counts }] : [],
  );
  if (known.length === 0) return null;
  const sums = new Map<number, number>();
  for (const { counts } of known) {
    counts.forEach((inputs, label) => {
      if (inputs > 0) sums.set(label, (sums.get(label) ?? 0) + inputs);
    });
  }
  const labels = [...sums]
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
    .slice(0, MOST_CLASSES)
    .map(([label]) => label)
    .sort((a, b) => a - b);
  const shown = known.slice(0, MOST_PATTERNS);
  return {
    labels,
    columns: shown.map(({ counts, ...rest }) => ({
      ...rest,
      counts: labels.map((label) => counts[label] ?? 0),
    })),
    hiddenClasses: sums.size - labels.length,
    hiddenPatterns: known.length - shown.length,
  };
}
