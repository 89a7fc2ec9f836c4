/**
 * Labelled inputs from the files people have: .npz, .npy pairs, IDX pairs and folders of images.
 * Kinds are told by the first bytes; names only serve to find the labels beside the inputs.
 */
import { stat } from "node:fs/promises";
import { BrodmannError } from "../errors.ts";
import { findLabels, findPair } from "./find-pair.ts";
import { readImageFolder } from "./image-folder.ts";
import { selectInputs } from "./inputs.ts";
import { type Dataset, type DatasetOptions, describe, parseDataset, selectionOf } from "./parse-dataset.ts";
import { readBytes, sha256 } from "./read-bytes.ts";
import { isZip } from "./zip.ts";

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
  const { skip, take } = selectionOf(options);
  const [inputsPath, labelsPath] = await splitPaths(path);
  if (labelsPath !== undefined) return loadPair(inputsPath, labelsPath, options);

  if (await isFolder(inputsPath)) {
    const pair = await findPair(inputsPath);
    return pair ? loadPair(pair.inputs, pair.labels, options) : loadImages(inputsPath, skip, take, options);
  }
  const bytes = await readBytes(inputsPath);
  if (!isZip(bytes)) return loadPair(inputsPath, await findLabels(inputsPath), options, bytes);

  return parseDataset({ path: inputsPath, bytes, sha256: sha256(bytes) }, null, options);
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
  options: DatasetOptions,
  known?: Uint8Array,
): Promise<Dataset> {
  const bytes = known ?? (await readBytes(path));
  const labels = await readBytes(labelsPath);
  return parseDataset(
    { path, bytes, sha256: sha256(bytes) },
    { path: labelsPath, bytes: labels, sha256: sha256(labels) },
    options,
  );
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
