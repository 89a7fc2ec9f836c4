/**
 * The pictures of an analysis in its folder, and as data of a report. What is on a picture stands in its own file (PNG text):
 * it cannot part from the picture, and a run that is resumed finds those of earlier layers as they were left.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { BrodmannError, messageOf } from "../errors.ts";
import type { LayerImages } from "../scores/visual-coherence.ts";
import { contactSheet, cropSheet, sheetLayout } from "../visualize/contact-sheet.ts";
import type { ImageShape } from "../visualize/image-parameter.ts";
import { decodePng, encodePng, type Picture, shrinkPicture } from "../visualize/png.ts";
import { type ReportPictures, toAddress } from "./report-data.ts";

/** Folder of the pictures in that of an analysis. */
export const VISUAL_FOLDER = "visual";

/** A layer's picture; other files of the folder are not ours. */
export const SHEET_NAME: RegExp = /^\d+-[\w.-]*\.png$/;

/** The picture of the inputs that drive subclusters most. */
export const INPUTS_NAME = "inputs.png";

/** Keyword of the text. */
const KEYWORD = "brodmann";

/** Longest side of an image in a report, and what all of them may hold together: larger numbers of them are smaller. */
const LONGEST = 96;
const MOST_VALUES = 12_000_000;

/** What is on the picture of a layer. */
interface SheetNote {
  readonly layer: string;
  /** Of one image: channels, height, width. */
  readonly image: readonly [number, number, number];
  /** Cluster of each row, and how many random images are beside its own. */
  readonly clusters: readonly number[];
  readonly random: readonly number[];
}

/** What is on the picture of inputs: their numbers, one below another. */
interface InputsNote {
  readonly image: readonly [number, number, number];
  readonly inputs: readonly number[];
}

/** A layer's picture as a file: a row for each subcluster, its own image on the left, those of random sets beside it. */
export function encodeSheet({ layer, rows, shape }: LayerImages): Uint8Array {
  const note: SheetNote = {
    layer,
    image: [shape.channels, shape.height, shape.width],
    clusters: rows.map(({ cluster }) => cluster),
    random: rows.map(({ random }) => random.length),
  };
  return encodePng(contactSheet(rows, shape), { [KEYWORD]: asciiJson(note) });
}

/** Pictures of inputs as a file, one below another. */
export function encodeInputs(pictures: ReadonlyMap<number, Picture>): Uint8Array | null {
  const [first] = pictures.values();
  if (first === undefined) return null;
  const { channels, height, width } = first;
  const size = channels * height * width;
  const pixels = new Uint8Array(size * pictures.size);
  [...pictures.values()].forEach((picture, number) => {
    pixels.set(picture.pixels, number * size);
  });
  const note: InputsNote = { image: [channels, height, width], inputs: [...pictures.keys()] };
  const strip = { channels, height: height * pictures.size, width, pixels };
  return encodePng(strip, { [KEYWORD]: asciiJson(note) });
}

/** PNG text takes Latin letters only; names of layers may be anything. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replace(
    /[^ -~]/g,
    (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );

/**
 * The pictures in the folder of an analysis; none where it has none. Throws `E_INPUT_FORMAT` for one that is damaged.
 *
 * @example
 * const { inputs, subclusters } = await readPictures("run");
 */
export async function readPictures(folder: string): Promise<ReportPictures> {
  const place = join(folder, VISUAL_FOLDER);
  const names = await readNames(place);
  const sheets = [];
  for (const name of names.filter((each) => SHEET_NAME.test(each)).sort()) {
    sheets.push(await readPicture<SheetNote>(join(place, name), isSheetNote));
  }
  const known = sheets.filter((sheet) => sheet !== null);
  const values = known.reduce(
    (sum, { note }) => sum + note.image[0] * note.random.reduce((count, random) => count + 1 + random, 0),
    0,
  );
  const longest = Math.max(24, Math.min(LONGEST, Math.floor(Math.sqrt(MOST_VALUES / Math.max(1, values)))));
  const strip = names.includes(INPUTS_NAME)
    ? await readPicture<InputsNote>(join(place, INPUTS_NAME), isInputsNote)
    : null;
  return {
    subclusters: known.flatMap(({ picture, note }) => cutSheet(picture, note, longest)),
    inputs: strip === null ? {} : cutInputs(strip.picture, strip.note),
  };
}

async function readNames(place: string): Promise<string[]> {
  try {
    return await readdir(place);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw new BrodmannError("E_INPUT_FILE", `${place}: cannot be read (${messageOf(cause)})`, {
      hint: "Check that it is a folder that you may read.",
      cause,
    });
  }
}

async function readPicture<Note>(
  path: string,
  isNote: (value: unknown, picture: Picture) => value is Note,
): Promise<{ readonly picture: Picture; readonly note: Note } | null> {
  const { picture, text } = decodePng(await readFile(path), path);
  let note: unknown = null;
  try {
    note = JSON.parse(text[KEYWORD] ?? "null");
  } catch {
    // Somebody else's text.
  }
  // A picture that tells nothing of itself is not ours.
  return isNote(note, picture) ? { picture, note } : null;
}

function cutSheet(
  sheet: Picture,
  { layer, image, clusters, random }: SheetNote,
  longest: number,
): ReportPictures["subclusters"] {
  const shape = shapeOf(image);
  const layout = sheetLayout(shape, clusters.length, Math.max(0, ...random));
  const cut = (line: number, place: number): string =>
    addressOf(shrinkPicture(cropSheet(sheet, layout, shape, line, place), longest));
  return clusters.map((cluster, line) => ({
    layer,
    cluster,
    image: cut(line, 0),
    random: Array.from({ length: random[line] as number }, (_, number) => cut(line, number + 1)),
  }));
}

function cutInputs(strip: Picture, { image, inputs }: InputsNote): ReportPictures["inputs"] {
  const shape = shapeOf(image);
  const size = shape.channels * shape.height * shape.width;
  return Object.fromEntries(
    inputs.map((input, number) => {
      const pixels = strip.pixels.subarray(number * size, (number + 1) * size);
      return [String(input), addressOf({ ...shape, pixels })];
    }),
  );
}

const addressOf = (picture: Picture): string => toAddress(encodePng(picture));

const shapeOf = ([channels, height, width]: SheetNote["image"]): ImageShape => ({ channels, height, width });

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.every((count) => Number.isSafeInteger(count) && count >= 0);

const isShape = (value: unknown, { channels }: Picture): value is SheetNote["image"] =>
  isCounts(value) && value.length === 3 && value.every((size) => size > 0) && value[0] === channels;

function isSheetNote(value: unknown, picture: Picture): value is SheetNote {
  const { layer, image, clusters, random } = (value ?? {}) as Partial<SheetNote>;
  if (typeof layer !== "string" || !isShape(image, picture) || !isCounts(clusters) || !isCounts(random)) {
    return false;
  }
  const layout = sheetLayout(shapeOf(image), clusters.length, Math.max(0, ...random));
  const isSameSize = layout.height === picture.height && layout.width === picture.width;
  return random.length === clusters.length && isSameSize;
}

function isInputsNote(value: unknown, picture: Picture): value is InputsNote {
  const { image, inputs } = (value ?? {}) as Partial<InputsNote>;
  if (!isShape(image, picture) || !isCounts(inputs)) return false;
  return picture.width === image[2] && picture.height === image[1] * inputs.length;
}
