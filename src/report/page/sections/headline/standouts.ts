/** Where a network's subclusters stand out: by subcluster and by layer. */
import type { ScoresDocument, SubclusterEntry } from "../../../scores-document.ts";
import { coherenceLead, importanceLead, LEVEL } from "./evidence.ts";

/** Significant at 5 % by Benjamini-Yekutieli, only by Benjamini-Hochberg, by neither; `untested` without a p. */
export type Mark = "by" | "bh" | "none" | "untested";

export interface Standing {
  readonly subcluster: SubclusterEntry;
  readonly mark: Mark;
  readonly p: number | null;
  readonly q: number | null;
  readonly effect: number | null;
  readonly z: number | null;
}

/** What subclusters are ranked by. */
export interface Ranking {
  readonly kind: "importance" | "coherence";
  readonly measure: string;
}

/**
 * The leading measure of importance, or that of coherence where single subclusters stand out by it alone, or where importance
 * was not tested. Null where nothing has a p.
 */
export function rankingOf(scores: ScoresDocument | null): Ranking | null {
  if (scores === null) return null;
  const candidates = (
    [
      { kind: "importance", lead: importanceLead(scores) },
      { kind: "coherence", lead: coherenceLead(scores) },
    ] as const
  ).flatMap(({ kind, lead }) =>
    lead === null || lead.evidence === "untested"
      ? []
      : [{ kind, measure: lead.measure, significant: lead.row.significant }],
  );
  const found = candidates.find(({ significant }) => significant > 0) ?? candidates[0];
  return found === undefined ? null : { kind: found.kind, measure: found.measure };
}

/** Every subcluster's standing, in the order of the document. */
export function standingsOf(scores: ScoresDocument, { kind, measure }: Ranking): Standing[] {
  return scores.subclusters.map((subcluster) => {
    const found = subcluster[kind];
    const [p, q, bh] = [found?.p, found?.q, found?.bh].map((values) => values?.[measure] ?? null);
    return {
      subcluster,
      mark: markOf(p ?? null, q ?? null, bh ?? null),
      p: p ?? null,
      q: q ?? null,
      effect: found?.effect[measure] ?? null,
      z: found?.z[measure] ?? null,
    };
  });
}

function markOf(p: number | null, q: number | null, bh: number | null): Mark {
  if (p === null) return "untested";
  if (q !== null && q <= LEVEL) return "by";
  return bh !== null && bh <= LEVEL ? "bh" : "none";
}

/** Those that stand out most first: by p, then by z. */
export const ranked = (standings: readonly Standing[]): Standing[] =>
  standings
    .filter(({ p }) => p !== null)
    .sort((one, other) => (one.p ?? 1) - (other.p ?? 1) || (other.z ?? 0) - (one.z ?? 0));

export interface LayerStanding {
  readonly layer: string;
  readonly standings: readonly Standing[];
  readonly tested: number;
  readonly significant: number;
}

/** The layers that hold subclusters, in the network's order. */
export function byLayer(layers: readonly string[], standings: readonly Standing[]): LayerStanding[] {
  return layers.flatMap((layer) => {
    const own = standings.filter(({ subcluster }) => subcluster.layer === layer);
    if (own.length === 0) return [];
    return [
      {
        layer,
        standings: [...own].sort((one, other) => one.subcluster.cluster - other.subcluster.cluster),
        tested: own.filter(({ mark }) => mark !== "untested").length,
        significant: own.filter(({ mark }) => mark === "by").length,
      },
    ];
  });
}

/**
 * The layers with the largest shares of subclusters that stand out, three at most; none where none does, or where further
 * layers have as large a share.
 */
export function leadingLayers(layers: readonly LayerStanding[], most: number = 3): LayerStanding[] {
  const share = ({ significant, tested }: LayerStanding) => significant / tested;
  const sorted = layers
    .filter(({ significant }) => significant > 0)
    .sort((one, other) => share(other) - share(one));
  const next = sorted[most];
  return sorted.slice(0, most).filter((layer) => next === undefined || share(layer) > share(next));
}

/** Subclusters that are significant by both leading measures; null where one was not tested. */
export function bothCount(scores: ScoresDocument): number | null {
  const [importance, coherence] = [importanceLead(scores), coherenceLead(scores)];
  if (importance === null || coherence === null) return null;
  if (importance.evidence === "untested" || coherence.evidence === "untested") return null;
  return scores.subclusters.filter(
    (subcluster) =>
      (subcluster.importance?.q[importance.measure] ?? 1) <= LEVEL &&
      (subcluster.coherence?.q[coherence.measure] ?? 1) <= LEVEL,
  ).length;
}
