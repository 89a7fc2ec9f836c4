import { BrodmannError } from "../errors.ts";
import type { SubclusterImportance } from "../scores/importance.ts";
import { formatPartialScores } from "../scores/scores-file.ts";
import { writeText } from "./output.ts";
import type { Terminal } from "./terminal.ts";

/** Keeps the scores of finished layers, so that an interrupted run loses nothing that is done. */
export class PartialScores {
  readonly #path: string | null;
  readonly #terminal: Terminal;
  readonly #scores: SubclusterImportance[] = [];

  /** `path` is where the full scores would go; partial ones go beside it. Null keeps nothing. */
  constructor(path: string | null, terminal: Terminal) {
    this.#path = path === null ? null : path.replace(/(\.json)?$/, ".partial.json");
    this.#terminal = terminal;
  }

  readonly add = (scores: readonly SubclusterImportance[]): void => {
    this.#scores.push(...scores);
  };

  /** Runs `work`; when it is interrupted, writes and names what is done, and passes the interruption on. */
  async keepOnInterrupt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const isInterrupted = error instanceof BrodmannError && error.code === "E_INTERRUPTED";
      if (isInterrupted && this.#path !== null && this.#scores.length > 0) {
        await writeText(this.#path, formatPartialScores(this.#scores));
        this.#terminal.say(`kept: ${this.#path} (${this.#scores.length} subclusters)`);
      }
      throw error;
    }
  }
}
