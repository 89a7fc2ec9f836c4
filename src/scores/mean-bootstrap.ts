/**
 * Bootstrap intervals of the means of very many rows over the same inputs: the sums of all rows in all draws are one matrix
 * product (draws x inputs by inputs x rows), a hundred times faster than one row after another in plain loops.
 */
import { Matmul } from "../compute/cpu/matmul.ts";
import { batchesOf } from "../network/batching.ts";
import { bootstrap, type Interval, percentileInterval } from "../statistics/bootstrap.ts";
import type { Rng } from "../statistics/rng.ts";

/** Draws of the bootstrap (populations note, FP-2). */
export const DRAWS = 1000;

/** Floats of draws that are kept at once: 64 MB. */
const MOST_COUNTS = 1 << 24;

/** Floats of a class's part of the draws at once: 16 MB. */
const MOST_CLASS_COUNTS = 1 << 22;

/** 95 % intervals of rows of numbers of the same inputs; all rows of all calls see the same draws. */
export interface MeanBootstrap {
  /** Of the means of `count` rows of one number per input (count x inputs, row-major); the rows are left centred. */
  intervals(rows: Float32Array, count: number): Promise<Interval[]>;
  /**
   * Of the means over classes of the class means of `count` rows of one number per answer (count x answers), given the
   * answers' classes. Inputs with several answers are drawn as a whole, since tokens of one text are not independent. A
   * draw without a class leaves it out.
   */
  classIntervals(rows: Float32Array, count: number, classes: Int32Array): Promise<Interval[]>;
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
    async classIntervals(rows, count, classes) {
      const groups = groupByClass(rows, count, classes, classes.length / inputs);
      const means = Array.from({ length: count }, () => new Float64Array(DRAWS));
      const present = new Int32Array(DRAWS);
      let first = 0;
      for (const { counts, draws } of countsInBlocks()) {
        for (const { sources, values } of groups) {
          const step = Math.max(1, Math.floor(MOST_CLASS_COUNTS / sources.length));
          for (const { start, rows: some } of batchesOf(draws, step)) {
            const drawn = countsOf(counts.subarray(start * inputs, (start + some) * inputs), inputs, sources);
            const sums = new Float32Array(some * count);
            await matmul.multiply(
              "ABt",
              { rows: some, columns: sources.length, values: drawn.counts },
              { rows: count, columns: sources.length, values },
              sums,
            );
            for (let draw = 0; draw < some; draw++) {
              const total = drawn.totals[draw] as number;
              if (total === 0) continue;
              const at = first + start + draw;
              present[at] = (present[at] as number) + 1;
              means.forEach((own, row) => {
                own[at] = (own[at] as number) + (sums[draw * count + row] as number) / total;
              });
            }
          }
        }
        first += draws;
      }
      return means.map((values) =>
        percentileInterval(values.map((sum, draw) => sum / (present[draw] as number))),
      );
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

/** The answers of one class. */
interface ClassRows {
  /** The input that each belongs to. */
  readonly sources: Int32Array;
  /** Their part of the rows, count x answers of the class. */
  readonly values: Float32Array;
}

function groupByClass(rows: Float32Array, count: number, classes: Int32Array, answers: number): ClassRows[] {
  const byClass = new Map<number, number[]>();
  classes.forEach((name, answer) => {
    const members = byClass.get(name);
    if (members === undefined) byClass.set(name, [answer]);
    else members.push(answer);
  });
  return [...byClass.values()].map((members) => {
    const values = new Float32Array(count * members.length);
    for (let row = 0; row < count; row++) {
      members.forEach((answer, i) => {
        values[row * members.length + i] = rows[row * classes.length + answer] as number;
      });
    }
    return { sources: Int32Array.from(members, (answer) => Math.floor(answer / answers)), values };
  });
}

/** How often each draw (a row of `counts`) holds each of the sources, and all of them together. */
function countsOf(
  counts: Float32Array,
  inputs: number,
  sources: Int32Array,
): { readonly counts: Float32Array; readonly totals: Float64Array } {
  const draws = counts.length / inputs;
  const width = sources.length;
  const own = new Float32Array(draws * width);
  const totals = new Float64Array(draws);
  for (let draw = 0; draw < draws; draw++) {
    let total = 0;
    for (let i = 0; i < width; i++) {
      const times = counts[draw * inputs + (sources[i] as number)] as number;
      own[draw * width + i] = times;
      total += times;
    }
    totals[draw] = total;
  }
  return { counts: own, totals };
}
