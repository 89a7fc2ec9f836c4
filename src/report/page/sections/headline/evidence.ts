/** How strong the evidence of a network's row is, and which row speaks for importance and for coherence. */
import type { NetworkEntry, ScoresDocument } from "../../../scores-document.ts";

/** The threshold of every verdict, as in scores.json. */
export const LEVEL = 0.05;

/**
 * `strong`: p is at most 5 % with the number of measures allowed for (Benjamini-Yekutieli); `weak`: only without that;
 * `untested`: no subcluster has a p.
 */
export type Evidence = "strong" | "weak" | "none" | "untested";

const ORDER: readonly Evidence[] = ["strong", "weak", "none", "untested"];

/** A network's row, judged. */
export interface JudgedRow {
  readonly measure: string;
  readonly row: NetworkEntry;
  /** Of permuted labels; Fisher's in protocol `paper`, which has no other. */
  readonly p: number | null;
  readonly evidence: Evidence;
}

export type Rows = Readonly<Record<string, NetworkEntry>> | undefined;

export const isPaper = (scores: Pick<ScoresDocument, "protocol">): boolean => scores.protocol === "paper";

/** "permutation p", or "Fisher's p" where there is no other. */
export const nameOfP = (scores: Pick<ScoresDocument, "protocol">): string =>
  isPaper(scores) ? "Fisher's p" : "permutation p";

export function judgeRows(rows: Rows, scores: Pick<ScoresDocument, "protocol">): JudgedRow[] {
  return Object.entries(rows ?? {}).map(([measure, row]) => {
    const p = (isPaper(scores) ? row.fisherP : row.permutationP) ?? null;
    return { measure, row, p, evidence: evidenceOf(row, p) };
  });
}

function evidenceOf({ tested, by }: NetworkEntry, p: number | null): Evidence {
  if (p === null || tested === 0) return "untested";
  if (by !== null && by <= LEVEL) return "strong";
  return p <= LEVEL ? "weak" : "none";
}

/** The row with the strongest evidence, then the smallest p; of equals the first. */
export function leadOf(rows: readonly JudgedRow[]): JudgedRow | null {
  const [lead = null] = [...rows].sort(
    (one, other) =>
      ORDER.indexOf(one.evidence) - ORDER.indexOf(other.evidence) || (one.p ?? 1) - (other.p ?? 1),
  );
  return lead;
}

/** The loss goes before the accuracy, which saturates; the range over classes says what is hit, not that something is. */
export function importanceLead(scores: ScoresDocument): JudgedRow | null {
  const rows = judgeRows(scores.network.importance, scores);
  return leadOf(["loss", "accuracy"].flatMap((name) => rows.filter(({ measure }) => measure === name)));
}

export const coherenceLead = (scores: ScoresDocument): JudgedRow | null =>
  leadOf(judgeRows(scores.network.coherence, scores));
