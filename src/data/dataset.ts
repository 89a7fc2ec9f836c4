/**
 * Labelled inputs from the files people have: .npz, .npy pairs, IDX pairs and folders of images.
 * Kinds are told by the first bytes; names only serve to find the labels beside the inputs.
 */
import { stat } from "node:fs/promises";
import { gunzipSync } from "node:zlib";
import { BrodmannError, messageOf } from "../errors.ts";
import { findLabels, findPair } from "./find-pair.ts";
import { isIdx, parseIdx } from "./idx.ts";
import { readImageFolder } from "./image-folder.ts";
import { type Inputs, type Normalisation, selectInputs } from "./inputs.ts";
import { type Answers, readAnswers } from "./labels.ts";
import { isNpy, type NpyArray, parseNpy } from "./npy.ts";
import { openNpz } from "./npz.ts";
import { readBytes, sha256 } from "./read-bytes.ts";
import { isZip } from "./zip.ts";

/** Where a dataset came from, for `run.json` and for messages. */
export interface DatasetSource {
  readonly path: string;
  /** Path of the labels where they are a file of their own. */
  readonly labelsPath: string | null;
  readonly format: "npz" | "npy" | "idx" | "images";
  /** SHA-256 of the file at `path` as it is on disk; of names and contents of all images read from a folder. */
  readonly sha256: string;
  readonly labelsSha256: string | null;
  /** Inputs `skip` ... `skip + take - 1` were selected. */
  readonly skip: number;
  readonly take: number;
  /** What was skipped or changed on the way, one sentence each. */
  readonly notes: readonly string[];
}

/** Labelled inputs; those selected, in file order. */
export interface Dataset {
  readonly count: number;
  /** Shape of one input. */
  readonly inputShape: readonly number[];
  /** Class number of every input, or inputs x tokens of them; empty where the files hold other numbers. */
  readonly labels: Int32Array;
  /** Numbers for a regression, inputs x outputs, where the labels are stored as floats. */
  readonly targets: Float32Array | null;
  /** Names by class number, where the files give them. */
  readonly classNames: readonly string[] | null;
  readonly source: DatasetSource;
  /** Inputs `start` ... `start + count - 1`, count x inputShape, row-major. */
  readonly batch: (start: number, count: number) => Float32Array;
}

export interface DatasetOptions extends Normalisation {
  /** Inputs left out at the beginning; default 0. */
  readonly skip?: number | undefined;
  /** Inputs taken after that; default all. */
  readonly take?: number | undefined;
  /** Shape (channels, height, width) that the network reads; images of a folder are brought to it. */
  readonly inputShape?: readonly number[] | undefined;
}

/**
 * Loads labelled inputs (classes, tokens that come next, or numbers of a regression) from an .npz with `x` and `y`, from a pair of .npy or IDX files (plain or gzipped), or from
 * a folder of class folders of PNG and JPEG images.
 *
 * `path` is one path (of the inputs, whose labels are found beside them by the usual names, or of a folder), two
 * paths joined by a comma, or both paths in an array. Throws `E_INPUT_...` naming the file, `E_USAGE_...` for
 * options that make no sense.
 *
 * @example
 * const digits = await loadDataset("train-images-idx3-ubyte.gz", { take: 1000 });
 * const first = digits.batch(0, 1);
 */
export async function loadDataset(
  path: string | readonly string[],
  options: DatasetOptions = {},
): Promise<Dataset> {
  const { skip = 0, take = Number.POSITIVE_INFINITY } = options;
  for (const [name, value] of [["skip", skip] as const, ["take", take] as const]) {
    if (value >= 0 && (Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY)) continue;
    throw new BrodmannError(
      "E_USAGE_SELECTION",
      `--${name}: found ${value}, expected a whole number from 0`,
      {
        hint: `Write --${name} 1000.`,
      },
    );
  }
  const [inputsPath, labelsPath] = await splitPaths(path);
  if (labelsPath !== undefined) return loadPair(inputsPath, labelsPath, skip, take, options);

  if (await isFolder(inputsPath)) {
    const pair = await findPair(inputsPath);
    return pair
      ? loadPair(pair.inputs, pair.labels, skip, take, options)
      : loadImages(inputsPath, skip, take, options);
  }
  const bytes = await readBytes(inputsPath);
  if (!isZip(bytes)) return loadPair(inputsPath, await findLabels(inputsPath), skip, take, options, bytes);

  const npz = openNpz(bytes, inputsPath);
  return makeDataset(npz.read("x"), npz.read("y"), skip, take, options, {
    path: inputsPath,
    labelsPath: null,
    format: "npz",
    sha256: sha256(bytes),
    labelsSha256: null,
  });
}

async function splitPaths(path: string | readonly string[]): Promise<[string, string?]> {
  const isOne = typeof path === "string" && (!path.includes(",") || (await exists(path)));
  const paths = isOne ? [path] : typeof path === "string" ? path.split(",") : path;
  const [inputs, labels] = paths;
  if (inputs === undefined || paths.length > 2 || paths.includes("")) {
    throw new BrodmannError("E_USAGE_DATA", `--data: found ${paths.length} paths, expected one or two`, {
      hint: "Write --data DATA.npz, --data X.npy,Y.npy or --data FOLDER.",
    });
  }
  return labels === undefined ? [inputs] : [inputs, labels];
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isDirectory(),
    () => false,
  );
}

async function loadPair(
  path: string,
  labelsPath: string,
  skip: number,
  take: number,
  options: DatasetOptions,
  bytes?: Uint8Array,
): Promise<Dataset> {
  const inputBytes = bytes ?? (await readBytes(path));
  const labelBytes = await readBytes(labelsPath);
  const x = parseArray(inputBytes, path);
  const y = parseArray(labelBytes, labelsPath);
  return makeDataset(x.array, y.array, skip, take, options, {
    path,
    labelsPath,
    format: x.format,
    sha256: sha256(inputBytes),
    labelsSha256: sha256(labelBytes),
  });
}

/** A .npy or IDX file, gzipped or not. */
function parseArray(packed: Uint8Array, where: string): { array: NpyArray; format: "npy" | "idx" } {
  const bytes = packed[0] === 0x1f && packed[1] === 0x8b ? unpack(packed, where) : packed;
  if (isNpy(bytes)) return { array: parseNpy(bytes, where), format: "npy" };
  if (isIdx(bytes)) return { array: parseIdx(bytes, where), format: "idx" };
  const start = Array.from(bytes.subarray(0, 4), (value) => value.toString(16).padStart(2, "0")).join(" ");
  throw new BrodmannError(
    "E_INPUT_FORMAT",
    `${where}: found a file beginning with ${start || "nothing"}, expected .npz, .npy, IDX or gzipped IDX`,
    { hint: "Write the inputs with numpy.savez(path, x=inputs, y=labels)." },
  );
}

function unpack(packed: Uint8Array, where: string): Uint8Array {
  try {
    return gunzipSync(packed);
  } catch (error) {
    throw new BrodmannError("E_INPUT_GZIP", `${where}: found damaged gzip data (${messageOf(error)})`, {
      hint: "The file is truncated or damaged; fetch it again.",
      cause: error,
    });
  }
}

async function loadImages(
  path: string,
  skip: number,
  take: number,
  options: DatasetOptions,
): Promise<Dataset> {
  const images = await readImageFolder(path, { inputShape: options.inputShape, skip, take });
  const inputs = selectInputs(images.array, 0, Number.POSITIVE_INFINITY, options, path);
  return describe(inputs, { labels: images.labels, targets: null }, images.classNames, {
    path,
    labelsPath: null,
    format: "images",
    sha256: images.sha256,
    labelsSha256: null,
    skip,
    take: inputs.count,
    notes: images.notes,
  });
}

function makeDataset(
  x: NpyArray,
  y: NpyArray,
  skip: number,
  take: number,
  options: DatasetOptions,
  source: Omit<DatasetSource, "skip" | "take" | "notes">,
): Dataset {
  const labelsWhere = source.labelsPath ?? `${source.path}[y]`;
  const answers = readAnswers(y, labelsWhere);
  if (x.shape.length > 0 && x.shape[0] !== y.shape[0]) {
    throw new BrodmannError(
      "E_INPUT_COUNT",
      `${labelsWhere}: found ${y.shape[0]} labels, expected ${x.shape[0]}, one per input of ${source.path}`,
      { hint: "Pass the labels that belong to these inputs." },
    );
  }
  const where = source.format === "npz" ? `${source.path}[x]` : source.path;
  const inputs = selectInputs(x, skip, take, options, where);
  const { labels, targets, perInput } = answers;
  const [from, to] = [skip * perInput, (skip + inputs.count) * perInput];
  const selected = { labels: labels.slice(from, to), targets: targets?.slice(from, to) ?? null };
  return describe(inputs, selected, null, { ...source, skip, take: inputs.count, notes: [] });
}

function describe(
  inputs: Inputs,
  { labels, targets }: Omit<Answers, "perInput">,
  classNames: readonly string[] | null,
  source: DatasetSource,
): Dataset {
  return {
    count: inputs.count,
    inputShape: inputs.shape,
    labels,
    targets,
    classNames,
    source,
    batch: inputs.batch,
  };
}
