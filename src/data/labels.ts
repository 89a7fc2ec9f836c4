import { BrodmannError } from "../errors.ts";
import type { NpyArray } from "./npy.ts";

/** What the inputs are to be answered with. */
export interface Answers {
  /** Class numbers, inputs x answers, row-major; empty where the array holds other numbers. */
  readonly labels: Int32Array;
  /** The numbers as they are, for a regression, where they are stored as floats; null where they are integers. */
  readonly targets: Float32Array | null;
  /** Answers of one input: 1, or its tokens or outputs. */
  readonly perInput: number;
}

/**
 * Answers from an array of shape (N), (N, 1) or (N, answers). Integers of any kind are class numbers (or tokens);
 * floats are numbers to be predicted, and class numbers as well where all of (N) or (N, 1) are whole and not below 0.
 * Throws `E_INPUT_LABELS` for other shapes, for negative integers and for floats that are not finite.
 */
export function readAnswers(array: NpyArray, where: string): Answers {
  const { shape, values, dtype } = array;
  const [count = 0, perInput = 1, ...others] = shape;
  if (shape.length === 0 || others.length > 0 || dtype === "bytes" || dtype === "unicode") {
    throw new BrodmannError(
      "E_INPUT_LABELS",
      `${where}: found ${dtype} labels of shape (${shape.join(", ")}), expected numbers of shape (N) or (N, answers)`,
      { hint: "Give one class number per input, one token per position, or the numbers to be predicted." },
    );
  }
  const isFloat = dtype.startsWith("float");
  const numbers = Float64Array.from({ length: count * perInput }, (_, at) => Number(values[at]));
  const labels = Int32Array.from(numbers);
  const stray = labels.findIndex((label, at) => label !== numbers[at] || label < 0);
  const wrong = isFloat ? numbers.findIndex((value) => !Number.isFinite(value)) : stray;
  if (wrong >= 0) {
    throw new BrodmannError(
      "E_INPUT_LABELS",
      `${where}: found label ${numbers[wrong]} at input ${Math.floor(wrong / perInput)}, expected ${isFloat ? "finite numbers" : "whole numbers from 0"}`,
      {
        hint: "Number the classes 0, 1, 2, ... and leave unlabelled inputs out; store values of a regression as floats.",
      },
    );
  }
  if (!isFloat) return { labels, targets: null, perInput };
  const isClasses = stray < 0 && perInput === 1;
  return { labels: isClasses ? labels : new Int32Array(), targets: Float32Array.from(numbers), perInput };
}
