import { BrodmannError } from "../errors.ts";
import type { NpyArray } from "./npy.ts";

/**
 * Class labels from an array of integers of any kind, or of floats that are integers.
 * The shape may be (N), or (N, 1) as some exporters write it.
 * Throws `E_INPUT_LABELS` for other shapes and for values that are no class number.
 */
export function readLabels(array: NpyArray, where: string): Int32Array {
  const { shape, values, dtype } = array;
  const count = shape[0] ?? 0;
  if (shape.length === 0 || values.length !== count || dtype === "bytes" || dtype === "unicode") {
    throw new BrodmannError(
      "E_INPUT_LABELS",
      `${where}: found ${dtype} labels of shape (${shape.join(", ")}), expected one class number per input`,
      { hint: "Turn one-hot rows into class numbers with argmax(axis=1), and names into numbers." },
    );
  }
  const labels = new Int32Array(count);
  for (let at = 0; at < count; at++) {
    const label = Number(values[at]);
    labels[at] = label;
    if (labels[at] !== label || label < 0) {
      throw new BrodmannError(
        "E_INPUT_LABELS",
        `${where}: found label ${label} at input ${at}, expected whole numbers from 0`,
        { hint: "Number the classes 0, 1, 2, ... and leave unlabelled inputs out." },
      );
    }
  }
  return labels;
}
