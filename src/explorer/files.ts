/** The files that a visitor drops or chooses: a model and its data, told apart by their first bytes and their names. */
import type { NamedFile } from "./messages.ts";

/** What is at hand so far. */
export interface ChosenFiles {
  readonly model: NamedFile | null;
  readonly inputs: NamedFile | null;
  readonly labels: NamedFile | null;
}

export const NO_FILES: ChosenFiles = { model: null, inputs: null, labels: null };

/** Files beyond this cannot be held by a page next to what is computed from them. */
const MOST_BYTES = 1_500_000_000;

/** The choice with further files, and what is to be said about those that do not fit in. */
export function addFiles(
  chosen: ChosenFiles,
  files: readonly NamedFile[],
): { readonly chosen: ChosenFiles; readonly refused: readonly string[] } {
  const refused: string[] = [];
  let next = chosen;
  for (const file of files) {
    const role = roleOf(file);
    if (file.bytes.length > MOST_BYTES) {
      refused.push(
        `${file.name}: ${Math.round(file.bytes.length / 1e6)} MB is too large for a page. The command line takes it: brodmann analyze.`,
      );
    } else if (role === null) {
      refused.push(
        `${file.name}: found neither an ONNX model nor data (.npz with x and y, or a pair of .npy or IDX files).`,
      );
    } else {
      next = { ...next, [role]: file };
      // An archive holds inputs and labels both.
      if (role === "inputs" && isZip(file.bytes)) next = { ...next, labels: null };
    }
  }
  return { chosen: next, refused };
}

/** Whether an analysis can begin. */
export const isComplete = ({ model, inputs, labels }: ChosenFiles): boolean =>
  model !== null && inputs !== null && (labels !== null || isZip(inputs.bytes));

const isZip = (bytes: Uint8Array): boolean => bytes[0] === 0x50 && bytes[1] === 0x4b;

function roleOf({ name, bytes }: NamedFile): keyof ChosenFiles | null {
  if (isZip(bytes)) return "inputs";
  const isNpy = bytes[0] === 0x93 && bytes[1] === 0x4e;
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
  const isIdx = bytes[0] === 0 && bytes[1] === 0 && bytes.length > 8;
  if (isNpy || isGzip || isIdx) return /label|idx1|(^|[_.-])y[_.-]/i.test(name) ? "labels" : "inputs";
  // An ONNX file begins with its IR version.
  return bytes[0] === 0x08 ? "model" : null;
}
