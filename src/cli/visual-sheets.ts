import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BrodmannError, messageOf } from "../errors.ts";
import type { LabelledInputs } from "../network/outcomes.ts";
import { inputPictures } from "../report/input-pictures.ts";
import { encodeInputs, encodeSheet, INPUTS_NAME, SHEET_NAME, VISUAL_FOLDER } from "../report/run-pictures.ts";
import type { LayerImages } from "../scores/visual-coherence.ts";
import type { ImageInput } from "../visualize/image-input.ts";

const LONGEST_NAME = 80;

/**
 * The file of a layer's picture: `2-conv1.png`. Names come from model files, so that they may hold anything: what is no
 * letter or digit becomes `_`, and the number keeps names apart that are equal then.
 */
export function sheetName({ layer, number }: Pick<LayerImages, "layer" | "number">): string {
  const words = layer.replace(/[^A-Za-z0-9-]+/g, "_").replace(/^_+|_+$/g, "");
  return `${number}-${words.slice(0, LONGEST_NAME)}.png`;
}

/**
 * Writes the picture of a layer: a row for each subcluster, its own image on the left, those of random sets beside it. It
 * is there when the call returns: in front of the record that lets another run pass the layer over.
 * Throws `E_OUTPUT_FILE`.
 */
export function writeSheet(folder: string, images: LayerImages): string | null {
  if (images.rows.length === 0) return null;
  return writePicture(folder, sheetName(images), encodeSheet(images));
}

/** Writes the picture of the inputs that a report shows, for networks that read images. Throws `E_OUTPUT_FILE`. */
export function writeInputs(
  folder: string,
  numbers: readonly number[],
  data: LabelledInputs,
  input: ImageInput,
): void {
  const bytes = encodeInputs(inputPictures(numbers, data, input));
  if (bytes !== null) writePicture(folder, INPUTS_NAME, bytes);
}

function writePicture(folder: string, name: string, bytes: Uint8Array): string {
  const path = join(folder, VISUAL_FOLDER, name);
  try {
    mkdirSync(join(folder, VISUAL_FOLDER), { recursive: true });
    writeFileSync(`${path}.part`, bytes);
    renameSync(`${path}.part`, path);
  } catch (cause) {
    throw new BrodmannError("E_OUTPUT_FILE", `${path}: cannot be written (${messageOf(cause)})`, {
      hint: "Name another place by --out, or leave out the images by --visual-shuffles 0.",
      cause,
    });
  }
  return path;
}

/** Names of the pictures in the folder of an analysis. */
export function listPictures(folder: string): string[] {
  try {
    return readdirSync(join(folder, VISUAL_FOLDER)).filter(
      (name) => SHEET_NAME.test(name) || name === INPUTS_NAME,
    );
  } catch {
    return [];
  }
}

/** Removes the pictures of an earlier run; of one that goes on, those that come at its end. */
export function removePictures(folder: string, goesOn: boolean): void {
  for (const name of listPictures(folder)) {
    if (goesOn && name !== INPUTS_NAME) continue;
    rmSync(join(folder, VISUAL_FOLDER, name), { force: true });
  }
}
