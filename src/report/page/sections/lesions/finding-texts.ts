/** Orders and words of what goes beyond single lesions. No DOM. */
import type { ScoresDocument } from "../../../scores-document.ts";

export type Dissociation = NonNullable<ScoresDocument["dissociations"]>[number];
export type Pair = NonNullable<ScoresDocument["pairs"]>[number];

/** Significant ones first, then the stronger. */
export function sortedDissociations(found: readonly Dissociation[]): readonly Dissociation[] {
  const isSignificant = ({ q }: Dissociation): number => (q !== null && q <= 0.05 ? 1 : 0);
  return [...found].sort(
    (a, b) => isSignificant(b) - isSignificant(a) || (b.strength ?? 0) - (a.strength ?? 0),
  );
}

/** The larger synergy first, of either sign. */
export const sortedPairs = (pairs: readonly Pair[]): readonly Pair[] =>
  [...pairs].sort((a, b) => Math.abs(b.synergy ?? 0) - Math.abs(a.synergy ?? 0));

/** What a pair's interval says. */
export function pairMeaning({ interval: [low, high] }: Pair): string {
  if (low === null || high === null) return "unknown";
  if (low > 0) return "back each other up";
  if (high < 0) return "share a path";
  return "no more than the sum";
}
