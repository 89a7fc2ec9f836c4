/**
 * Coherence of sets of units by what they do over the inputs (measures note, C1, C2, C7, C8). All values come from tables
 * that are computed once for the layer, so that the hundreds of random sets of a subcluster are cheap: a set of s units
 * costs s^2 table entries and s passes over one row of inputs, silhouettes one row of correlations a unit.
 */
import { rankerFor } from "../compute/cpu/ranks.ts";
import type { RunOptions } from "../progress.ts";
import { classAurocs } from "../statistics/auroc.ts";
import type { ActivationTables } from "./activation-tables.ts";
import {
  type CoherenceName,
  type CoherenceValues,
  type MeasureFamily,
  roundedValue,
} from "./coherence-measures.ts";
import { evaluateEach } from "./evaluate-each.ts";
import type { InputClasses } from "./input-classes.ts";
import { makeLeadingComponent } from "./leading-component.ts";
import type { Protocol } from "./nulls.ts";
import { silhouettesOf } from "./silhouettes.ts";
import type { LayerSubclusters } from "./subclusters.ts";

/** Inputs that are looked at for what drives a set. */
export const TOP_INPUTS = 10;

const NAMES: readonly CoherenceName[] = [
  "meanCorrelation",
  "leadingShare",
  "silhouette",
  "classAuroc",
  "labelCka",
  "purity",
];

/** What a set of units does over the inputs. */
export interface ActivationCoherence {
  readonly meanCorrelation: number;
  readonly leadingShare: number;
  /** By class: AUROC of the first component for its inputs against all others; empty without classes. */
  readonly classAurocs: Float64Array;
  readonly classAuroc: number;
  readonly labelCka: number;
  readonly purity: number;
  /** The inputs with the largest mean standardised activation of the units, from the largest on, and that mean. */
  readonly topInputs: Int32Array;
  readonly topValues: Float64Array;
}

/** A function that describes sets of up to `largest` units of a layer. */
export function activationCoherence(
  tables: ActivationTables,
  largest: number,
): (set: Int32Array) => ActivationCoherence {
  const { units, inputs, rows, norms, correlations, classes, classPowers } = tables;
  const leading = makeLeadingComponent(largest);
  const labelPower = classes === null ? Number.NaN : labelGram(classes);
  const matrix = new Float64Array(largest * largest);
  const vector = new Float64Array(largest);
  const component = new Float64Array(inputs);
  const drive = new Float64Array(inputs);
  const values = new Float32Array(inputs);
  const rank = rankerFor(inputs);
  return (set) => {
    const size = set.length;
    let varying = 0;
    for (let i = 0; i < size; i++) if ((norms[set[i] as number] as number) > 0) varying++;
    const pairSum = gather(correlations, units, set, matrix);
    const topInputs = new Int32Array(varying > 0 ? Math.min(TOP_INPUTS, inputs) : 0);
    const topValues = new Float64Array(topInputs.length);
    let leadingShare = Number.NaN;
    let aurocs: Float64Array = new Float64Array();
    let classAuroc = Number.NaN;
    let purity = Number.NaN;
    if (varying > 0) {
      leadingShare = leading(matrix, size, vector) / size;
      project(rows, inputs, set, vector, component, drive);
      listLargest(drive, topInputs, topValues);
      // Of unit rows of length 1 over the inputs to standard deviation 1.
      for (let i = 0; i < topValues.length; i++) {
        topValues[i] = ((topValues[i] as number) * Math.sqrt(inputs)) / varying;
      }
      if (classes !== null) {
        values.set(component);
        rank(values, values);
        aurocs = classAurocs(values, classes.labels, classes.counts);
        classAuroc = bestAuroc(aurocs);
        purity = purityOf(topInputs, classes);
      }
    }
    return {
      meanCorrelation: varying < 2 ? Number.NaN : pairSum / ((size * (size - 1)) / 2),
      leadingShare: varying < 2 ? Number.NaN : leadingShare,
      classAurocs: aurocs,
      classAuroc,
      labelCka:
        classPowers === null || varying === 0
          ? Number.NaN
          : sumOf(classPowers, set) / (Math.sqrt(gramPower(matrix, norms, set)) * labelPower),
      purity,
      topInputs,
      topValues,
    };
  };
}

/** The family of these measures for one layer. */
export function activationFamily(
  tables: ActivationTables,
  layer: LayerSubclusters,
  protocol: Protocol,
): MeasureFamily {
  const describe = activationCoherence(tables, Math.max(...layer.tested.map(({ units }) => units.length)));
  return {
    names: NAMES,
    evaluate: (sets: readonly Int32Array[], options: RunOptions) => {
      const silhouettes = silhouettesOf(tables, layer, sets, protocol);
      return evaluateEach(
        sets,
        (set, number): CoherenceValues => {
          const found = describe(set);
          return {
            meanCorrelation: roundedValue(found.meanCorrelation),
            leadingShare: roundedValue(found.leadingShare),
            silhouette: roundedValue(silhouettes(number)),
            classAuroc: roundedValue(found.classAuroc),
            labelCka: roundedValue(found.labelCka),
            purity: roundedValue(found.purity),
          };
        },
        options,
      );
    },
  };
}

/** Copies the set's correlations (size x size) and adds up their absolute values over its pairs. */
function gather(correlations: Float32Array, units: number, set: Int32Array, matrix: Float64Array): number {
  const size = set.length;
  let sum = 0;
  for (let i = 0; i < size; i++) {
    const from = (set[i] as number) * units;
    matrix[i * size + i] = correlations[from + (set[i] as number)] as number;
    for (let j = 0; j < i; j++) {
      const value = correlations[from + (set[j] as number)] as number;
      matrix[i * size + j] = value;
      matrix[j * size + i] = value;
      sum += Math.abs(value);
    }
  }
  return sum;
}

/** The inputs' coordinates along the component `vector` of the set, and the sums of its units. */
function project(
  rows: Float32Array,
  inputs: number,
  set: Int32Array,
  vector: Float64Array,
  component: Float64Array,
  drive: Float64Array,
): void {
  component.fill(0);
  drive.fill(0);
  for (let i = 0; i < set.length; i++) {
    const from = (set[i] as number) * inputs;
    const weight = vector[i] as number;
    for (let input = 0; input < inputs; input++) {
      const value = rows[from + input] as number;
      component[input] = (component[input] as number) + weight * value;
      drive[input] = (drive[input] as number) + value;
    }
  }
}

/** The largest values, as many as `values` holds, and where they are; of equal ones the first. */
function listLargest(all: Float64Array, indices: Int32Array, values: Float64Array): void {
  const wanted = values.length;
  let count = 0;
  for (let i = 0; i < all.length; i++) {
    const value = all[i] as number;
    if (count === wanted && !(value > (values[wanted - 1] as number))) continue;
    let at = count < wanted ? count++ : wanted - 1;
    for (; at > 0 && value > (values[at - 1] as number); at--) {
      values[at] = values[at - 1] as number;
      indices[at] = indices[at - 1] as number;
    }
    values[at] = value;
    indices[at] = i;
  }
}

/** The largest, or 1 less the smallest: a component has no sign, and a class may have the least of it. */
function bestAuroc(aurocs: Float64Array): number {
  let best = Number.NaN;
  for (const auroc of aurocs) {
    const clear = Math.max(auroc, 1 - auroc);
    if (!(clear <= best) && !Number.isNaN(clear)) best = clear;
  }
  return best;
}

/** Share of the commonest label among some inputs. */
function purityOf(some: Int32Array, { labels }: InputClasses): number {
  const times = new Map<number, number>();
  let most = 0;
  for (const input of some) {
    const label = labels[input] as number;
    const count = (times.get(label) ?? 0) + 1;
    times.set(label, count);
    if (count > most) most = count;
  }
  return most / some.length;
}

/** Frobenius norm of the centred Gram matrix of one-hot labels, Y'Y = diag(n) - n n' / N. */
function labelGram({ labels, counts }: InputClasses): number {
  let squares = 0;
  for (let a = 0; a < counts.length; a++) {
    for (let b = 0; b < counts.length; b++) {
      const product = ((counts[a] as number) * (counts[b] as number)) / labels.length;
      squares += ((a === b ? (counts[a] as number) : 0) - product) ** 2;
    }
  }
  return Math.sqrt(squares);
}

/** Squared Frobenius norm of X'X of the set's centred activations, from their correlations. */
export function gramPower(matrix: Float64Array, norms: Float64Array, set: Int32Array): number {
  const size = set.length;
  let sum = 0;
  for (let i = 0; i < size; i++) {
    const own = (norms[set[i] as number] as number) ** 2;
    for (let j = 0; j < size; j++) {
      sum += (matrix[i * size + j] as number) ** 2 * own * (norms[set[j] as number] as number) ** 2;
    }
  }
  return sum;
}

function sumOf(values: Float64Array, set: Int32Array): number {
  let sum = 0;
  for (let i = 0; i < set.length; i++) sum += values[set[i] as number] as number;
  return sum;
}
