import { kernelOf, type Layer, type Network } from "../network/network.ts";
import type { InputSource } from "../network/outcomes.ts";
import { recordUnits } from "../network/record.ts";

/**
 * What random sets share with their subcluster beside layer and size (measures note, I2): nothing more, the mean
 * absolute weight that the units read with, or their mean absolute output over the inputs.
 */
export type Match = "size" | "norm" | "activation";

/** Bins of a large layer, and the least units of a bin: fewer leave too few ways to draw from it. */
const MOST_BINS = 10;
const LEAST_UNITS = 6;

/** The eligible units of a layer in bins of alike units. */
export async function matchBins(
  match: Match,
  network: Network,
  layer: Layer,
  eligible: Int32Array,
  data: InputSource,
): Promise<readonly Int32Array[]> {
  if (match === "size") return [eligible];
  const amounts =
    match === "norm" ? weightAmounts(network, layer) : await outputAmounts(network, layer, data);
  return quantileBins(eligible, amounts);
}

/** Units by the quantile of their amount, ties by number; bins differ by one unit at the most. */
export function quantileBins(eligible: Int32Array, amounts: Float64Array): readonly Int32Array[] {
  const order = Array.from(eligible).sort((a, b) => (amounts[a] as number) - (amounts[b] as number) || a - b);
  const count = Math.max(1, Math.min(MOST_BINS, Math.floor(order.length / LEAST_UNITS)));
  const edge = (bin: number) => Math.round((bin * order.length) / count);
  return Array.from({ length: count }, (_, bin) =>
    Int32Array.from(order.slice(edge(bin), edge(bin + 1))).sort(),
  );
}

/** Mean absolute weight of each unit's kernel. */
function weightAmounts(network: Network, layer: Layer): Float64Array {
  const { values } = kernelOf(network, layer);
  return meanMagnitudes(values, layer.units);
}

/** Mean over inputs of each unit's absolute output (of a map: of the sum of its absolute values). */
async function outputAmounts(network: Network, layer: Layer, data: InputSource): Promise<Float64Array> {
  const { values } = await recordUnits(network, [layer], data, "output");
  return meanMagnitudes(values, layer.units);
}

/** Mean absolute value of each of `rows` rows. */
function meanMagnitudes(values: Float32Array, rows: number): Float64Array {
  const size = values.length / rows;
  const means = new Float64Array(rows);
  values.forEach((value, at) => {
    const row = Math.floor(at / size);
    means[row] = (means[row] as number) + Math.abs(value) / size;
  });
  return means;
}
