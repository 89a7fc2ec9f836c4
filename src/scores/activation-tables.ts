/** What the activations of a layer tell about its units, computed once for all sets of them. */
import { Matmul } from "../compute/cpu/matmul.ts";
import type { InputClasses } from "./input-classes.ts";

/** A layer's units over the inputs, and what is made of them. */
export interface ActivationTables {
  readonly units: number;
  readonly inputs: number;
  /** Units x inputs, row-major: each unit brought to mean 0 and length 1; zeros where `norms` is 0. */
  readonly rows: Float32Array;
  /** Length of each unit's deviations from its mean; 0 where it does not vary, or is not finite. */
  readonly norms: Float64Array;
  /** 1 where a unit is not finite for some input. */
  readonly isUndefined: Uint8Array;
  /** Units x units: Pearson correlations; 0 with units that do not vary, their own included. */
  readonly correlations: Float32Array;
  /** Units x classes: means of `rows` over the inputs of each class, centred over the classes; null without classes. */
  readonly profiles: Float64Array | null;
  /** Of each unit the squared sums of `rows` over each class, added up and scaled back; null without classes. */
  readonly classPowers: Float64Array | null;
  readonly classes: InputClasses | null;
}

/** Makes the tables from `values`, units x inputs, which become `rows`. */
export async function activationTables(
  values: Float32Array,
  units: number,
  inputs: number,
  classes: InputClasses | null,
): Promise<ActivationTables> {
  const norms = new Float64Array(units);
  const isUndefined = new Uint8Array(units);
  for (let unit = 0; unit < units; unit++) {
    const norm = standardise(values.subarray(unit * inputs, (unit + 1) * inputs));
    norms[unit] = Number.isNaN(norm) ? 0 : norm;
    isUndefined[unit] = Number.isNaN(norm) ? 1 : 0;
  }
  const correlations = new Float32Array(units * units);
  const matmul = new Matmul();
  try {
    const factor = { rows: units, columns: inputs, values };
    await matmul.multiply("ABt", factor, factor, correlations);
  } finally {
    await matmul.dispose();
  }
  tidyCorrelations(correlations, norms, units);
  const sums = classes && classSums(values, units, inputs, classes);
  return {
    units,
    inputs,
    rows: values,
    norms,
    isUndefined,
    correlations,
    profiles: sums && classes && centredProfiles(sums, units, classes),
    classPowers: sums && classPowers(sums, units, norms),
    classes,
  };
}

/** Brings a row to mean 0 and length 1; gives its length before, 0 for one that does not vary and NaN where it is not finite. */
function standardise(row: Float32Array): number {
  const { length } = row;
  const first = row[0] as number;
  let sum = 0;
  let isConstant = true;
  for (let i = 0; i < length; i++) {
    sum += row[i] as number;
    if (row[i] !== first) isConstant = false;
  }
  const mean = sum / length;
  if (!Number.isFinite(mean) || isConstant) {
    row.fill(0);
    return Number.isFinite(mean) ? 0 : Number.NaN;
  }
  let squares = 0;
  for (let i = 0; i < length; i++) squares += ((row[i] as number) - mean) ** 2;
  const norm = Math.sqrt(squares);
  for (let i = 0; i < length; i++) row[i] = ((row[i] as number) - mean) / norm;
  return norm;
}

/** Both triangles alike, nothing beyond 1, and a diagonal of exact ones. */
function tidyCorrelations(correlations: Float32Array, norms: Float64Array, units: number): void {
  for (let u = 0; u < units; u++) {
    correlations[u * units + u] = (norms[u] as number) > 0 ? 1 : 0;
    for (let v = 0; v < u; v++) {
      const value = Math.max(-1, Math.min(1, correlations[u * units + v] as number));
      correlations[u * units + v] = value;
      correlations[v * units + u] = value;
    }
  }
}

/** Units x classes: sums over the inputs of each class. */
function classSums(
  rows: Float32Array,
  units: number,
  inputs: number,
  { labels, counts }: InputClasses,
): Float64Array {
  const classes = counts.length;
  const sums = new Float64Array(units * classes);
  for (let unit = 0; unit < units; unit++) {
    const from = unit * inputs;
    const to = unit * classes;
    for (let i = 0; i < inputs; i++) {
      const cell = to + (labels[i] as number);
      sums[cell] = (sums[cell] as number) + (rows[from + i] as number);
    }
  }
  return sums;
}

/** Class means less their mean over the classes that have inputs; 0 for classes without. */
function centredProfiles(sums: Float64Array, units: number, { counts }: InputClasses): Float64Array {
  const classes = counts.length;
  const present = counts.reduce((total, count) => total + (count > 0 ? 1 : 0), 0);
  const profiles = new Float64Array(units * classes);
  for (let unit = 0; unit < units; unit++) {
    const from = unit * classes;
    let mean = 0;
    for (let c = 0; c < classes; c++) {
      const count = counts[c] as number;
      if (count > 0) mean += (sums[from + c] as number) / count / present;
    }
    for (let c = 0; c < classes; c++) {
      const count = counts[c] as number;
      if (count > 0) profiles[from + c] = (sums[from + c] as number) / count - mean;
    }
  }
  return profiles;
}

function classPowers(sums: Float64Array, units: number, norms: Float64Array): Float64Array {
  const classes = sums.length / units;
  return norms.map((norm, unit) => {
    let power = 0;
    for (let c = 0; c < classes; c++) power += (sums[unit * classes + c] as number) ** 2;
    return norm * norm * power;
  });
}
