/**
 * Reading zip archives by their central directory, entry by entry, so that only what is asked for is inflated.
 * Source: PKWARE APPNOTE.TXT, sections 4.3 (records) and 4.5.3 (zip64). Every entry's CRC-32 is checked.
 */
import { BrodmannError, messageOf } from "../errors.ts";
import { checksum, inflate } from "./unpack.ts";

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;
const END64 = 0x06064b50;
const LOCATOR64 = 0x07064b50;
const UNKNOWN32 = 0xffffffff;

interface ZipEntry {
  readonly isDeflated: boolean;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly localStart: number;
}

/** An open archive. */
export interface Zip {
  /** Entry names in the archive's order. */
  readonly names: readonly string[];
  /** The bytes of an entry; throws `E_INPUT_ZIP` when it is missing, damaged or packed in an unknown way. */
  readonly read: (name: string) => Uint8Array;
}

/** True when the bytes begin like a zip archive. */
export function isZip(bytes: Uint8Array): boolean {
  return (
    bytes[0] === 0x50 && bytes[1] === 0x4b && (bytes[2] === 3 || bytes[2] === 5) && bytes[3] === bytes[2] + 1
  );
}

/** Opens an archive held in memory. Throws `E_INPUT_ZIP` when it is not one, or is truncated. */
export function openZip(bytes: Uint8Array, where: string): Zip {
  const fail = (found: string, cause?: unknown): never => {
    throw new BrodmannError("E_INPUT_ZIP", `${where}: ${found}`, {
      hint: "The file is truncated or damaged; write it again with numpy.savez.",
      cause,
    });
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = readDirectory(bytes, view, fail);

  const read = (name: string): Uint8Array => {
    const entry = entries.get(name);
    if (!entry)
      return fail(`found no entry ${name}, only ${[...entries.keys()].join(", ") || "an empty archive"}`);
    const { localStart } = entry;
    if (localStart + 30 > bytes.length || view.getUint32(localStart, true) !== LOCAL) {
      return fail(`found no local header of ${name}`);
    }
    const start =
      localStart + 30 + view.getUint16(localStart + 26, true) + view.getUint16(localStart + 28, true);
    if (start + entry.packedBytes > bytes.length) return fail(`found a truncated entry ${name}`);
    const packed = bytes.subarray(start, start + entry.packedBytes);
    let content: Uint8Array = packed;
    if (entry.isDeflated) {
      try {
        content = inflate(packed, entry.bytes);
      } catch (error) {
        return fail(`found a damaged entry ${name} (${messageOf(error)})`, error);
      }
    }
    if (content.length !== entry.bytes || checksum(content) !== entry.crc) {
      return fail(`found a damaged entry ${name}: its length or checksum is wrong`);
    }
    return content;
  };
  return { names: [...entries.keys()], read };
}

type Fail = (found: string) => never;

function readDirectory(bytes: Uint8Array, view: DataView, fail: Fail): Map<string, ZipEntry> {
  // The end record is the last thing in the file but for a comment of at most 65535 bytes.
  let end = bytes.length - 22;
  const stop = Math.max(0, end - 65535);
  while (end >= stop && view.getUint32(end, true) !== END) end--;
  if (end < stop) return fail("found no zip directory at the end of the file");
  let count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  if (end >= 20 && view.getUint32(end - 20, true) === LOCATOR64) {
    const end64 = Number(view.getBigUint64(end - 12, true));
    if (end64 + 56 > bytes.length || view.getUint32(end64, true) !== END64)
      fail("found a damaged zip64 record");
    count = Number(view.getBigUint64(end64 + 32, true));
    at = Number(view.getBigUint64(end64 + 48, true));
  }
  const entries = new Map<string, ZipEntry>();
  for (let item = 0; item < count; item++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== CENTRAL) fail("found a damaged zip directory");
    const nameBytes = view.getUint16(at + 28, true);
    const extraBytes = view.getUint16(at + 30, true);
    const next = at + 46 + nameBytes + extraBytes + view.getUint16(at + 32, true);
    if (next > bytes.length) fail("found a damaged zip directory");
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameBytes));
    const method = view.getUint16(at + 10, true);
    const isEncrypted = (view.getUint16(at + 8, true) & 1) === 1;
    if (isEncrypted || (method !== 0 && method !== 8)) {
      fail(
        `found entry ${name} ${isEncrypted ? "encrypted" : `packed by method ${method}`}, expected it stored or deflated`,
      );
    }
    const sizes = [
      view.getUint32(at + 24, true),
      view.getUint32(at + 20, true),
      view.getUint32(at + 42, true),
    ] as const;
    const [size, packedBytes, localStart] = widen(view, at + 46 + nameBytes, extraBytes, sizes);
    entries.set(name, {
      isDeflated: method === 8,
      crc: view.getUint32(at + 16, true),
      packedBytes,
      bytes: size,
      localStart,
    });
    at = next;
  }
  return entries;
}

/** Takes the sizes that do not fit 32 bits from the zip64 extra field, which holds only those, in this order. */
function widen(
  view: DataView,
  start: number,
  length: number,
  sizes: readonly [number, number, number],
): [number, number, number] {
  const wide: [number, number, number] = [...sizes];
  for (let at = start; at + 4 <= start + length; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    let field = at + 4;
    const stop = Math.min(field + view.getUint16(at + 2, true), start + length);
    for (let item = 0; item < 3; item++) {
      if (wide[item] !== UNKNOWN32 || field + 8 > stop) continue;
      wide[item] = Number(view.getBigUint64(field, true));
      field += 8;
    }
  }
  return wide;
}
