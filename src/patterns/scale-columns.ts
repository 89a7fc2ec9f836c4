import type { LayerActivations } from "../network/record-activations.ts";

/**
 * What recorded columns are divided by: `abs-max` each unit's largest absolute value, `z-score` its standard deviation
 * after its mean is taken off, `layer` the largest absolute value of all units together.
 */
export type ColumnScale = "abs-max" | "z-score" | "layer";

/** How recorded columns are brought to one scale: (value - centre) * factor, of each column. */
export interface ColumnScaling {
  readonly centre: Float64Array;
  readonly factor: Float64Array;
  /** 1 where a column has the same value for all inputs. */
  readonly isConstant: Uint8Array;
}

/** Below this share of the layer's largest value a unit is silent but for float32's rounding. */
const SILENT = 1e-7;

/**
 * Columns on one footing (method note, section 8). What is divided by is told apart by statistic, so that means and
 * standard deviations are commensurate (section 7, defects 2 and 3), and shared by all positions of a unit.
 * A unit that is silent throughout becomes 0, as does one that does not vary under `z-score`.
 *
 * @example
 * const recorded = await recordActivations(network, layer, digits, "mean");
 * const values = scaleColumns(recorded.values, columnScaling(recorded, "abs-max"));
 */
export function columnScaling(activations: LayerActivations, scale: ColumnScale): ColumnScaling {
  const { inputs, columns, values } = activations;
  const group = columnGroups(activations, scale);
  const groups = group.reduce((most, id) => Math.max(most, id + 1), 0);
  const peak = new Float64Array(groups);
  const sum = new Float64Array(groups);
  const members = new Float64Array(groups);
  const isConstant = new Uint8Array(columns).fill(1);
  for (const id of group) members[id] = (members[id] as number) + inputs;
  for (let input = 0; input < inputs; input++) {
    for (let column = 0; column < columns; column++) {
      const value = values[input * columns + column] as number;
      const id = group[column] as number;
      peak[id] = Math.max(peak[id] as number, Math.abs(value));
      sum[id] = (sum[id] as number) + value;
      if (value !== values[column]) isConstant[column] = 0;
    }
  }
  const largest = peak.reduce((most, value) => Math.max(most, value), 0);
  const centre = new Float64Array(groups);
  let divisor = peak;
  if (scale === "z-score") {
    centre.set(sum.map((total, id) => total / (members[id] as number)));
    divisor = new Float64Array(groups);
    for (let at = 0; at < values.length; at++) {
      const id = group[at % columns] as number;
      divisor[id] = (divisor[id] as number) + ((values[at] as number) - (centre[id] as number)) ** 2;
    }
    divisor.forEach((squares, id) => {
      const deviation = Math.sqrt(squares / (members[id] as number));
      // What is left of a constant after its mean is rounding.
      divisor[id] = deviation > SILENT * (peak[id] as number) ? deviation : 0;
    });
  }
  const factor = divisor.map((value, id) =>
    value > 0 && (peak[id] as number) > SILENT * largest ? 1 / value : 0,
  );
  const ofColumns = (ofGroups: Float64Array) =>
    Float64Array.from({ length: columns }, (_, column) => ofGroups[group[column] as number] as number);
  return { centre: ofColumns(centre), factor: ofColumns(factor), isConstant };
}

/** Rows of recorded columns, scaled. */
export function scaleColumns(values: Float32Array, { centre, factor }: ColumnScaling): Float32Array {
  const columns = factor.length;
  const scaled = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += columns) {
    for (let column = 0; column < columns; column++) {
      const value = values[start + column] as number;
      scaled[start + column] = (value - (centre[column] as number)) * (factor[column] as number);
    }
  }
  return scaled;
}

/** Number of what each column is scaled with: a unit and statistic, or for the whole layer a statistic. */
function columnGroups(
  { columns, columnUnit, columnStatistic }: LayerActivations,
  scale: ColumnScale,
): Int32Array {
  const ids = new Map<string, number>();
  return Int32Array.from({ length: columns }, (_, column) => {
    const key = `${scale === "layer" ? "" : columnUnit[column]} ${columnStatistic[column]}`;
    const id = ids.get(key) ?? ids.size;
    ids.set(key, id);
    return id;
  });
}

/** The given columns of some rows, in their order. */
export function takeColumns(
  values: Float32Array,
  columns: number,
  taken: ArrayLike<number>,
  rows: ArrayLike<number>,
): Float32Array {
  const made = new Float32Array(rows.length * taken.length);
  for (let row = 0; row < rows.length; row++) {
    const from = (rows[row] as number) * columns;
    const to = row * taken.length;
    for (let at = 0; at < taken.length; at++) made[to + at] = values[from + (taken[at] as number)] as number;
  }
  return made;
}

/** Some rows, in their order. */
export function takeRows(values: Float32Array, columns: number, rows: ArrayLike<number>): Float32Array {
  const made = new Float32Array(rows.length * columns);
  for (let row = 0; row < rows.length; row++) {
    const from = (rows[row] as number) * columns;
    made.set(values.subarray(from, from + columns), row * columns);
  }
  return made;
}
