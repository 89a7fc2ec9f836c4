import type { OutcomeDetail } from "../network/outcome-details.ts";
import { bootstrap, type Interval, percentileInterval } from "../statistics/bootstrap.ts";
import type { Rng } from "../statistics/rng.ts";

/** Draws of the bootstrap (method note 6.4). */
const DRAWS = 1000;

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
  rng: Rng,
): ChangeIntervals[] {
  const [first] = details;
  if (first === undefined) return [];
  const inputs = first.lossIncreases.length;
  if (first.isCorrectIntact.length === 0) {
    const none = { low: Number.NaN, high: Number.NaN };
    const rows = details.map(({ lossIncreases }) => lossIncreases);
    return meanIntervals(rows, rng).map((lossIncrease) => ({ lossIncrease, meanChange: none }));
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
  const rows = details.map((detail) => ({
    increases: detail.lossIncreases,
    gains: Float64Array.from(order, (answer) => gainOf(detail, answer)),
    losses: new Float64Array(DRAWS),
    changes: new Float64Array(DRAWS),
  }));
  bootstrap(inputs, DRAWS, rng, (counts, draw) => {
    for (let i = 0; i < times.length; i++) times[i] = counts[inputOf[i] as number] as number;
    for (const { increases, gains, losses, changes } of rows) {
      let loss = 0;
      for (let input = 0; input < inputs; input++) {
        loss += (counts[input] as number) * (increases[input] as number);
      }
      let change = 0;
      let classes = 0;
      let from = 0;
      for (const end of ends) {
        let gain = 0;
        let total = 0;
        for (let i = from; i < end; i++) {
          const count = times[i] as number;
          total += count;
          gain += count * (gains[i] as number);
        }
        if (total > 0) {
          change += gain / total;
          classes++;
        }
        from = end;
      }
      losses[draw] = loss / inputs;
      changes[draw] = change / classes;
    }
  });
  return rows.map(({ losses, changes }) => ({
    lossIncrease: percentileInterval(losses),
    meanChange: percentileInterval(changes),
  }));
}

/** Bootstrap intervals of the means of rows of one number per input; all rows see the same draws. */
export function meanIntervals(rows: readonly Float64Array[], rng: Rng): Interval[] {
  const inputs = rows[0]?.length ?? 0;
  const means = rows.map(() => new Float64Array(DRAWS));
  bootstrap(inputs, DRAWS, rng, (counts, draw) => {
    rows.forEach((values, row) => {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += (counts[i] as number) * (values[i] as number);
      (means[row] as Float64Array)[draw] = sum / inputs;
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
