/**
 * Numbers that are the same in every JavaScript engine. The language leaves the last bits of `Math.log` and `Math.exp`
 * open, and Node and a browser do differ there: scores that are made from the records of one in the other would have
 * other bytes.
 */

/** Steps of logarithms: errors of the last bits of those of probabilities are far smaller, and so is the loss. */
const STEPS = 2 ** 40;

/** Natural logarithm, rounded to multiples of 2^-40. */
export function portableLog(value: number): number {
  return Math.round(Math.log(value) * STEPS) / STEPS;
}

/** A number rounded to 12 significant digits. */
export function portable(value: number): number {
  return Number(value.toPrecision(12));
}
