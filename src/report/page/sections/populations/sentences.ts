/** What is known of functional populations, in words. */
import type {
  AgreementEntry,
  ClaimEntry,
  GroupEntry,
  PairEntry,
  PopulationsDocument,
  Telling,
} from "../../../populations-document.ts";
import { count, decimals, formatP, percent, plural } from "../../format.ts";
import type { UnitRow } from "./unit-rows.ts";

/** A rank correlation beyond this, with its whole interval, tells (src/populations/claim.ts). */
export const TELLS = 0.9;

export const INDICATORS: Readonly<Record<string, string>> = {
  magnitude: "magnitude",
  selectivity: "class selectivity",
  auroc: "AUROC",
  sparseness: "sparseness",
};

const LESIONS: Readonly<Record<string, string>> = {
  zero: "zero",
  mean: "its mean",
  resample: "what it is for other inputs",
};

/** The two kinds of population. */
export function introSentence({ inputs, lesions }: PopulationsDocument): string {
  const response = `Co-response populations are units of a layer that act alike over the ${plural(inputs, "input")}`;
  if (lesions === undefined || lesions.length === 0) {
    return `${response}. These are recorded activations, which nothing can be lesioned in: there are no impacts, and no populations by impact.`;
  }
  const kinds = lesions.map((kind) => LESIONS[kind] ?? kind).join(", and by ");
  return `${response}; co-impact populations are units whose lesions hurt the same classes. Every unit was lesioned alone, its output replaced by ${kinds}.`;
}

/** What tells importance, or that nothing does. */
export function claimSentence(claim: readonly ClaimEntry[]): string {
  const layers = claim.filter(({ layer, toldBy }) => layer !== null && toldBy !== null);
  if (layers.length === 0)
    return "Nothing can be said of what tells a unit's importance: no correlation is defined.";
  const told = layers.filter(({ toldBy }) => (toldBy?.length ?? 0) > 0);
  if (told.length === 0) {
    const where =
      layers.length === 1
        ? `in ${layers[0]?.layer} neither magnitude nor selectivity ranks`
        : `in none of the ${layers.length} layers does magnitude or selectivity rank`;
    return `Nothing measured of a unit tells its importance by itself: ${where} the units as their lesions do.`;
  }
  const named = told
    .slice(0, 3)
    .map(({ layer, toldBy }) => `${layer}: ${toldBy?.join(", ")}`)
    .join("; ");
  const rest = told.length - Math.min(3, told.length);
  return `In ${told.length} of ${plural(layers.length, "layer")} one quantity alone tells importance (${named}${rest > 0 ? `; and ${rest} more` : ""}).`;
}

/** The strongest indicator over all layers, and how alike the kinds of lesion are. */
export function strongestSentence(claim: readonly ClaimEntry[]): string | null {
  const overall = claim.find(({ layer }) => layer === null) ?? claim[0];
  const strongest = overall && strongestOf(overall.tellings);
  if (!overall || !strongest) return null;
  const where = overall.layer === null ? "over all layers" : `in ${overall.layer}`;
  const between = overall.lesionKinds
    .map(
      ({ lesions: [one, other], rho, interval }) =>
        `impacts by ${one} and by ${other} correlate by ${withInterval(rho, interval)}`,
    )
    .join(", ");
  return `The closest ${where} is ${INDICATORS[strongest.indicator] ?? strongest.indicator} (lesions by ${strongest.lesion}): Spearman ${withInterval(strongest.rho, strongest.interval)}, ${percent((strongest.rho ?? 0) ** 2, 0)} of the ranks' variance.${between === "" ? "" : ` Even the impact depends on what replaces a unit: ${between}.`}`;
}

/** The telling of largest absolute correlation. */
export function strongestOf(tellings: readonly Telling[]): Telling | null {
  const defined = tellings.filter(({ rho }) => rho !== null);
  const size = ({ rho }: Telling): number => Math.abs(rho ?? 0);
  return defined.reduce<Telling | null>(
    (best, telling) => (best === null || size(telling) > size(best) ? telling : best),
    null,
  );
}

/** "0.56 [0.51, 0.61]". */
export const withInterval = (
  value: number | null | undefined,
  interval: readonly [number | null, number | null] | undefined,
  places: number = 2,
): string =>
  value === null || value === undefined
    ? "–"
    : `${decimals(value, places)} [${decimals(interval?.[0], places)}, ${decimals(interval?.[1], places)}]`;

const PARTITIONS: Readonly<Record<string, string>> = {
  given: "given partition",
  weights: "weight partition",
  "co-impact Ward": "co-impact (Ward)",
};

export const partitionName = (name: string): string => PARTITIONS[name] ?? name;

/** Whether units that act alike are those whose lesions hurt alike, and so on. */
export function agreementSentence({ partitions: [one, other], overall }: AgreementEntry): string {
  const names = `${partitionName(one)} and ${partitionName(other)}`;
  if (overall === null) return `${names}: no unit is in both.`;
  const { mean, p } = overall.withinLayers.ami;
  const isBeyond = p !== null && p <= 0.05;
  const verdict = !isBeyond
    ? "no more alike than by chance"
    : (overall.ami ?? 0) - (mean ?? 0) < 0.1
      ? "a little more alike than by chance"
      : "more alike than by chance";
  return `${names}: ${verdict} (AMI ${decimals(overall.ami, 2)}, by chance ${decimals(mean, 2)}; p ${formatP(p)})`;
}

/** How many populations cost more than random sets, kind by kind, and how many back each other up. */
export function groupsSentence(groups: readonly GroupEntry[]): string {
  const tested = groups.filter(({ against }) => against?.loss.p != null);
  const kinds = [...new Set(tested.map(({ kind }) => kind))].map((kind) => {
    const own = tested.filter((group) => group.kind === kind);
    const significant = own.filter(({ against }) => (against?.loss.p ?? 1) <= 0.05);
    return `${significant.length} of ${own.length} ${kind}`;
  });
  const backing = groups.filter(({ redundancy: { interval } }) => (interval[0] ?? -1) > 0);
  const first =
    tested.length === 0
      ? "No population was compared with random sets."
      : `${kinds.join(" and ")} populations cost more loss than random sets of their size (p at most .05, each for itself: one in twenty would by chance).`;
  return `${first} ${backing.length} of ${count(groups.length)} lose more accuracy together than the sum of what their units lose alone: these stand in for each other.`;
}

/** How many back each other up, and how many inputs hang on it. */
export function pairsSentence(pairs: readonly PairEntry[]): string {
  const backing = pairs.filter(({ interval }) => (interval[0] ?? -1) > 0);
  const sharing = pairs.filter(({ interval }) => (interval[1] ?? 1) < 0);
  const jointly = pairs.filter(({ states }) => states["lost only jointly"] > 0);
  return `${plural(pairs.length, "pair")} of units that interact most: ${backing.length} cost more together than the sum of both (they stand in for each other), ${sharing.length} less (they share a path). With ${jointly.length} of them some inputs are lost only where both are gone.`;
}

/** How many units matter one by one, and how many would seem to by chance. */
export function costSentence(units: readonly UnitRow[]): string {
  const costly = units.filter(({ impact }) => (impact.lossInterval[0] ?? -1) > 0);
  const better = units.filter(({ impact }) => (impact.lossInterval[1] ?? 1) < 0);
  return `The interval of the added loss lies above 0 for ${costly.length} of ${plural(units.length, "living unit")}, below 0 for ${better.length}; of units without any effect one in forty, about ${Math.round(units.length / 40)} of these, would lie on either side.`;
}
