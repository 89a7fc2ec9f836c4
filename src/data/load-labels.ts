import { BrodmannError } from "../errors.ts";
import { readAnswers } from "./labels.ts";
import { isNpy, parseNpy } from "./npy.ts";
import { readBytes } from "./read-bytes.ts";

/**
 * Labels alone: a .npy of one class number for each input. Null for any other file, which may be inputs with labels.
 * Throws `E_INPUT_LABELS` for numbers that are no classes.
 *
 * @example
 * const labels = await loadLabels("labels.npy");
 */
export async function loadLabels(path: string): Promise<Int32Array | null> {
  if (!path.endsWith(".npy")) return null;
  const bytes = await readBytes(path);
  if (!isNpy(bytes)) return null;
  const array = parseNpy(bytes, path);
  if (array.shape.length !== 1) return null;
  const { labels } = readAnswers(array, path);
  if (labels.length > 0) return labels;
  throw new BrodmannError("E_INPUT_LABELS", `${path}: found numbers that are no classes, expected classes`, {
    hint: "Write class numbers 0, 1, 2, ... for the inputs.",
  });
}
