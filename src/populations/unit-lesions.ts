/**
 * What the network loses when a single unit is lesioned, for every unit of a layer (populations note, FP-2). The impacts are
 * signed: a class may gain.
 */
import type { LayerLesions } from "../network/lesions.ts";
import type { OutcomeDetail } from "../network/outcome-details.ts";
import type { LesionKind } from "../network/replacement.ts";
import type { RunOptions } from "../progress.ts";
import type { InputClasses } from "../scores/input-classes.ts";
import type { MeanBootstrap } from "../scores/mean-bootstrap.ts";
import { aboveNoise, classFalls, classRises, clearRises } from "../scores/unit-impacts.ts";
import type { Interval } from "../statistics/bootstrap.ts";
import { type Correctness, correctRow, openCorrectness, writeBits } from "./correctness.ts";

/** Impacts of a layer's units by one kind of lesion, one entry a unit; NaN for units that were not lesioned. */
export interface UnitLesions {
  readonly kind: LesionKind;
  readonly units: number;
  /** I[u]: intact less lesioned accuracy, a share of the inputs; and its bootstrap interval. */
  readonly accuracyImpact: Float64Array;
  readonly accuracyLow: Float64Array;
  readonly accuracyHigh: Float64Array;
  /** dL[u]: mean rise of the loss, in nats; and its bootstrap interval. */
  readonly lossImpact: Float64Array;
  readonly lossLow: Float64Array;
  readonly lossHigh: Float64Array;
  /** Share of inputs that become another class than the intact network's. */
  readonly flipRate: Float64Array;
  /** I[u, c] and dL[u, c], units x classes; NaN for classes without inputs. */
  readonly classImpact: Float64Array;
  readonly classLossImpact: Float64Array;
  /** J[u, c]: I[u, c] with what is below `noise` set to 0; and the same of each class's loss, below twice its standard error. */
  readonly accuracyProfile: Float64Array;
  readonly lossProfile: Float64Array;
  /** tau[c]: what an accuracy changes by chance. */
  readonly noise: Float64Array;
  /** Who is right, a row for each unit; rows of units that were not lesioned are the intact network's. */
  readonly correctness: Correctness;
}

/** Numbers of inputs x units that are kept at once: 128 MB. */
const MOST_DETAILS = 1 << 23;

/** Lesions each of the `lesioned` ones of a layer's `units` alone, on so many `inputs`. */
export async function lesionUnits(
  lesions: LayerLesions,
  units: number,
  inputs: number,
  classes: InputClasses,
  lesioned: Int32Array,
  { kind, bootstrap }: UnitLesionOptions,
  nextOptions: () => RunOptions,
): Promise<UnitLesions> {
  const found = emptyLesions(kind, units, inputs, classes.counts.length);
  const { stride, bits, intact } = found.correctness;
  const atOnce = Math.max(1, Math.floor(MOST_DETAILS / inputs));
  const rows = new Float32Array(Math.min(atOnce, lesioned.length) * inputs);
  // Without a unit to lesion there is still the intact network.
  const runs = Math.max(1, Math.ceil(lesioned.length / atOnce));
  for (let run = 0; run < runs; run++) {
    const some = lesioned.subarray(run * atOnce, (run + 1) * atOnce);
    const sets = some.length > 0 ? Array.from(some, (unit) => Int32Array.of(unit)) : [new Int32Array()];
    const { details } = await lesions.runDetailed(sets, { ...nextOptions(), lesion: kind });
    const [first] = details;
    if (run === 0 && first !== undefined) {
      writeBits(first.isCorrectIntact, inputs, intact);
      found.noise.set(classFalls(first, classes).noise);
      for (let row = 0; row < units; row++) bits.set(intact, row * stride);
    }
    details.forEach((detail, i) => {
      if (i < some.length) keepDetail(found, some[i] as number, detail, classes);
    });
    await keepIntervals(found, some, details, rows, bootstrap);
  }
  return found;
}

export interface UnitLesionOptions {
  readonly kind: LesionKind;
  readonly bootstrap: MeanBootstrap;
}

function emptyLesions(kind: LesionKind, units: number, inputs: number, classes: number): UnitLesions {
  const unknown = (length: number = units) => new Float64Array(length).fill(Number.NaN);
  return {
    kind,
    units,
    accuracyImpact: unknown(),
    accuracyLow: unknown(),
    accuracyHigh: unknown(),
    lossImpact: unknown(),
    lossLow: unknown(),
    lossHigh: unknown(),
    flipRate: unknown(),
    classImpact: unknown(units * classes),
    classLossImpact: unknown(units * classes),
    accuracyProfile: new Float64Array(units * classes),
    lossProfile: new Float64Array(units * classes),
    noise: unknown(classes),
    correctness: openCorrectness(units, inputs),
  };
}

function keepDetail(found: UnitLesions, unit: number, detail: OutcomeDetail, classes: InputClasses): void {
  const { lossIncreases, isCorrect } = detail;
  const inputs = lossIncreases.length;
  const from = unit * classes.counts.length;
  const falls = classFalls(detail, classes);
  let loss = 0;
  for (let i = 0; i < inputs; i++) loss += lossIncreases[i] as number;
  found.accuracyImpact[unit] = accuracyFall(detail);
  found.lossImpact[unit] = loss / inputs;
  found.flipRate[unit] = detail.flipRate;
  found.classImpact.set(falls.falls, from);
  found.accuracyProfile.set(aboveNoise(falls), from);
  const rises = classRises(detail, classes);
  found.classLossImpact.set(rises.means, from);
  found.lossProfile.set(clearRises(rises), from);
  writeBits(isCorrect, inputs, correctRow(found.correctness, unit));
}

/** I: intact less lesioned accuracy, a share of the inputs. Counted in whole runs, so that equal impacts are equal numbers. */
export function accuracyFall({ isCorrect, isCorrectIntact }: OutcomeDetail): number {
  const inputs = isCorrectIntact.length;
  const runs = isCorrect.length / inputs;
  let [before, after] = [0, 0];
  for (let i = 0; i < inputs; i++) before += isCorrectIntact[i] as number;
  for (let i = 0; i < isCorrect.length; i++) after += isCorrect[i] as number;
  return (before * runs - after) / (runs * inputs);
}

/** Paired intervals: a lesion's change of every input, all lesions over the same draws of inputs. */
async function keepIntervals(
  found: UnitLesions,
  units: Int32Array,
  details: readonly OutcomeDetail[],
  rows: Float32Array,
  bootstrap: MeanBootstrap,
): Promise<void> {
  const keep = async (
    low: Float64Array,
    high: Float64Array,
    change: (detail: OutcomeDetail, input: number) => number,
  ) => {
    units.forEach((_, i) => {
      const detail = details[i] as OutcomeDetail;
      const inputs = detail.lossIncreases.length;
      for (let input = 0; input < inputs; input++) rows[i * inputs + input] = change(detail, input);
    });
    const intervals = await bootstrap.intervals(rows, units.length);
    units.forEach((unit, i) => {
      const interval = intervals[i] as Interval;
      low[unit] = interval.low;
      high[unit] = interval.high;
    });
  };
  await keep(found.lossLow, found.lossHigh, ({ lossIncreases }, input) => lossIncreases[input] as number);
  await keep(found.accuracyLow, found.accuracyHigh, fallOf);
}

/** Whether an input's answer is no longer right (1) or has become right (-1), the mean over runs. */
function fallOf({ isCorrect, isCorrectIntact }: OutcomeDetail, input: number): number {
  const inputs = isCorrectIntact.length;
  const runs = isCorrect.length / inputs;
  let after = 0;
  for (let run = 0; run < runs; run++) after += isCorrect[run * inputs + input] as number;
  return (isCorrectIntact[input] as number) - after / runs;
}
