/**
 * The text of a shader from its files: `shaders/<name>.wgsl` with every `// #include "lib/<other>.wgsl"` line replaced
 * by that file, once each. The only place where shader text is put together; it remembers which line came from where,
 * so that a compiler's message can name the file.
 */
import { BrodmannError } from "../../errors.ts";

/** Reads a file of the `shaders` folder, given its path there ("gram.wgsl", "lib/grid.wgsl"). */
export type ShaderReader = (path: string) => Promise<string>;

/** Where one line of a shader's text comes from. */
export interface SourceLine {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly text: string;
}

/** A shader with all includes resolved. */
export interface ShaderSource {
  readonly code: string;
  readonly lines: readonly SourceLine[];
}

const INCLUDE = /^\s*\/\/ #include "(lib\/[a-z0-9-]+\.wgsl)"\s*$/;

/** Resolves and caches shaders of one reader. */
export class ShaderLibrary {
  readonly #read: ShaderReader;
  readonly #sources = new Map<string, Promise<ShaderSource>>();

  constructor(read: ShaderReader) {
    this.#read = read;
  }

  /** The shader of a kernel. Throws `E_INTERNAL_SHADER` for files that include each other and for missing files. */
  load(kernel: string): Promise<ShaderSource> {
    let source = this.#sources.get(kernel);
    if (source === undefined) {
      source = this.#resolve(kernel);
      this.#sources.set(kernel, source);
    }
    return source;
  }

  async #resolve(kernel: string): Promise<ShaderSource> {
    const lines: SourceLine[] = [];
    await this.#append(`${kernel}.wgsl`, [], new Set(), lines);
    return { code: lines.map(({ text }) => text).join("\n"), lines };
  }

  async #append(
    file: string,
    includers: readonly string[],
    seen: Set<string>,
    lines: SourceLine[],
  ): Promise<void> {
    if (includers.includes(file)) {
      const cycle = [...includers.slice(includers.indexOf(file)), file].join(" -> ");
      throw new BrodmannError(
        "E_INTERNAL_SHADER",
        `shaders: found the include cycle ${cycle}, expected none`,
      );
    }
    if (seen.has(file)) return;
    seen.add(file);
    const text = await this.#readFile(file, includers);
    for (const [index, line] of text.split("\n").entries()) {
      const included = INCLUDE.exec(line)?.[1];
      if (included === undefined) lines.push({ file: `shaders/${file}`, line: index + 1, text: line });
      else await this.#append(included, [...includers, file], seen, lines);
    }
  }

  async #readFile(file: string, includers: readonly string[]): Promise<string> {
    try {
      return await this.#read(file);
    } catch (cause) {
      const from = includers.length > 0 ? ` (included by ${includers.at(-1)})` : "";
      throw new BrodmannError("E_INTERNAL_SHADER", `shaders/${file}: found no such file${from}`, { cause });
    }
  }
}

/** What of a `GPUCompilationMessage` is reported. */
export interface CompilationMessage {
  readonly type: string;
  readonly message: string;
  /** From 1; 0 where the message is about no line. */
  readonly lineNum: number;
  readonly linePos: number;
}

/** The compiler's errors with file, line, column and the source line, each with a mark under the column. */
export function describeCompilation(source: ShaderSource, messages: readonly CompilationMessage[]): string {
  return messages
    .filter(({ type }) => type === "error")
    .map(({ message, lineNum, linePos }) => {
      const origin = source.lines[lineNum - 1];
      if (origin === undefined) return message;
      const mark = `${" ".repeat(Math.max(0, linePos - 1))}^`;
      return `${origin.file}:${origin.line}:${linePos}: ${message}\n    ${origin.text}\n    ${mark}`;
    })
    .join("\n");
}
