import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { BrodmannError, messageOf } from "../errors.ts";
import type { LayerImages } from "../scores/visual-coherence.ts";
import { contactSheet } from "../visualize/contact-sheet.ts";
import { encodePng } from "../visualize/png.ts";

/** Folder of the pictures in that of an analysis. */
export const VISUAL_FOLDER = "visual";

/** What `sheetName` makes; other files of the folder are not ours. */
const SHEET = /^\d+-[\w.-]*\.png$/;
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
  const { rows, shape } = images;
  if (rows.length === 0) return null;
  const path = join(folder, VISUAL_FOLDER, sheetName(images));
  try {
    mkdirSync(join(folder, VISUAL_FOLDER), { recursive: true });
    writeFileSync(`${path}.part`, encodePng(contactSheet(rows, shape)));
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
export function listSheets(folder: string): string[] {
  try {
    return readdirSync(join(folder, VISUAL_FOLDER)).filter((name) => SHEET.test(name));
  } catch {
    return [];
  }
}

/** Removes the pictures of an earlier run. */
export function removeSheets(folder: string): void {
  for (const name of listSheets(folder)) rmSync(join(folder, VISUAL_FOLDER, name), { force: true });
}
