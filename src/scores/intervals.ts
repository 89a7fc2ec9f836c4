import type { OutcomeDetail } from "../network/outcome-details.ts";
import { type BootstrapDraws, type Interval, percentileInterval } from "../statistics/bootstrap.ts";

/** Draws of the bootstrap (method note 6.4). */
export const DRAWS = 1000;

/** What a lesion changes, with 95 % intervals over the choice of inputs. */
export interface ChangeIntervals {
  readonly lossIncrease: Interval;
  /** Of the change of the mean class accuracy. */
  readonly meanChange: Interval;
}

/**
 * Paired bootstrap intervals of lesions of the same inputs: the same draws for the intact and the lesioned network
 * and for all lesions. A draw without inputs of a class leaves that class out. Inputs with several answers are drawn
 * as a whole, since tokens of one text are not independent. Without classes (a regression) accuracy has none.
 */
export function changeIntervals(
  details: readonly OutcomeDetail[],
  labels: Int32Array,
  bootstrap: BootstrapDraws,
): ChangeIntervals[] {
  const [first] = details;
  if (first === undefined) return [];
  const inputs = first.lossIncreases.length;
  if (first.isCorrectIntact.length === 0) {
    const none = { low: Number.NaN, high: Number.NaN };
    const rows = details.map(({ lossIncreases }) => lossIncreases);
    return meanIntervals(rows, bootstrap).map((lossIncrease) => ({ lossIncrease, meanChange: none }));
  }
  const answers = labels.length / inputs;
  // By class, so that every class is a stretch.
  const order = Array.from(labels.keys()).sort(
    (a, b) => (labels[a] as number) - (labels[b] as number) || a - b,
  );
  const ends = order.flatMap((answer, i) =>
    labels[answer] === labels[order[i + 1] as number] ? [] : [i + 1],
  );
  const inputOf = Int32Array.from(order, (answer) => Math.floor(answer / answers));
  const times = new Float64Array(labels.length);
  const increases = details.map(({ lossIncreases }) => lossIncreases);
  const gains = details.map((detail) => Float64Array.from(order, (answer) => gainOf(detail, answer)));
  const losses = details.map(() => new Float64Array(bootstrap.draws));
  const changes = details.map(() => new Float64Array(bootstrap.draws));
  const sums = new Float64Array(details.length);
  const change = new Float64Array(details.length);
  bootstrap.each((counts, draw) => {
    weightedSums(counts, increases, 0, inputs, sums);
    losses.forEach((values, row) => {
      values[draw] = (sums[row] as number) / inputs;
    });
    for (let i = 0; i < times.length; i++) times[i] = counts[inputOf[i] as number] as number;
    change.fill(0);
    let classes = 0;
    let from = 0;
    for (const end of ends) {
      const total = sumOf(times, from, end);
      if (total > 0) {
        weightedSums(times, gains, from, end, sums);
        for (let row = 0; row < sums.length; row++) {
          change[row] = (change[row] as number) + (sums[row] as number) / total;
        }
        classes++;
      }
      from = end;
    }
    changes.forEach((values, row) => {
      values[draw] = (change[row] as number) / classes;
    });
  });
  return losses.map((values, row) => ({
    lossIncrease: percentileInterval(values),
    meanChange: percentileInterval(changes[row] as Float64Array),
  }));
}

/** Bootstrap intervals of the means of rows of one number per input; all rows see the same draws. */
export function meanIntervals(rows: readonly Float64Array[], bootstrap: BootstrapDraws): Interval[] {
  const inputs = rows[0]?.length ?? 0;
  const means = rows.map(() => new Float64Array(bootstrap.draws));
  const sums = new Float64Array(rows.length);
  bootstrap.each((counts, draw) => {
    weightedSums(counts, rows, 0, inputs, sums);
    means.forEach((values, row) => {
      values[draw] = (sums[row] as number) / inputs;
    });
  });
  return means.map((values) => percentileInterval(values));
}

/** Change of an answer's correctness from 1 or 0, the mean over runs. */
function gainOf({ isCorrect, isCorrectIntact }: OutcomeDetail, answer: number): number {
  const answers = isCorrectIntact.length;
  const runs = isCorrect.length / answers;
  let sum = 0;
  for (let run = 0; run < runs; run++) sum += isCorrect[run * answers + answer] as number;
  return sum / runs - (isCorrectIntact[answer] as number);
}

/**
 * Sums of each row's numbers from `from` up to `end`, every one taken as often as `times` says. Four rows together, since
 * the additions of one wait for each other.
 */
function weightedSums(
  times: Float64Array,
  rows: readonly Float64Array[],
  from: number,
  end: number,
  sums: Float64Array,
): void {
  const [none] = rows;
  if (none === undefined) return;
  for (let row = 0; row < rows.length; row += 4) {
    const first = rows[row] ?? none;
    const second = rows[row + 1] ?? none;
    const third = rows[row + 2] ?? none;
    const fourth = rows[row + 3] ?? none;
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = from; i < end; i++) {
      const count = times[i] as number;
      a += count * (first[i] as number);
      b += count * (second[i] as number);
      c += count * (third[i] as number);
      d += count * (fourth[i] as number);
    }
    // Behind the last row of `sums` there is nothing to write to.
    sums[row] = a;
    sums[row + 1] = b;
    sums[row + 2] = c;
    sums[row + 3] = d;
  }
}

function sumOf(values: Float64Array, from: number, end: number): number {
  let sum = 0;
  for (let i = from; i < end; i++) sum += values[i] as number;
  return sum;
}
