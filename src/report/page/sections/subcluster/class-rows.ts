import type { ScoresDocument, SubclusterEntry } from "../../../scores-document.ts";

/** A class: shares of right answers, and how well its inputs are told from others. */
export interface ClassRow {
  readonly name: string;
  readonly before: number | null;
  readonly after: number | null;
  readonly change: number | null;
  /** Whether the change is within the noise. */
  readonly isNoise: boolean;
  readonly auroc: number | null;
}

/** All classes of a subcluster's scores; none where nothing is known by class. */
export function classRows(
  { importance, coherence }: SubclusterEntry,
  { baseline }: ScoresDocument,
  className: (label: number) => string,
): ClassRow[] {
  const intact = baseline?.classAccuracy ?? [];
  const aurocs = coherence?.classAurocs ?? [];
  const classes = Math.max(importance?.classAccuracy.length ?? 0, aurocs.length);
  return Array.from({ length: classes }, (_, label) => {
    const [before, after] = [intact[label] ?? null, importance?.classAccuracy[label] ?? null];
    return {
      name: className(label),
      before,
      after,
      change: before === null || after === null ? null : after - before,
      isNoise: importance?.profile.classDrop[label] === 0,
      auroc: aurocs[label] ?? null,
    };
  });
}

/** Those that change most (AUROC tells where nothing was lesioned), in the order of classes. */
export function mostChanged(rows: readonly ClassRow[], most: number): ClassRow[] {
  const weight = ({ change, auroc }: ClassRow): number =>
    Math.abs(change ?? 0) + 1e-3 * Math.abs((auroc ?? 0.5) - 0.5);
  const kept = new Set([...rows].sort((one, other) => weight(other) - weight(one)).slice(0, most));
  return rows.filter((row) => kept.has(row));
}
