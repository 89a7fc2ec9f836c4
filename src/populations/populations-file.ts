/** `populations.json`, and its tables for spreadsheets. Undefined numbers are null there and empty fields here. */
import type { LesionKind } from "../network/replacement.ts";
import type { Agreement, Partition, QualityTest } from "../partition/partition.ts";
import { formatCsv } from "../scores/csv.ts";
import type { Verdict } from "../scores/measures.ts";
import { formatEntries, formatLines, type Json, numberOrNull } from "../scores/scores-json.ts";
import type { Interval } from "../statistics/bootstrap.ts";
import { claimOf } from "./claim.ts";
import { STATES } from "./correctness.ts";
import type { PopulationLesion } from "./group-lesions.ts";
import type { PairLesion } from "./pair-lesions.ts";
import type { ImpactFindings, PopulationKind, Populations } from "./population-settings.ts";
import { largestOf, type NamedAgreement, type Relation, type UnitFacts } from "./relations.ts";
import type { UnitLesions } from "./unit-lesions.ts";

export const POPULATIONS_SCHEMA = "brodmann/populations/1";

/** The content of `populations.json`, one unit a line; equal findings give equal bytes. */
export function formatPopulations(found: Populations): string {
  const { settings, inputs, classCounts, layers, coResponse, impact } = found;
  return formatLines([
    ["schema", JSON.stringify(POPULATIONS_SCHEMA)],
    ["method", JSON.stringify("populations after Meyes et al. (our reconstruction)")],
    ...Object.entries(settings).map(([key, value]) => [key, JSON.stringify(value)] as const),
    ["inputs", JSON.stringify(inputs)],
    ["classCounts", JSON.stringify(Array.from(classCounts))],
    ...(impact === null ? [] : impactSettings(impact, classCounts)),
    ["partitions", JSON.stringify(partitionsEntry(coResponse, impact))],
    ["layers", formatEntries(layers.map((layer, number) => layerEntry(layer, number, found)))],
    ["units", formatEntries(layers.flatMap((layer, number) => unitEntries(layer, number, found)))],
    ...(impact === null ? [] : impactLines(impact)),
  ]);
}

function impactSettings(
  { kinds, shuffles, nullInputs, baseline }: ImpactFindings,
  classCounts: Int32Array,
): [string, string][] {
  const correct = baseline.correct.reduce((sum, count) => sum + count, 0);
  const inputs = classCounts.reduce((sum, count) => sum + count, 0);
  return [
    ["lesions", JSON.stringify(kinds)],
    ["shuffles", JSON.stringify(shuffles)],
    ["nullInputs", JSON.stringify(nullInputs)],
    [
      "baseline",
      JSON.stringify({
        accuracy: numberOrNull(correct / inputs),
        classAccuracy: Array.from(baseline.correct, (count, c) =>
          numberOrNull(count / (classCounts[c] as number)),
        ),
        loss: numberOrNull(baseline.loss),
      }),
    ],
  ];
}

function partitionsEntry(coResponse: Partition, impact: ImpactFindings | null): Json {
  const entry = ({ clusters, method, quality }: Partition): Json => ({
    clusters,
    method: method as Json,
    quality: quality && { ncut: numberOrNull(quality.ncut), modularity: numberOrNull(quality.modularity) },
  });
  return {
    coResponse: entry(coResponse),
    ...(impact === null ? {} : { coImpact: entry(impact.coImpact), coImpactWard: entry(impact.ward) }),
    ...(impact?.other ? { [impact.other.name]: entry(impact.other.partition) } : {}),
  };
}

/** Units of a layer that are dead, and those whose lesion changes nothing beyond noise. */
function layerEntry({ layer, responses, lesions }: UnitFacts, number: number, found: Populations): Json {
  const { isDead, units } = responses;
  const numbers = (isIn: (unit: number) => boolean) =>
    Array.from({ length: units }, (_, unit) => unit).filter(isIn);
  const alive = numbers((unit) => isDead[unit] === 0);
  const clusters = ({ layers }: Partition) =>
    new Set(layers[number]?.labels.filter((label) => label >= 0)).size;
  return {
    name: layer,
    units,
    dead: numbers((unit) => isDead[unit] === 1),
    coResponse: clusters(found.coResponse),
    ...(found.impact === null ? {} : { coImpact: clusters(found.impact.coImpact) }),
    lesions: lesions.map((lesion) => ({
      kind: lesion.kind,
      noise: Array.from(lesion.noise, numberOrNull),
      withoutAccuracyImpact: countWithout(lesion.accuracyProfile, units, alive),
      withoutLossImpact: countWithout(lesion.lossProfile, units, alive),
    })),
  };
}

/** Units whose row of impacts is 0 throughout: no measurable impact. */
export function countWithout(profiles: Float64Array, units: number, alive: readonly number[]): number {
  const width = profiles.length / units;
  return alive.filter((unit) =>
    profiles.subarray(unit * width, (unit + 1) * width).every((value) => value === 0),
  ).length;
}

function unitEntries({ layer, responses, lesions }: UnitFacts, number: number, found: Populations): Json[] {
  const width = found.classCounts.length;
  const row = (values: Float64Array, unit: number): Json =>
    Array.from(values.subarray(unit * width, (unit + 1) * width), short);
  const labelIn = (partition: Partition | undefined, unit: number) => ({
    cluster: partition?.layers[number]?.labels[unit] ?? -1,
  });
  return Array.from(responses.isDead, (dead, unit) => ({
    layer,
    unit,
    dead: dead === 1,
    coResponse: labelIn(found.coResponse, unit).cluster,
    ...(found.impact === null
      ? {}
      : {
          coImpact: labelIn(found.impact.coImpact, unit).cluster,
          coImpactWard: labelIn(found.impact.ward, unit).cluster,
        }),
    magnitude: short(responses.magnitude[unit]),
    relativeMagnitude: short(responses.relativeMagnitude[unit]),
    peak: short(responses.peak[unit]),
    selectivity: short(responses.selectivity[unit]),
    auroc: short(responses.auroc[unit]),
    aurocClass: classOrNull(responses.aurocClass[unit]),
    leastAuroc: short(responses.leastAuroc[unit]),
    leastAurocClass: classOrNull(responses.leastAurocClass[unit]),
    sparseness: short(responses.sparseness[unit]),
    profile: row(responses.profiles, unit),
    lesions: Object.fromEntries(
      lesions.map((lesion) => [
        lesion.kind,
        {
          accuracyImpact: short(lesion.accuracyImpact[unit]),
          accuracyInterval: [short(lesion.accuracyLow[unit]), short(lesion.accuracyHigh[unit])],
          lossImpact: short(lesion.lossImpact[unit]),
          lossInterval: [short(lesion.lossLow[unit]), short(lesion.lossHigh[unit])],
          flipRate: short(lesion.flipRate[unit]),
          classImpact: row(lesion.classImpact, unit),
          classLossImpact: row(lesion.classLossImpact, unit),
        },
      ]),
    ),
  }));
}

/** Seven digits: what float32 activations and log-probabilities hold. */
function short(value: number | undefined): number | null {
  return value === undefined || !Number.isFinite(value) ? null : Number(value.toPrecision(7));
}

const classOrNull = (c: number | undefined): number | null => (c === undefined || c < 0 ? null : c);

function impactLines({ relations, agreements, groups, pairs, kinds }: ImpactFindings): [string, string][] {
  return [
    ["relations", formatEntries(relations.map(relationEntry))],
    ["agreements", formatEntries(agreements.map(agreementEntry))],
    ["groups", formatEntries(groups.map(groupEntry))],
    ["pairs", formatEntries(pairs.map(pairEntry))],
    [
      "claim",
      formatEntries(
        claimOf(relations, kinds).map(({ layer, units, tellings, kinds: between, isToldBy }) => ({
          layer,
          units,
          tellings: tellings.map(({ indicator, kind, rho, interval }) => ({
            indicator,
            lesion: kind,
            rho: short(rho),
            interval: intervalEntry(interval),
          })),
          lesionKinds: between.map(({ kinds: names, rho, interval }) => ({
            lesions: names,
            rho: short(rho),
            interval: intervalEntry(interval),
          })),
          toldBy: isToldBy,
        })),
      ),
    ],
  ];
}

const intervalEntry = ({ low, high }: Interval): Json => [short(low), short(high)];

const relationEntry = ({ layer, first, second, given, rho, interval, count }: Relation): Json => ({
  layer,
  first,
  second,
  given,
  rho: short(rho),
  interval: intervalEntry(interval),
  units: count,
});

function agreementEntry({ names, comparison }: NamedAgreement): Json {
  if (comparison === null) return { partitions: names, overall: null, layers: [] };
  const indices = ({ units, ari, ami }: Agreement) => ({ units, ami: short(ami), ari: short(ari) });
  const test = ({ mean, sd, z, p }: QualityTest): Json => ({
    mean: short(mean),
    sd: short(sd),
    z: short(z),
    p: short(p),
  });
  const { overall, layers, shuffles } = comparison;
  return {
    partitions: names,
    shuffles,
    overall: {
      ...indices(overall),
      withinLayers: { ami: test(overall.withinLayers.ami), ari: test(overall.withinLayers.ari) },
    },
    layers: layers
      .filter(({ units }) => units > 0)
      .map((layer) => ({
        name: layer.name,
        ...indices(layer),
        shuffled: { ami: test(layer.shuffled.ami), ari: test(layer.shuffled.ari) },
      })),
  };
}

function groupEntry(group: PopulationLesion & { readonly kind: PopulationKind }): Json {
  const { verdicts, stateCounts } = group;
  const verdict = ({ p, effect, difference, z, valid }: Verdict): Json => ({
    p: short(p),
    effect: short(effect),
    difference: short(difference),
    z: short(z),
    nulls: valid,
  });
  return {
    kind: group.kind,
    layer: group.layer,
    population: group.population,
    units: Array.from(group.units),
    accuracyImpact: short(group.accuracyImpact),
    classImpact: Array.from(group.classImpact, short),
    lossImpact: short(group.lossImpact),
    flipRate: short(group.flipRate),
    redundancy: {
      accuracy: short(group.accuracyRedundancy),
      interval: intervalEntry(group.accuracyRedundancyInterval),
      loss: short(group.lossRedundancy),
    },
    states: statesEntry(stateCounts),
    against: verdicts && { accuracy: verdict(verdicts.accuracy), loss: verdict(verdicts.loss) },
  };
}

function statesEntry(counts: Int32Array): Json {
  return Object.fromEntries(STATES.map((state, number) => [state, counts[number] ?? 0]));
}

const pairEntry = (pair: PairLesion): Json => ({
  layer: pair.layer,
  units: pair.units,
  accuracyImpact: short(pair.accuracyImpact),
  lossImpact: short(pair.lossImpact),
  synergy: short(pair.synergy),
  interval: intervalEntry(pair.interval),
  states: statesEntry(pair.stateCounts),
  lostShare: short(pair.lostShare),
  lostOnlyJointlyShare: short(pair.jointShare),
  classLostOnlyJointlyShare: Array.from(pair.classJointShare, short),
});

/** `populations.csv`: a row for each unit. */
export function formatPopulationTable(found: Populations): string {
  const { layers, coResponse, impact } = found;
  const kinds = impact?.kinds ?? [];
  const header = [
    ...["layer", "unit", "dead", "coResponse"],
    ...(impact === null ? [] : ["coImpact", "coImpactWard", ...(impact.other ? [impact.other.name] : [])]),
    ...["magnitude", "relativeMagnitude", "peak", "selectivity", "auroc", "aurocClass"],
    ...["leastAuroc", "leastAurocClass", "sparseness"],
    ...kinds.flatMap(columnsOf),
  ];
  const rows = layers.flatMap(({ layer, responses, lesions }, number) => {
    const labelOf = ({ layers: own }: Partition, unit: number) =>
      own.find(({ name }) => name === layer)?.labels[unit] ?? -1;
    const impacts = lesions.map(impactColumns);
    return Array.from(responses.isDead, (dead, unit) => [
      layer,
      unit,
      dead,
      coResponse.layers[number]?.labels[unit] ?? -1,
      ...(impact === null
        ? []
        : [impact.coImpact, impact.ward, ...(impact.other ? [impact.other.partition] : [])].map((partition) =>
            labelOf(partition, unit),
          )),
      ...[
        responses.magnitude,
        responses.relativeMagnitude,
        responses.peak,
        responses.selectivity,
        responses.auroc,
      ].map((values) => field(values[unit])),
      classOrNull(responses.aurocClass[unit]) ?? "",
      field(responses.leastAuroc[unit]),
      classOrNull(responses.leastAurocClass[unit]) ?? "",
      field(responses.sparseness[unit]),
      ...impacts.flatMap((columns) => columns.map((values) => field(values[unit]))),
    ]);
  });
  return formatCsv([header, ...rows]);
}

const field = (value: number | undefined): number => short(value) ?? Number.NaN;

const columnsOf = (kind: LesionKind): string[] =>
  [
    ...["accuracyImpact", "accuracyImpactLow", "accuracyImpactHigh"],
    ...["lossImpact", "lossImpactLow", "lossImpactHigh"],
    ...["flipRate", "largestClassImpact", "largestClassLossImpact"],
  ].map((name) => `${name}_${kind}`);

const impactColumns = (lesions: UnitLesions): Float64Array[] => [
  lesions.accuracyImpact,
  lesions.accuracyLow,
  lesions.accuracyHigh,
  lesions.lossImpact,
  lesions.lossLow,
  lesions.lossHigh,
  lesions.flipRate,
  largestOf(lesions.classImpact, lesions.units),
  largestOf(lesions.classLossImpact, lesions.units),
];

/** `relations.csv`: a row for each rank correlation; an empty layer is all of them together. */
export function formatRelations(relations: readonly Relation[]): string {
  return formatCsv([
    ["layer", "first", "second", "given", "rho", "low", "high", "units"],
    ...relations.map(({ layer, first, second, given, rho, interval, count }) => [
      layer ?? "",
      first,
      second,
      given ?? "",
      field(rho),
      field(interval.low),
      field(interval.high),
      count,
    ]),
  ]);
}
