/**
 * Folders of class folders of PNG and JPEG images.
 * The only file that loads `sharp`, an optional dependency, and only when such a folder is read.
 */
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { BrodmannError, messageOf } from "../errors.ts";
import type { NpyArray } from "./npy.ts";
import { readBytes } from "./read-bytes.ts";

/** The part of `sharp` that is used; declared here, so that the program builds where it is not installed. */
interface Sharp {
  autoOrient(): Sharp;
  flatten(options: { background: string }): Sharp;
  resize(width: number, height: number, options: { fit: "fill"; kernel: "lanczos3" }): Sharp;
  toColourspace(space: "srgb" | "b-w"): Sharp;
  raw(options: { depth: "uchar" }): Sharp;
  toBuffer(options: {
    resolveWithObject: true;
  }): Promise<{ data: Uint8Array; info: { width: number; height: number; channels: number } }>;
}
type SharpFunction = (input: Uint8Array) => Sharp;

/** Decoded images: uint8 (N, channels, height, width). */
export interface ImageFolder {
  readonly array: NpyArray;
  readonly labels: Int32Array;
  readonly classNames: readonly string[];
  readonly sha256: string;
  readonly notes: readonly string[];
}

export interface ImageFolderOptions {
  /** (channels, height, width) with 1 channel for grey or 3 for red, green, blue. */
  readonly inputShape: readonly number[] | undefined;
  readonly skip: number;
  readonly take: number;
}

/**
 * Reads images `skip` ... `skip + take - 1` in order of class and file name. Class names are the folder names,
 * sorted. An image is turned upright, put on black where transparent, stretched to height x width without
 * cropping, and made grey for one channel.
 *
 * Throws `E_INPUT_IMAGES` when there is nothing to read or an image is damaged, `E_INPUT_SHAPE` when the shape is
 * not one of images, `E_INPUT_SHARP` when `sharp` is not installed.
 */
export async function readImageFolder(
  folder: string,
  options: ImageFolderOptions,
  importSharp: () => Promise<unknown> = importOptional,
): Promise<ImageFolder> {
  const { classNames, files, skipped } = await listImages(folder);
  const selected = files.slice(options.skip, options.skip + options.take);
  if (selected.length === 0) {
    throw new BrodmannError(
      files.length === 0 ? "E_INPUT_IMAGES" : "E_INPUT_EMPTY",
      `${folder}: found ${files.length} PNG or JPEG images in ${classNames.length} class folders, expected some after skipping ${options.skip} and taking ${Number.isFinite(options.take) ? options.take : "all"}`,
      { hint: "Put the images of each class into a folder named after it, and check --skip and --take." },
    );
  }
  const [channels = 0, height = 0, width = 0] = options.inputShape ?? [];
  if (options.inputShape?.length !== 3 || (channels !== 1 && channels !== 3)) {
    throw new BrodmannError(
      "E_INPUT_SHAPE",
      `${folder}: found images, expected inputs of shape (${options.inputShape?.join(", ") ?? "unknown"}); images are (1 or 3, height, width)`,
      { hint: "Convert the images to what the network reads and pass them as .npz." },
    );
  }
  const sharp = await loadSharp(importSharp, folder);
  const size = channels * height * width;
  const values = new Uint8Array(selected.length * size);
  const hash = createHash("sha256");
  for (const [at, { path, name }] of selected.entries()) {
    const bytes = await readBytes(path);
    hash.update(`${name}\0${bytes.length}\0`).update(bytes);
    const pixels = await decode(sharp, bytes, path, channels, height, width);
    const image = values.subarray(at * size, (at + 1) * size);
    for (let channel = 0; channel < channels; channel++) {
      for (let pixel = 0; pixel < height * width; pixel++) {
        image[channel * height * width + pixel] = pixels[pixel * channels + channel] as number;
      }
    }
  }
  return {
    array: { shape: [selected.length, channels, height, width], dtype: "uint8", values },
    labels: Int32Array.from(selected, (file) => file.label),
    classNames,
    sha256: hash.digest("hex"),
    notes: [
      `images stretched to ${width}x${height} (Lanczos 3), ${channels === 1 ? "grey" : "red, green, blue"}`,
      ...(skipped > 0 ? [`${skipped} files skipped: not .png, .jpg or .jpeg`] : []),
    ],
  };
}

interface ImageFile {
  readonly path: string;
  /** class/file, with a slash on every system. */
  readonly name: string;
  readonly label: number;
}

async function listImages(
  folder: string,
): Promise<{ classNames: string[]; files: ImageFile[]; skipped: number }> {
  const isVisible = (name: string): boolean => !name.startsWith(".");
  const entries = (await readdir(folder, { withFileTypes: true })).filter((entry) => isVisible(entry.name));
  const classNames = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  classNames.sort();
  const files: ImageFile[] = [];
  let skipped = entries.length - classNames.length;
  for (const [label, className] of classNames.entries()) {
    const names = (await readdir(join(folder, className))).filter(isVisible).sort();
    for (const name of names) {
      if (/\.(png|jpe?g)$/i.test(name)) {
        files.push({ path: join(folder, className, name), name: `${className}/${name}`, label });
      } else skipped++;
    }
  }
  return { classNames, files, skipped };
}

async function decode(
  sharp: SharpFunction,
  bytes: Uint8Array,
  path: string,
  channels: number,
  height: number,
  width: number,
): Promise<Uint8Array> {
  const isPng = bytes[0] === 0x89 && bytes[1] === 0x50;
  const isJpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  const hint = "Remove or repair the file.";
  if (!isPng && !isJpeg) {
    throw new BrodmannError("E_INPUT_IMAGES", `${path}: found no PNG or JPEG image`, { hint });
  }
  try {
    const { data, info } = await sharp(bytes)
      .autoOrient()
      .flatten({ background: "#000000" })
      .resize(width, height, { fit: "fill", kernel: "lanczos3" })
      .toColourspace(channels === 1 ? "b-w" : "srgb")
      .raw({ depth: "uchar" })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== channels) throw new Error(`${info.channels} channels, expected ${channels}`);
    return data;
  } catch (error) {
    throw new BrodmannError("E_INPUT_IMAGES", `${path}: cannot be decoded (${messageOf(error)})`, {
      hint,
      cause: error,
    });
  }
}

/** The name is a variable, so that the compiler does not ask for a package that need not be there. */
function importOptional(): Promise<unknown> {
  const name: string = "sharp";
  return import(name);
}

async function loadSharp(importSharp: () => Promise<unknown>, folder: string): Promise<SharpFunction> {
  try {
    return ((await importSharp()) as { default: SharpFunction }).default;
  } catch (error) {
    throw new BrodmannError(
      "E_INPUT_SHARP",
      `${folder}: found a folder of images, expected the package sharp to read them with (${messageOf(error)})`,
      { hint: "npm install sharp", cause: error },
    );
  }
}
