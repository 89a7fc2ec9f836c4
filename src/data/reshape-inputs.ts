import { BrodmannError } from "../errors.ts";
import type { Dataset } from "./parse-dataset.ts";
import { transposedBatches } from "./stored-inputs.ts";

/**
 * The same inputs in the per-input shape that a network reads. Allowed: the same shape but for axes of length 1,
 * flattening, one plane unfolded from a flat input, and images moved between (height, width, channel) and
 * (channel, height, width) where the sizes fit that way only.
 * Throws `E_INPUT_SHAPE` otherwise: values would have to be guessed.
 *
 * @example
 * const digits = reshapeInputs(await loadDataset("t10k-images-idx3-ubyte.gz"), [1, 28, 28]);
 */
export function reshapeInputs(dataset: Dataset, inputShape: readonly number[]): Dataset {
  const found = withoutUnits(dataset.inputShape);
  const wanted = withoutUnits(inputShape);
  const shape = [...inputShape];
  const isSameSize = product(found) === product(wanted);
  const isFlat = wanted.length <= 1 || (found.length <= 1 && wanted.length === 2);
  if (isSame(found, wanted) || (isSameSize && isFlat)) return { ...dataset, inputShape: shape };

  const [a, b, c] = found;
  const turned = (rows: number, columns: number): Dataset => ({
    ...dataset,
    inputShape: shape,
    batch: transposedBatches(dataset.batch, rows, columns),
  });
  if (found.length === 3 && isSame([c, a, b], wanted)) return turned(product([a, b]), c as number);
  if (found.length === 3 && isSame([b, c, a], wanted)) return turned(a as number, product([b, c]));
  throw new BrodmannError(
    "E_INPUT_SHAPE",
    `${dataset.source.path}: found inputs of shape (${dataset.inputShape.join(", ")}), expected (${inputShape.join(", ")})`,
    { hint: "Pass data in the shape that the network was trained on; `brodmann inspect MODEL` prints it." },
  );
}

function withoutUnits(shape: readonly number[]): number[] {
  return shape.filter((length) => length !== 1);
}

function product(shape: readonly (number | undefined)[]): number {
  return shape.reduce<number>((total, length) => total * (length ?? 1), 1);
}

function isSame(a: readonly (number | undefined)[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}
