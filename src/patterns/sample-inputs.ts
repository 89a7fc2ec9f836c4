import type { InputSource } from "../network/outcomes.ts";
import { rng } from "../statistics/rng.ts";

/** Inputs that patterns are made of. */
export interface InputSample {
  /** Numbers in the data, ascending. */
  readonly inputs: Int32Array;
  /** Rows (places in `inputs`) in an order whose every beginning holds as many of each class as it can. */
  readonly order: Int32Array;
}

/**
 * A seeded sample of `size` inputs with as many of each class as there are (method note, section 7, defect 9); without
 * labels, of all alike. Smaller samples of the same seed are contained in larger ones.
 *
 * @example
 * const { inputs } = sampleInputs(digits.count, digits.labels, 2000, 0);
 */
export function sampleInputs(
  count: number,
  labels: Int32Array | null,
  size: number,
  seed: number,
): InputSample {
  const members = new Map<number, number[]>();
  for (let input = 0; input < count; input++) {
    const label = labels?.[input] ?? 0;
    const list = members.get(label);
    if (list) list.push(input);
    else members.set(label, [input]);
  }
  const classes = [...members.keys()].sort((a, b) => a - b);
  const shuffled = classes.map((label) =>
    rng(seed, "pattern sample", label).shuffle(members.get(label) ?? []),
  );
  // No class is the first of every round.
  rng(seed, "pattern sample").shuffle(shuffled);
  const nested: number[] = [];
  for (let round = 0; nested.length < size && nested.length < count; round++) {
    for (const list of shuffled) {
      const input = list[round];
      if (input !== undefined && nested.length < size) nested.push(input);
    }
  }
  const inputs = Int32Array.from(nested).sort();
  const rowOf = new Map(Array.from(inputs, (input, row) => [input, row] as const));
  return { inputs, order: Int32Array.from(nested, (input) => rowOf.get(input) as number) };
}

/** The rows of the sample of `size` inputs inside the sample, ascending. */
export function nestedRows({ order }: InputSample, size: number): Int32Array {
  return order.slice(0, size).sort();
}

/** The given inputs of a source, as a source. */
export function pickInputs(data: InputSource, inputs: ArrayLike<number>): InputSource {
  const isAll = inputs.length === data.count && Array.from(inputs).every((input, row) => input === row);
  if (isAll) return data;
  const batch = (start: number, count: number): Float32Array => {
    const parts = Array.from({ length: count }, (_, row) => data.batch(inputs[start + row] as number, 1));
    const size = parts[0]?.length ?? 0;
    const made = new Float32Array(count * size);
    for (const [row, part] of parts.entries()) made.set(part, row * size);
    return made;
  };
  return { count: inputs.length, batch };
}

/** A source with Gaussian noise of standard deviation `sigma` on every number; an input gets the same each time. */
export function noisyInputs(data: InputSource, sigma: number, seed: number): InputSource {
  const batch = (start: number, count: number): Float32Array => {
    const values = data.batch(start, count).slice();
    const size = values.length / Math.max(1, count);
    for (let row = 0; row < count; row++) {
      const random = rng(seed, "pattern noise", start + row);
      for (let at = row * size; at < (row + 1) * size; at++) {
        values[at] = (values[at] as number) + sigma * random.normal();
      }
    }
    return values;
  };
  return { count: data.count, batch };
}

/** Inputs that are read at once where only their numbers are looked at. */
const ROWS = 64;

/** Standard deviation of all numbers of the inputs. */
export function inputDeviation(data: InputSource): number {
  let [count, sum, squares] = [0, 0, 0];
  for (let start = 0; start < data.count; start += ROWS) {
    for (const value of data.batch(start, Math.min(ROWS, data.count - start))) {
      count++;
      sum += value;
      squares += value * value;
    }
  }
  return Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2));
}
