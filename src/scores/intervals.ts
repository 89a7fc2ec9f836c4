import type { OutcomeDetail } from "../network/outcome-details.ts";
import type { Interval } from "../statistics/bootstrap.ts";
import type { MeanBootstrap } from "./mean-bootstrap.ts";

/** What a lesion changes, with 95 % intervals over the choice of inputs. */
export interface ChangeIntervals {
  readonly lossIncrease: Interval;
  /** Of the change of the mean class accuracy. */
  readonly meanChange: Interval;
}

/**
 * Paired bootstrap intervals of lesions of the same inputs: the same draws for the intact and the lesioned network
 * and for all lesions. Without classes (a regression) accuracy has none.
 */
export async function changeIntervals(
  details: readonly OutcomeDetail[],
  labels: Int32Array,
  bootstrap: MeanBootstrap,
): Promise<ChangeIntervals[]> {
  const count = details.length;
  const increases = rowsOf(details.map(({ lossIncreases }) => lossIncreases));
  const losses = await bootstrap.intervals(increases, count);
  const hasClasses = details.some(({ isCorrectIntact }) => isCorrectIntact.length > 0);
  const changes = hasClasses
    ? await bootstrap.classIntervals(rowsOf(details.map(gainsOf)), count, labels)
    : losses.map(() => ({ low: Number.NaN, high: Number.NaN }));
  return losses.map((lossIncrease, row) => ({ lossIncrease, meanChange: changes[row] as Interval }));
}

/** Rows of equal length one behind the other. */
export function rowsOf(rows: readonly Float64Array[]): Float32Array {
  const length = rows[0]?.length ?? 0;
  const values = new Float32Array(rows.length * length);
  for (const [number, row] of rows.entries()) values.set(row, number * length);
  return values;
}

/** Change of each answer's correctness from 1 or 0, the mean over runs. */
function gainsOf({ isCorrect, isCorrectIntact }: OutcomeDetail): Float64Array {
  const answers = isCorrectIntact.length;
  const runs = isCorrect.length / answers;
  return Float64Array.from(isCorrectIntact, (intact, answer) => {
    let sum = 0;
    for (let run = 0; run < runs; run++) sum += isCorrect[run * answers + answer] as number;
    return sum / runs - intact;
  });
}
