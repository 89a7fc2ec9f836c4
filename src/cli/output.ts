import { access, constants, mkdir, realpath, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { BrodmannError, messageOf } from "../errors.ts";

/**
 * Makes sure of an output folder, and of the files that will go into it, before any long work.
 * Throws `E_OUTPUT_FOLDER` and `E_OUTPUT_FILE`.
 */
export async function prepareFolder(path: string, names: readonly string[]): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
  } catch (error) {
    throw outputError("E_OUTPUT_FOLDER", path, "folder", error);
  }
  for (const name of names) await prepareFile(join(path, name));
}

/** Removes a file of an earlier run, if it is there. */
export async function removeFile(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch (error) {
    throw outputError("E_OUTPUT_FILE", path, "file", error);
  }
}

/**
 * Makes sure that a file can be written at `path` before any long work, and that it is none of the inputs.
 * Throws `E_OUTPUT_FILE` and `E_USAGE_OUT`.
 */
export async function prepareFile(path: string, inputs: readonly (string | undefined)[] = []): Promise<void> {
  try {
    await access(dirname(resolve(path)), constants.W_OK);
    const known = await stat(path).catch(() => null);
    if (known?.isDirectory()) throw new Error("it is a folder");
    if (known) await access(path, constants.W_OK);
  } catch (error) {
    throw outputError("E_OUTPUT_FILE", path, "file", error);
  }
  const placeOf = (file: string) => realpath(file).catch(() => resolve(file));
  for (const input of inputs) {
    if (input === undefined || (await placeOf(input)) !== (await placeOf(path))) continue;
    throw new BrodmannError("E_USAGE_OUT", `--out ${path}: found an input file, expected another place`, {
      hint: "Name a new file: the result would replace the input.",
    });
  }
}

/** Writes a text file as a whole or not at all: a reader never sees half of it. */
export async function writeText(path: string, text: string): Promise<void> {
  await replaceFile(path, `${path}.part`, (part) => writeFile(part, text));
}

/** The same for bytes. */
export async function writeBytes(path: string, bytes: Uint8Array): Promise<void> {
  await replaceFile(path, `${path}.part`, (part) => writeFile(part, bytes));
}

/** Writes a file beside `path`, then moves it there; `write` gets the place that it is to write to. */
export async function replaceFile<T>(
  path: string,
  part: string,
  write: (part: string) => Promise<T>,
): Promise<T> {
  try {
    const result = await write(part);
    await rename(part, path);
    return result;
  } catch (error) {
    await rm(part, { force: true }).catch(() => {});
    const isOutput = !(error instanceof BrodmannError) || error.code === "E_OUTPUT_FILE";
    throw isOutput ? outputError("E_OUTPUT_FILE", path, "file", error) : error;
  }
}

/** What the system's error codes mean for someone who named a place to write to. */
const REASONS: Readonly<Record<string, string>> = {
  ENOENT: "its folder does not exist",
  ENOTDIR: "a part of the path is a file",
  EEXIST: "there is a file of this name",
  EACCES: "no permission",
  EPERM: "no permission",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
};

function outputError(code: string, path: string, kind: string, error: unknown): BrodmannError {
  const origin = error instanceof BrodmannError ? error.cause : error;
  const reason = REASONS[(origin as NodeJS.ErrnoException | null)?.code ?? ""] ?? messageOf(origin ?? error);
  return new BrodmannError(
    code,
    `--out ${path}: found a place that cannot be written (${reason}), expected a ${kind}`,
    { hint: "Name a place that exists and where you may write.", cause: error },
  );
}

/** Writes to stdout and waits until it is out; a reader that has gone (head, less) ends the program in peace. */
export function printResult(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text.endsWith("\n") ? text : `${text}\n`, (error) => {
      const hasNoReader = (error as NodeJS.ErrnoException | null | undefined)?.code === "EPIPE";
      if (error && !hasNoReader) reject(error);
      else resolve();
    });
  });
}
