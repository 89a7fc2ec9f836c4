/**
 * Bootstrap intervals of the means of very many rows over the same inputs: the sums of all rows in all draws are one matrix
 * product (draws x inputs by inputs x rows), a hundred times faster than one row after another in plain loops.
 */
import { Matmul } from "../compute/cpu/matmul.ts";
import { bootstrap, type Interval, percentileInterval } from "../statistics/bootstrap.ts";
import type { Rng } from "../statistics/rng.ts";

/** Draws of the bootstrap (populations note, FP-2). */
export const DRAWS = 1000;

/** Floats of draws that are kept at once: 64 MB. */
const MOST_COUNTS = 1 << 24;

/** Intervals of rows of one number per input; all rows of all calls see the same draws. */
export interface MeanBootstrap {
  /** 95 % intervals of the means of `count` rows (count x inputs, row-major); the rows are left centred. */
  intervals(rows: Float32Array, count: number): Promise<Interval[]>;
  dispose(): Promise<void>;
}

/** `stream` gives the stream of the draws from its beginning each time it is called. */
export function openMeanBootstrap(inputs: number, stream: () => Rng): MeanBootstrap {
  const matmul = new Matmul();
  const drawsAtOnce = Math.max(1, Math.min(DRAWS, Math.floor(MOST_COUNTS / inputs)));
  let kept: Float32Array | null = null;

  /** Draws as counts of inputs, draws x inputs, some at a time. */
  function* countsInBlocks(): Generator<{ readonly counts: Float32Array; readonly draws: number }> {
    if (kept !== null) return yield { counts: kept, draws: DRAWS };
    const random = stream();
    for (let first = 0; first < DRAWS; first += drawsAtOnce) {
      const draws = Math.min(drawsAtOnce, DRAWS - first);
      const counts = new Float32Array(draws * inputs);
      bootstrap(inputs, draws, random, (drawn, draw) => counts.set(drawn, draw * inputs));
      if (draws === DRAWS) kept = counts;
      yield { counts, draws };
    }
  }

  return {
    async intervals(rows, count) {
      // Deviations from the mean: sums of float32 products are then exact to a millionth of the deviations.
      const centres = Float64Array.from({ length: count }, (_, row) =>
        centre(rows.subarray(row * inputs, (row + 1) * inputs)),
      );
      const means = Array.from({ length: count }, () => new Float64Array(DRAWS));
      let first = 0;
      for (const { counts, draws } of countsInBlocks()) {
        const sums = new Float32Array(draws * count);
        await matmul.multiply(
          "ABt",
          { rows: draws, columns: inputs, values: counts },
          { rows: count, columns: inputs, values: rows.subarray(0, count * inputs) },
          sums,
        );
        for (let draw = 0; draw < draws; draw++) {
          for (let row = 0; row < count; row++) {
            (means[row] as Float64Array)[first + draw] =
              (centres[row] as number) + (sums[draw * count + row] as number) / inputs;
          }
        }
        first += draws;
      }
      return means.map((values) => percentileInterval(values));
    },
    dispose: () => matmul.dispose(),
  };
}

/** Takes the mean off a row, and gives it. */
function centre(row: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < row.length; i++) sum += row[i] as number;
  const mean = sum / row.length;
  for (let i = 0; i < row.length; i++) row[i] = (row[i] as number) - mean;
  return mean;
}
