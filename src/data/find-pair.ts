import { access, readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { BrodmannError } from "../errors.ts";

/** How the file of the labels is named after the file of the inputs; case is kept. */
const RENAMINGS: readonly ((name: string) => string)[] = [
  (name) => name.replace(/images/, "labels").replace(/idx\d/, "idx1"),
  (name) => name.replace(/inputs/, "labels"),
  (name) => name.replace(/(^|[_.-])x(?=[_.-])/, "$1y"),
  (name) => name.replace(/(^|[_.-])X(?=[_.-])/, "$1Y"),
];

/** Names under which the labels of `name` may be found; .gz is added or left off where the two files differ in it. */
function labelNames(name: string): string[] {
  const names = RENAMINGS.map((rename) => rename(name)).filter((renamed) => renamed !== name);
  return names.flatMap((renamed) => [
    renamed,
    renamed.endsWith(".gz") ? renamed.slice(0, -3) : `${renamed}.gz`,
  ]);
}

/**
 * The file of labels beside a file of inputs, by the usual names: `train-images-idx3-ubyte.gz` has
 * `train-labels-idx1-ubyte.gz`, `x.npy` has `y.npy`, `digits_x.npy` has `digits_y.npy`.
 * Throws `E_INPUT_LABELS` when there is none.
 */
export async function findLabels(path: string): Promise<string> {
  const names = labelNames(basename(path));
  for (const name of names) {
    const candidate = join(dirname(path), name);
    const isThere = await access(candidate).then(
      () => true,
      () => false,
    );
    if (isThere) return candidate;
  }
  throw new BrodmannError(
    "E_INPUT_LABELS",
    `${path}: found no labels beside it${names.length > 0 ? `, expected ${names.filter((name) => !name.endsWith(".gz")).join(" or ")}` : ""}`,
    { hint: `Name both files: --data ${path},LABELS.` },
  );
}

/**
 * The one pair of inputs and labels in a folder; null when there is none.
 * Throws `E_INPUT_PAIR` when there are several, such as a training and a test set.
 */
export async function findPair(folder: string): Promise<{ inputs: string; labels: string } | null> {
  const names = new Set(
    (await readdir(folder, { withFileTypes: true }))
      .filter((entry) => !entry.isDirectory())
      .map((entry) => entry.name),
  );
  const pairs = new Map<string, { inputs: string; labels: string }>();
  for (const name of [...names].sort()) {
    const labels = labelNames(name).find((candidate) => names.has(candidate));
    // A file and its own .gz are the same inputs; the plain one sorts first.
    const stem = name.replace(/\.gz$/, "");
    if (labels === undefined || pairs.has(stem)) continue;
    pairs.set(stem, { inputs: join(folder, name), labels: join(folder, labels) });
  }
  if (pairs.size > 1) {
    throw new BrodmannError(
      "E_INPUT_PAIR",
      `${folder}: found ${pairs.size} sets of inputs (${[...pairs.keys()].join(", ")}), expected one`,
      { hint: `Name the inputs: --data ${[...pairs.values()][0]?.inputs}.` },
    );
  }
  return [...pairs.values()][0] ?? null;
}
