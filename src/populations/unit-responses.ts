/**
 * What each unit of a layer answers to the classes: magnitude, selectivity, sparseness (populations note, FP-1, after Meyes
 * et al. 2020, arXiv 2004.01254; our reconstruction).
 */
import { rankerFor } from "../compute/cpu/ranks.ts";
import type { LayerActivations } from "../network/record-activations.ts";
import type { InputClasses } from "../scores/input-classes.ts";
import { classAurocs } from "../statistics/auroc.ts";

/** A unit whose activation never leaves this range around 0 is dead. */
const DEAD = 1e-8;
/** Keeps the selectivity of a unit with no class mean defined. */
const TINY = 1e-12;

/** One number for each unit and input, units x inputs, row-major. */
export interface UnitRows {
  readonly units: number;
  readonly inputs: number;
  readonly values: Float32Array;
}

/** Statistics of a layer's units, one entry a unit; NaN for dead units and where a unit is not finite. */
export interface UnitResponses {
  readonly units: number;
  /** 1 for units that answer to no input, or not by finite numbers. */
  readonly isDead: Uint8Array;
  /** Units x classes: mean activation on the inputs of each class; NaN for classes without inputs. */
  readonly profiles: Float64Array;
  /** Mean absolute activation, and as a share of the layer's largest. */
  readonly magnitude: Float64Array;
  readonly relativeMagnitude: Float64Array;
  /** Largest class mean. */
  readonly peak: Float64Array;
  /**
   * Class selectivity index: (largest class mean - mean of the others) / (the sum of their absolute values). Rare small
   * responses inflate it, so look at `auroc` as well.
   */
  readonly selectivity: Float64Array;
  /** Largest AUROC of a class against all others, and that class (-1 where undefined). */
  readonly auroc: Float64Array;
  readonly aurocClass: Int32Array;
  /** Smallest AUROC of a class and that class: near 0 for a unit that falls silent for it. */
  readonly leastAuroc: Float64Array;
  readonly leastAurocClass: Int32Array;
  /** Lifetime sparseness: 0 for equal activations, 1 for a single input that it answers to. */
  readonly sparseness: Float64Array;
}

/** A layer's recording by unit; a unit that the recording has no column of is 0 throughout. */
export function rowsOfUnits(
  { inputs, columns, values, columnUnit }: LayerActivations,
  units: number,
): UnitRows {
  const rows = new Float32Array(units * inputs);
  for (let column = 0; column < columns; column++) {
    const to = (columnUnit[column] as number) * inputs;
    for (let input = 0; input < inputs; input++)
      rows[to + input] = values[input * columns + column] as number;
  }
  return { units, inputs, values: rows };
}

/** The statistics of units over labelled inputs. */
export function unitResponses({ units, inputs, values }: UnitRows, classes: InputClasses): UnitResponses {
  const { labels, counts } = classes;
  const width = counts.length;
  const empty = () => new Float64Array(units).fill(Number.NaN);
  const found = {
    units,
    isDead: new Uint8Array(units),
    profiles: new Float64Array(units * width).fill(Number.NaN),
    magnitude: empty(),
    relativeMagnitude: empty(),
    peak: empty(),
    selectivity: empty(),
    auroc: empty(),
    aurocClass: new Int32Array(units).fill(-1),
    leastAuroc: empty(),
    leastAurocClass: new Int32Array(units).fill(-1),
    sparseness: empty(),
  };
  const rank = rankerFor(inputs);
  const ranks = new Float32Array(inputs);
  const sums = new Float64Array(width);
  for (let unit = 0; unit < units; unit++) {
    const row = values.subarray(unit * inputs, (unit + 1) * inputs);
    const { mean, squares, largest } = amountsOf(row);
    if (!(largest >= DEAD) || !Number.isFinite(squares)) {
      found.isDead[unit] = 1;
      continue;
    }
    found.magnitude[unit] = mean;
    found.sparseness[unit] = (1 - mean ** 2 / squares) / (1 - 1 / inputs);
    sums.fill(0);
    for (let i = 0; i < inputs; i++) {
      const c = labels[i] as number;
      sums[c] = (sums[c] as number) + (row[i] as number);
    }
    const profile = sums.map((sum, c) => sum / (counts[c] as number));
    found.profiles.set(profile, unit * width);
    const { peak, selectivity } = selectivityOf(profile);
    found.peak[unit] = peak;
    found.selectivity[unit] = selectivity;
    rank(row, ranks);
    const aurocs = classAurocs(ranks, labels, counts);
    const [most, least] = [bestOf(aurocs, 1), bestOf(aurocs, -1)];
    found.auroc[unit] = aurocs[most] ?? Number.NaN;
    found.aurocClass[unit] = most;
    found.leastAuroc[unit] = aurocs[least] ?? Number.NaN;
    found.leastAurocClass[unit] = least;
  }
  const largest = found.magnitude.reduce((most, value) => (value > most ? value : most), 0);
  found.relativeMagnitude.set(found.magnitude.map((value) => value / largest));
  return found;
}

/** Mean and largest absolute value and mean square; NaN among the values makes all of them NaN. */
function amountsOf(row: Float32Array): { mean: number; squares: number; largest: number } {
  let [sum, squares, largest] = [0, 0, 0];
  for (let i = 0; i < row.length; i++) {
    const size = Math.abs(row[i] as number);
    sum += size;
    squares += size * size;
    if (!(size <= largest)) largest = size;
  }
  return { mean: sum / row.length, squares: squares / row.length, largest };
}

/** Peak and selectivity of class means; of equal means the first class is the peak. */
function selectivityOf(profile: Float64Array): { peak: number; selectivity: number } {
  let [peak, sum, present] = [Number.NEGATIVE_INFINITY, 0, 0];
  for (const mean of profile) {
    if (Number.isNaN(mean)) continue;
    sum += mean;
    present++;
    if (mean > peak) peak = mean;
  }
  const others = (sum - peak) / (present - 1);
  // Of one class there are no others.
  if (present < 2) return { peak, selectivity: Number.NaN };
  return { peak, selectivity: (peak - others) / (Math.abs(peak) + Math.abs(others) + TINY) };
}

/** Where the largest (sign 1) or smallest (sign -1) value is that is a number; the first of equal ones, -1 without any. */
function bestOf(values: Float64Array, sign: 1 | -1): number {
  let best = -1;
  values.forEach((value, at) => {
    if (Number.isNaN(value)) return;
    if (best < 0 || sign * value > sign * (values[best] as number)) best = at;
  });
  return best;
}
