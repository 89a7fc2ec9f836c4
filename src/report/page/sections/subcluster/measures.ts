/** The measures of a subcluster as rows for people: what each asks, what was found, and what random groups give. */
import type { NetworkEntry, NullSpread, ScoresDocument, SubclusterEntry } from "../../../scores-document.ts";
import { decimals, digits } from "../../format.ts";
import { measureLabel } from "../../measure-names.ts";

type Maybe = number | null;

export interface MeasureRow {
  readonly name: string;
  readonly label: string;
  readonly meaning: string;
  /** Which amounts are remarkable: large ones, or small ones. */
  readonly tail: "upper" | "lower";
  readonly spread: NullSpread;
  readonly p: Maybe;
  readonly q: Maybe;
  /** Groups of the same size that p rests on. */
  readonly groups: Maybe;
  readonly format: (value: Maybe) => string;
  /** The same without the unit. */
  readonly formatBare: (value: Maybe) => string;
}

interface Wording {
  readonly meaning: string;
  readonly format?: MeasureRow["format"];
}

/** A share as percentage points. */
export const points = (share: Maybe): string =>
  share === null ? "–" : `${decimals(100 * share, 1)} ${Math.abs(100 * share) === 1 ? "point" : "points"}`;

/** "+1.2", "−3.4": percentage points. */
export const signedPoints = (change: number | null): string =>
  change === null ? "–" : `${change > 0 ? "+" : ""}${decimals(100 * change, 1)}`;

const IMPORTANCE: Readonly<Record<string, Wording>> = {
  accuracy: {
    meaning:
      "What the network's accuracy falls by without these units, in percentage points, mean over classes",
    format: points,
  },
  classRange: {
    meaning:
      "How differently the lesion hits the classes: range of their changes, relative to the mean change",
  },
  loss: { meaning: "What the network's loss rises by without these units" },
};

const NO_SPREAD: NullSpread = { amount: null, quantiles: [] };

/** Rows of importance: of the measures that this subcluster has a verdict on, and labels of the others. */
export interface Measures {
  readonly rows: readonly MeasureRow[];
  readonly undefinedLabels: readonly string[];
}

export function importanceRows({ importance }: SubclusterEntry): Measures {
  return importance === undefined ? NONE : rowsOf(importance, IMPORTANCE, undefined);
}

export function coherenceRows({ coherence }: SubclusterEntry, scores: ScoresDocument): Measures {
  return coherence === undefined ? NONE : rowsOf(coherence, {}, scores.network.coherence);
}

const NONE: Measures = { rows: [], undefinedLabels: [] };

type Verdicts = Pick<NonNullable<SubclusterEntry["importance"]>, "p" | "q" | "nulls" | "nullSpread">;

function rowsOf(
  { p, q, nulls, nullSpread }: Verdicts,
  wordings: Readonly<Record<string, Wording>>,
  network: Readonly<Record<string, NetworkEntry>> | undefined,
): Measures {
  const rows = Object.keys(p).map((name): MeasureRow => {
    const { meaning, format = digits } = wordings[name] ?? {};
    return {
      name,
      label: capital(measureLabel(name)),
      meaning: meaning ?? sentence(network?.[name]?.meaning ?? ""),
      tail: network?.[name]?.tail ?? "upper",
      spread: nullSpread[name] ?? NO_SPREAD,
      p: p[name] ?? null,
      q: q[name] ?? null,
      groups: nulls[name] ?? null,
      format: (value) => format(value),
      formatBare: (value) => format(value).replace(/ points?$/, ""),
    };
  });
  const isDefined = ({ spread }: MeasureRow): boolean => spread.amount !== null;
  return {
    rows: rows.filter(isDefined),
    undefinedLabels: rows.filter((row) => !isDefined(row)).map(({ label }) => label),
  };
}

/** "the subcluster's units act alike" stands as a sentence of its own. */
const sentence = (text: string): string => capital(text.replace(/^the subcluster's units /, "Its units "));

const capital = (text: string): string => text.replace(/^./, (letter) => letter.toUpperCase());

/** How sure a verdict is. */
export type Verdict = "stands out" | "only before correction" | "like random groups" | "no verdict";

/** By the p that is corrected for all subclusters (Benjamini-Yekutieli), and by p alone. */
export function verdictOf({ p, q }: Pick<MeasureRow, "p" | "q">): Verdict {
  if (p === null) return "no verdict";
  if (q !== null && q <= 0.05) return "stands out";
  return p <= 0.05 ? "only before correction" : "like random groups";
}

/** Groups that do as much, of those compared with; null where p does not tell: it is (1 + hits) / (1 + groups) otherwise. */
export function hitsOf(p: Maybe, groups: Maybe): number | null {
  if (p === null || groups === null || groups <= 0) return null;
  const hits = p * (groups + 1) - 1;
  const whole = Math.round(hits);
  return Math.abs(hits - whole) < 0.01 && whole >= 0 && whole <= groups ? whole : null;
}
