import { access, constants, mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { BrodmannError, messageOf } from "../errors.ts";

/** Makes sure of an output folder before any long work. Throws `E_OUTPUT_FOLDER`. */
export async function prepareFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
    await access(path, constants.W_OK);
  } catch (error) {
    throw outputError("E_OUTPUT_FOLDER", path, "folder", error);
  }
}

/** Makes sure that a file can be written at `path` before any long work. Throws `E_OUTPUT_FILE`. */
export async function prepareFile(path: string): Promise<void> {
  try {
    await access(dirname(resolve(path)), constants.W_OK);
    const known = await stat(path).catch(() => null);
    if (known?.isDirectory()) throw new Error("it is a folder");
    if (known) await access(path, constants.W_OK);
  } catch (error) {
    throw outputError("E_OUTPUT_FILE", path, "file", error);
  }
}

/** Writes a text file as a whole or not at all: a reader never sees half of it. */
export async function writeText(path: string, text: string): Promise<void> {
  const part = `${path}.part`;
  try {
    await writeFile(part, text);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw outputError("E_OUTPUT_FILE", path, "file", error);
  }
}

function outputError(code: string, path: string, kind: string, error: unknown): BrodmannError {
  return new BrodmannError(code, `--out ${path}: this ${kind} cannot be written (${messageOf(error)})`, {
    hint: "Name a place where you may write.",
    cause: error,
  });
}

/** Writes to stdout and waits until it is out. */
export function printResult(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text.endsWith("\n") ? text : `${text}\n`, (error) =>
      error ? reject(error) : resolve(),
    );
  });
}
