/**
 * Adam (Kingma & Ba 2015, arXiv:1412.6980, algorithm 1), upwards.
 */

/** Moments of the gradients so far. */
export interface AdamState {
  readonly first: Float32Array;
  readonly second: Float32Array;
}

const DECAY = { first: 0.9, second: 0.999 };
const EPSILON = 1e-8;

export function startAdam(size: number): AdamState {
  return { first: new Float32Array(size), second: new Float32Array(size) };
}

/**
 * One step along the gradient, in place; `step` counts from 1. A coefficient that never had a gradient stays where it is.
 */
export function stepAdam(
  values: Float32Array,
  gradient: Float32Array,
  { first, second }: AdamState,
  step: number,
  rate: number,
): void {
  const size = rate / (1 - DECAY.first ** step);
  const unbias = 1 / (1 - DECAY.second ** step);
  for (let at = 0; at < values.length; at++) {
    const slope = gradient[at] as number;
    const mean = DECAY.first * (first[at] as number) + (1 - DECAY.first) * slope;
    const square = DECAY.second * (second[at] as number) + (1 - DECAY.second) * slope * slope;
    first[at] = mean;
    second[at] = square;
    values[at] = (values[at] as number) + (size * mean) / (Math.sqrt(square * unbias) + EPSILON);
  }
}
