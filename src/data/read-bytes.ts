import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { BrodmannError, messageOf } from "../errors.ts";

/** One read call; Node refuses reads of 2 GiB and more at once. */
const CHUNK_BYTES = 1 << 28;

/**
 * All bytes of a file, also above the 2 GiB at which `fs.readFile` gives up.
 * Throws `E_INPUT_FILE` when the file cannot be opened or read.
 */
export async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, "r");
    try {
      const { size } = await file.stat();
      const bytes = new Uint8Array(size);
      let filled = 0;
      while (filled < size) {
        const { bytesRead } = await file.read(bytes, filled, Math.min(CHUNK_BYTES, size - filled), filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new BrodmannError("E_INPUT_FILE", `${path}: cannot be read (${messageOf(error)})`, {
      hint: "Check the path and that you may read the file.",
      cause: error,
    });
  }
}

/** SHA-256 of bytes in hexadecimal. */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
