/** Names of layers in the room that there is for them. */

/** Pixels a letter of the small type size takes, on the generous side. */
const LETTER = 7;

/**
 * A name in so many pixels: whole, or without the folders that all names share, or with its middle left out.
 *
 * @example
 * nameIn(60, "/blocks.1/fc/Gemm", shared(["/blocks.0/fc/Gemm", "/blocks.1/fc/Gemm"])); // "blocks.1"
 */
export function nameIn(pixels: number, name: string, { start, end }: Shared): string {
  const letters = Math.max(2, Math.floor(pixels / LETTER));
  if (name.length <= letters) return name;
  const own = name.slice(start, name.length - end);
  return cut(own === "" ? name : own, letters);
}

function cut(text: string, letters: number): string {
  const signs = [...text];
  if (signs.length <= letters) return text;
  const tail = Math.floor((letters - 1) / 2);
  return `${signs.slice(0, letters - 1 - tail).join("")}…${tail === 0 ? "" : signs.slice(-tail).join("")}`;
}

/** Letters that all names begin and end with, up to a slash. */
export interface Shared {
  readonly start: number;
  readonly end: number;
}

export function shared(names: readonly string[]): Shared {
  const [first = ""] = names;
  if (names.length < 2) return { start: 0, end: 0 };
  let start = 0;
  let end = 0;
  for (let at = 0; at < first.length && names.every((name) => name[at] === first[at]); at++) {
    if (first[at] === "/") start = at + 1;
  }
  const shortest = Math.min(...names.map(({ length }) => length)) - start;
  for (let at = 1; at <= shortest; at++) {
    const letter = first[first.length - at];
    if (!names.every((name) => name[name.length - at] === letter)) break;
    if (letter === "/") end = at;
  }
  return { start, end };
}
