/**
 * The lines of a journal: JSON, in which numbers keep every bit. What JSON has no word for (NaN, infinities, -0) is an
 * object `{"$number": "NaN"}`.
 */
import { open } from "node:fs/promises";
import { BrodmannError, messageOf } from "../errors.ts";

/** Plain data as one line, its line break included. */
export function encodeLine(value: unknown): string {
  return `${JSON.stringify(value, (_, item: unknown) => (typeof item === "number" ? plainNumber(item) : item))}\n`;
}

/** The data of a line. Throws a `SyntaxError` for what is no JSON. */
export function decodeLine(line: string): unknown {
  // Few lines hold such numbers, and a reviver is several times slower than none.
  if (!line.includes('"$number"')) return JSON.parse(line);
  return JSON.parse(line, (_, item: unknown) => {
    const isNumber = typeof item === "object" && item !== null && "$number" in item;
    return isNumber ? Number(item.$number) : item;
  });
}

const plainNumber = (value: number): unknown =>
  Number.isFinite(value) && !Object.is(value, -0)
    ? value
    : { $number: Object.is(value, -0) ? "-0" : String(value) };

const NEWLINE = 10;
const CHUNK_BYTES = 1 << 20;

/**
 * The lines of a file that end with a line break, each with the number of bytes up to its end. What follows the last one
 * was being written when the writer was killed. Throws `E_INPUT_NOT_FOUND`.
 */
export async function* completeLines(path: string): AsyncGenerator<{ line: string; end: number }> {
  const file = await open(path).catch((error: unknown) => {
    throw new BrodmannError("E_INPUT_NOT_FOUND", `${path}: cannot be read (${messageOf(error)})`, {
      hint: "Give the path of a journal (.jsonl) that brodmann score has written.",
      cause: error,
    });
  });
  try {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let pieces: Buffer[] = [];
    let end = 0;
    for (;;) {
      const { bytesRead } = await file.read(chunk, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) return;
      let start = 0;
      for (;;) {
        const at = chunk.subarray(0, bytesRead).indexOf(NEWLINE, start);
        if (at < 0) break;
        const bytes = Buffer.concat([...pieces, chunk.subarray(start, at)]);
        end += bytes.length + 1;
        yield { line: bytes.toString("utf8"), end };
        pieces = [];
        start = at + 1;
      }
      pieces.push(Buffer.from(chunk.subarray(start, bytesRead)));
    }
  } catch (error) {
    if (error instanceof BrodmannError) throw error;
    throw new BrodmannError("E_INPUT_FILE", `${path}: cannot be read (${messageOf(error)})`, {
      hint: "Give the path of a journal (.jsonl).",
      cause: error,
    });
  } finally {
    await file.close();
  }
}
