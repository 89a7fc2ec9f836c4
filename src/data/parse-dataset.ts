/**
 * Labelled inputs from files in memory: .npz, .npy pairs, IDX pairs. Kinds are told by the first bytes.
 */
import { BrodmannError, messageOf } from "../errors.ts";
import { isIdx, parseIdx } from "./idx.ts";
import { type Inputs, type Normalisation, selectInputs } from "./inputs.ts";
import { type Answers, readAnswers } from "./labels.ts";
import { isNpy, type NpyArray, parseNpy } from "./npy.ts";
import { openNpz } from "./npz.ts";
import { gunzip } from "./unpack.ts";

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

/** A file in memory. */
export interface DatasetBytes {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly sha256: string;
}

/**
 * Labelled inputs from an .npz with `x` and `y`, or from a pair of .npy or IDX files. Errors are those of `loadDataset`.
 *
 * @example
 * const digits = parseDataset({ path: "digits.npz", bytes, sha256: sha256(bytes) }, null, { take: 1000 });
 */
export function parseDataset(
  inputs: DatasetBytes,
  labels: DatasetBytes | null,
  options: DatasetOptions = {},
): Dataset {
  const { skip, take } = selectionOf(options);
  const { path, bytes, sha256 } = inputs;
  if (labels === null) {
    const npz = openNpz(bytes, path);
    const source = { path, labelsPath: null, format: "npz", sha256, labelsSha256: null } as const;
    return makeDataset(npz.read("x"), npz.read("y"), skip, take, options, source);
  }
  const x = parseArray(bytes, path);
  const y = parseArray(labels.bytes, labels.path);
  return makeDataset(x.array, y.array, skip, take, options, {
    path,
    labelsPath: labels.path,
    format: x.format,
    sha256,
    labelsSha256: labels.sha256,
  });
}

/** Which inputs are selected. Throws `E_USAGE_SELECTION`. */
export function selectionOf({ skip = 0, take = Number.POSITIVE_INFINITY }: DatasetOptions): {
  readonly skip: number;
  readonly take: number;
} {
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
  return { skip, take };
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
    return gunzip(packed);
  } catch (error) {
    throw new BrodmannError("E_INPUT_GZIP", `${where}: found damaged gzip data (${messageOf(error)})`, {
      hint: "The file is truncated or damaged; fetch it again.",
      cause: error,
    });
  }
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

/** A dataset of what was selected. */
export function describe(
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
