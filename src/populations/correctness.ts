/** Which inputs lesioned networks get right, a bit each: all that states of inputs and their counts need, without new runs. */

/** Rows of bits over the inputs of one layer's lesions. */
export interface Correctness {
  readonly inputs: number;
  /** Bytes of a row. */
  readonly stride: number;
  /** Rows x stride; bit i % 8 of byte i >> 3 of a row is input i, 1 where the network is right. */
  readonly bits: Uint8Array;
  /** The intact network's row. */
  readonly intact: Uint8Array;
}

/** What a lesion does to one input. */
export const STATES = ["lost", "kept", "gained", "lost only jointly", "never right"] as const;
export type InputState = (typeof STATES)[number];

export function openCorrectness(rows: number, inputs: number): Correctness {
  const stride = Math.ceil(inputs / 8);
  return { inputs, stride, bits: new Uint8Array(rows * stride), intact: new Uint8Array(stride) };
}

/** A row of bits by its number. */
export function correctRow({ bits, stride }: Correctness, row: number): Uint8Array {
  return bits.subarray(row * stride, (row + 1) * stride);
}

/** Writes who is right (runs x inputs, 1 = right) as bits: an input counts as right where it is in most runs. */
export function writeBits(isCorrect: Uint8Array, inputs: number, bits: Uint8Array): void {
  const runs = isCorrect.length / inputs;
  bits.fill(0);
  for (let i = 0; i < inputs; i++) {
    let right = 0;
    for (let run = 0; run < runs; run++) right += isCorrect[run * inputs + i] as number;
    if (2 * right > runs) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7));
  }
}

/** Whether an input's bit is set. */
export function bitOf(bits: Uint8Array, input: number): 0 | 1 {
  return (((bits[input >> 3] as number) >> (input & 7)) & 1) as 0 | 1;
}

/**
 * The state of every input under a lesion, as a place in `STATES`: 0 right before and wrong after, 1 right before and after,
 * 2 wrong before and right after, 4 wrong before and after. With the rows of the lesions that it is made of, 3 is right before
 * and under each of them and wrong under all together; such inputs are then not in 0.
 */
export function statesOf(
  intact: Uint8Array,
  after: Uint8Array,
  inputs: number,
  parts: readonly Uint8Array[] = [],
): Uint8Array {
  return Uint8Array.from({ length: inputs }, (_, input) => {
    const [before, now] = [bitOf(intact, input), bitOf(after, input)];
    if (before === 0) return now === 1 ? 2 : 4;
    if (now === 1) return 1;
    return parts.length > 1 && parts.every((part) => bitOf(part, input) === 1) ? 3 : 0;
  });
}

/** How many inputs are in each state. */
export function countStates(states: Uint8Array): Int32Array {
  const counts = new Int32Array(STATES.length);
  for (const state of states) counts[state] = (counts[state] as number) + 1;
  return counts;
}
