/**
 * Whole populations lesioned together, against random sets of the same layer and size, and against the sum of what their
 * units do alone (populations note, FP-6).
 */
import type { LayerLesions } from "../network/lesions.ts";
import { countClasses, type LabelledInputs } from "../network/outcomes.ts";
import type { RunOptions } from "../progress.ts";
import { baselineOf, type Damage, damagesBy } from "../scores/damage.ts";
import { MEASURES } from "../scores/importance-measures.ts";
import type { InputClasses } from "../scores/input-classes.ts";
import type { MeanBootstrap } from "../scores/mean-bootstrap.ts";
import type { Verdict } from "../scores/measures.ts";
import { drawCommonNulls, verdictsAmong } from "../scores/null-values.ts";
import type { LayerSubclusters } from "../scores/subclusters.ts";
import { classFalls } from "../scores/unit-impacts.ts";
import type { Interval } from "../statistics/bootstrap.ts";
import { rng } from "../statistics/rng.ts";
import { bitOf, correctRow, countStates, statesOf, writeBits } from "./correctness.ts";
import { accuracyFall, type UnitLesions } from "./unit-lesions.ts";

/** What the lesion of a population does. */
export interface PopulationLesion {
  readonly layer: string;
  /** Cluster id in the partition that it belongs to. */
  readonly population: number;
  readonly units: Int32Array;
  /** I(P) and its share of each class; signed. */
  readonly accuracyImpact: number;
  readonly classImpact: Float64Array;
  readonly lossImpact: number;
  readonly flipRate: number;
  /**
   * I(P) - sum of I[u], and the same of the loss: above 0 the units back each other up, below 0 they share a path. The interval
   * is the bootstrap's over inputs.
   */
  readonly accuracyRedundancy: number;
  readonly accuracyRedundancyInterval: Interval;
  readonly lossRedundancy: number;
  /** State of every input (`STATES`), and how many are in each. */
  readonly states: Uint8Array;
  readonly stateCounts: Int32Array;
  /** Against random sets, on `nullInputs` inputs; null where there are none: of one unit, or nearly the whole layer. */
  readonly verdicts: { readonly accuracy: Verdict; readonly loss: Verdict } | null;
}

export interface GroupLesionOptions {
  readonly bootstrap: MeanBootstrap;
  /** Random sets of each population. */
  readonly shuffles: number;
  readonly seed: number;
  /** What random sets are lesioned on, the populations with them; and the layer's lesions on these. */
  readonly nulls: LabelledInputs;
  readonly openNulls: () => Promise<LayerLesions>;
}

/** Lesions the populations of one layer, as `findSubclusters` lists them, on so many `inputs`. */
export async function lesionPopulations(
  lesions: LayerLesions,
  inputs: number,
  classes: InputClasses,
  populations: LayerSubclusters,
  singles: UnitLesions,
  options: GroupLesionOptions,
  nextOptions: () => RunOptions,
): Promise<PopulationLesion[]> {
  const all = [...populations.tested, ...populations.filtered];
  if (all.length === 0) return [];
  const found: Omit<PopulationLesion, "verdicts">[] = [];
  const sets = all.map(({ units }) => units);
  const { details } = await lesions.runDetailed(sets, nextOptions());
  const changes = new Float32Array(all.length * inputs);
  const { intact } = singles.correctness;
  all.forEach(({ cluster, units }, number) => {
    const detail = details[number] as (typeof details)[number];
    const after = new Uint8Array(singles.correctness.stride);
    writeBits(detail.isCorrect, inputs, after);
    const states = statesOf(intact, after, inputs);
    jointFalls(singles, units, intact, after, changes.subarray(number * inputs));
    const { falls } = classFalls(detail, classes);
    const accuracyImpact = accuracyFall(detail);
    const lossImpact = meanOf(detail.lossIncreases);
    found.push({
      layer: populations.name,
      population: cluster,
      units,
      accuracyImpact,
      classImpact: falls,
      lossImpact,
      flipRate: detail.flipRate,
      accuracyRedundancy: accuracyImpact - sumAt(singles.accuracyImpact, units),
      accuracyRedundancyInterval: { low: Number.NaN, high: Number.NaN },
      lossRedundancy: lossImpact - sumAt(singles.lossImpact, units),
      states,
      stateCounts: countStates(states),
    });
  });
  const intervals = await options.bootstrap.intervals(changes, all.length);
  intervals.forEach((accuracyRedundancyInterval, number) => {
    found[number] = { ...(found[number] as (typeof found)[number]), accuracyRedundancyInterval };
  });
  const verdicts = await againstRandomSets(classes, populations, options, nextOptions);
  return found
    .map((lesion, number) => ({ ...lesion, verdicts: verdicts[number] ?? null }))
    .sort((a, b) => a.population - b.population);
}

/** The verdicts of the tested populations, in their order. */
async function againstRandomSets(
  { counts }: InputClasses,
  populations: LayerSubclusters,
  { shuffles, seed, nulls, openNulls }: GroupLesionOptions,
  nextOptions: () => RunOptions,
): Promise<{ readonly accuracy: Verdict; readonly loss: Verdict }[]> {
  const { tested } = populations;
  if (tested.length === 0 || shuffles === 0) return [];
  const lesions = await openNulls();
  const [intact] = await lesions.run([new Int32Array()], { signal: nextOptions().signal });
  if (intact === undefined) return [];
  const evaluate = damagesBy(lesions, baselineOf(intact, countClasses(nulls.labels, counts.length), true));
  const plan = { protocol: "strict", shuffles, seed, base: shuffles } as const;
  const values: Damage[] = await evaluate(
    tested.map(({ units }) => units),
    nextOptions(),
  );
  const drawn = await drawCommonNulls(evaluate, populations, plan, [populations.eligible], nextOptions);
  const measures = { accuracy: MEASURES.accuracy, loss: MEASURES.loss };
  return tested.map((_, number) => verdictsAmong(measures, values, number, drawn, plan));
}

/** Of every input whether the population's lesion takes it, less those of its units that take it alone. */
function jointFalls(
  { correctness }: UnitLesions,
  units: Int32Array,
  intact: Uint8Array,
  after: Uint8Array,
  changes: Float32Array,
): void {
  const rows = Array.from(units, (unit) => correctRow(correctness, unit));
  for (let input = 0; input < correctness.inputs; input++) {
    const before = bitOf(intact, input);
    let change = before - bitOf(after, input);
    for (const row of rows) change -= before - bitOf(row, input);
    changes[input] = change;
  }
}

/**
 * At most so many inputs, drawn at random, in their own order. Random sets are many, and a p-value needs the population and its
 * random sets on the same inputs, not on all of them.
 */
export function someInputs(data: LabelledInputs, most: number, seed: number): LabelledInputs {
  if (data.count <= most) return data;
  const order = Int32Array.from({ length: data.count }, (_, input) => input);
  const chosen = rng(seed, "population inputs").shuffle(order).slice(0, most).sort();
  return pickInputs(data, chosen);
}

/** The inputs of these numbers, with one label each. */
export function pickInputs(data: LabelledInputs, chosen: Int32Array): LabelledInputs {
  return {
    count: chosen.length,
    labels: Int32Array.from(chosen, (input) => data.labels[input] as number),
    batch(start, count) {
      const rows = Array.from(chosen.subarray(start, start + count), (input) => data.batch(input, 1));
      const width = rows[0]?.length ?? 0;
      const values = new Float32Array(rows.length * width);
      rows.forEach((row, i) => {
        values.set(row, i * width);
      });
      return values;
    },
  };
}

export const meanOf = (values: Float64Array): number =>
  values.reduce((total, value) => total + value, 0) / values.length;

const sumAt = (values: Float64Array, units: Int32Array): number =>
  units.reduce((total, unit) => total + (values[unit] as number), 0);
