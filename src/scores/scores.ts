import type { Coherence } from "./coherence.ts";
import type { Importance } from "./importance.ts";

/** What subclusters can be scored by. */
export const SCORE_NAMES = ["importance", "coherence"] as const;

export type ScoreName = (typeof SCORE_NAMES)[number];

/** The scores of a partition; null where they were not asked for. */
export interface Scores {
  readonly importance: Importance | null;
  readonly coherence: Coherence | null;
}
