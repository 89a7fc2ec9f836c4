/** The files of patterns in the folder of a run. */
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset } from "../data/parse-dataset.ts";
import { BrodmannError } from "../errors.ts";
import type { Patterns } from "../patterns/find-patterns.ts";
import { type InputImages, inputImages } from "../patterns/input-images.ts";
import { MOST_ROWS, patternSheet } from "../patterns/pattern-sheet.ts";
import {
  formatPatternInputs,
  formatPatterns,
  formatPatternTable,
  formatPatternUnits,
  labelOf,
  type PatternFacts,
} from "../patterns/patterns-file.ts";
import { type ImageLayout, imageLayout } from "../visualize/image-input.ts";
import { encodePng } from "../visualize/png.ts";
import type { Flags } from "./flags.ts";
import { removeFile, writeBytes, writeText } from "./output.ts";
import type { Terminal } from "./terminal.ts";
import { sheetName } from "./visual-sheets.ts";

export const PATTERN_FILES = [
  "patterns.json",
  "patterns.csv",
  "pattern-inputs.csv",
  "pattern-units.npz",
] as const;
/** Folder of the pictures, and what they are called; other files there are not ours. */
const PICTURES = "pictures";
const PICTURE = /^\d+-[\w.-]*\.png$/;

/** What the files tell of where patterns come from. */
export interface PatternSource {
  readonly facts: PatternFacts;
  /** Inputs whose pictures can be shown, and how they are images; null where they are none. */
  readonly pictures: { readonly data: Dataset; readonly layout: ImageLayout } | null;
}

/** How inputs are images, told by --image-shape, by their shape, or by the shape that they are stored in. */
export function layoutOf(
  shape: readonly number[],
  stored: readonly number[] | null,
  flags: Flags,
  name: string,
  terminal: Terminal,
): ImageLayout | null {
  const given = flags["image-shape"];
  if (given !== undefined) return imageLayout(shape, given, name);
  for (const told of [undefined, stored ?? undefined]) {
    try {
      return imageLayout(shape, told, name);
    } catch (error) {
      if (!(error instanceof BrodmannError)) throw error;
    }
  }
  terminal.say("no pictures: the inputs are no images by their shape; --image-shape 28,28 tells if they are");
  return null;
}

/** Writes all files and gives their paths; pictures where the inputs are images. */
export async function writePatterns(
  folder: string,
  found: Patterns,
  { facts, pictures }: PatternSource,
  flags: Flags,
  terminal: Terminal,
): Promise<string[]> {
  const place = (name: (typeof PATTERN_FILES)[number]) => join(folder, name);
  // Results of an earlier run must not stand beside those of this one.
  for (const name of PATTERN_FILES) await removeFile(place(name));
  await writeText(place("patterns.json"), formatPatterns(found, facts));
  await writeText(place("patterns.csv"), formatPatternTable(found, facts));
  await writeText(place("pattern-inputs.csv"), formatPatternInputs(found, facts));
  await writeBytes(place("pattern-units.npz"), formatPatternUnits(found));
  const written = PATTERN_FILES.map(place);
  const names = await readdir(join(folder, PICTURES)).catch(() => []);
  for (const name of names) if (PICTURE.test(name)) await rm(join(folder, PICTURES, name));
  if (pictures === null) return written;
  const { mean, std } = flags;
  const images = inputImages(pictures.data, pictures.layout, { mean, std }, found.inputs);
  return [...written, ...(await writePictures(join(folder, PICTURES), found, facts, images, terminal))];
}

async function writePictures(
  folder: string,
  { layers, inputs }: Patterns,
  facts: PatternFacts,
  images: InputImages,
  terminal: Terminal,
): Promise<string[]> {
  const written: string[] = [];
  for (const [number, found] of layers.entries()) {
    const sheet = patternSheet(found, inputs, images);
    if (sheet === null) continue;
    await mkdir(folder, { recursive: true });
    const { layer, cluster, patterns } = found;
    const name = cluster === null ? layer : `${layer} cluster ${labelOf(cluster, facts)}`;
    const path = join(folder, sheetName({ layer: name, number }));
    await writeBytes(path, encodePng(sheet));
    written.push(path);
    if (patterns.length > MOST_ROWS) {
      terminal.say(`${path}: the ${MOST_ROWS} most persistent of ${patterns.length} patterns`);
    }
  }
  return written;
}

/** "3 pictures in pictures". */
export function pictureWords(written: readonly string[]): string[] {
  const count = written.filter((path) => path.endsWith(".png")).length;
  return count === 0 ? [] : [`${count === 1 ? "a picture" : `${count} pictures`} in ${PICTURES}`];
}
