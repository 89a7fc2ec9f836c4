import type { Scores } from "../scores/scores.ts";
import { formatCoherence } from "./coherence-results.ts";
import { formatImportance } from "./results.ts";

/** All scores as tables for people. */
export function formatScoreTables(
  { importance, coherence }: Scores,
  classNames: readonly string[] | null,
): string {
  return [
    ...(importance === null ? [] : [formatImportance(importance, classNames)]),
    ...(coherence === null ? [] : [formatCoherence(coherence, classNames)]),
  ].join("\n\n");
}
