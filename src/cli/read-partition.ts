import { readFile } from "node:fs/promises";
import { BrodmannError, messageOf } from "../errors.ts";
import { type PartitionFile, parsePartition } from "../partition/partition-file.ts";

/** Reads a partition file; `text` is what stands in it. Throws `E_INPUT_NOT_FOUND` or the reader's errors. */
export async function readPartition(path: string): Promise<PartitionFile & { readonly text: string }> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new BrodmannError("E_INPUT_NOT_FOUND", `${path}: cannot be read (${messageOf(error)})`, {
      hint: "Give the path of a partition.json.",
      cause: error,
    });
  });
  return { ...parsePartition(text, path), text };
}
