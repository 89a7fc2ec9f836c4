/**
 * Downstream coherence: do units push the logits alike? Directions are the columns of the logit Jacobian (measures note,
 * C4, after Lange et al. 2022).
 */
import { BrodmannError } from "../errors.ts";
import { logitJacobian } from "../network/logit-jacobian.ts";
import type { Layer, Network } from "../network/network.ts";
import type { InputSource } from "../network/outcomes.ts";
import { taskOf } from "../network/task.ts";
import type { RunOptions } from "../progress.ts";
import { type Directions, directionsOf } from "./cosines.ts";
import { REASONS } from "./visual-coherence.ts";

/** Inputs that a Jacobian is averaged over at the most and at the least, and backward passes (inputs x logits) between. */
const MOST_INPUTS = 256;
const LEAST_INPUTS = 16;
const MOST_PASSES = 1 << 15;

/** Inputs that the Jacobians of a network are averaged over, of `count`. */
export function jacobianInputs(network: Network, count: number): number {
  const affordable = Math.floor(MOST_PASSES / taskOf(network).width);
  return Math.min(count, MOST_INPUTS, Math.max(LEAST_INPUTS, affordable));
}

/** So many of the inputs, evenly spread over all of them: files are often sorted by class. */
export function spreadInputs(data: InputSource, wanted: number): InputSource {
  const count = Math.min(wanted, data.count);
  if (count === data.count) return data;
  return {
    count,
    batch(start, rows) {
      const picked = Array.from({ length: rows }, (_, row) =>
        data.batch(Math.floor(((start + row) * data.count) / count), 1),
      );
      const size = picked[0]?.length ?? 0;
      const values = new Float32Array(rows * size);
      for (const [row, input] of picked.entries()) values.set(input, row * size);
      return values;
    },
  };
}

/** The columns of a layer's Jacobian as directions, or why there are none. */
export async function downstreamDirections(
  network: Network,
  layer: Layer,
  data: InputSource,
  options: RunOptions,
): Promise<{ readonly directions: Directions | null; readonly reason: string | null }> {
  try {
    const { classes, units, values } = await logitJacobian(network, layer, data, options);
    const columns = new Float64Array(units * classes);
    for (let c = 0; c < classes; c++) {
      for (let u = 0; u < units; u++) columns[u * classes + c] = values[c * units + u] as number;
    }
    return { directions: directionsOf(columns, units), reason: null };
  } catch (error) {
    if (!(error instanceof BrodmannError) || !REASONS.includes(error.code)) throw error;
    return { directions: null, reason: error.message };
  }
}
