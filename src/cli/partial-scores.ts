import { BrodmannError } from "../errors.ts";
import type { SubclusterImportance } from "../scores/importance.ts";
import { formatPartialScores, type ScoreSettings } from "../scores/scores-file.ts";
import { removeFile, writeText } from "./output.ts";

/** Keeps the scores of finished layers, so that an interrupted run loses nothing that is done. */
export class PartialScores {
  readonly #path: string | null;
  readonly #settings: ScoreSettings;
  readonly #scores: SubclusterImportance[] = [];
  readonly #kept: string[] = [];

  /** `path` is where the full scores will go; partial ones go beside it. Null keeps nothing. */
  constructor(path: string | null, settings: ScoreSettings = {}) {
    this.#path = path === null ? null : path.replace(/(\.json)?$/, ".partial.json");
    this.#settings = settings;
  }

  readonly add = (scores: readonly SubclusterImportance[]): void => {
    this.#scores.push(...scores);
  };

  /** Names a file that is written already, for the message of an interruption. */
  addFile(path: string): void {
    this.#kept.push(path);
  }

  /**
   * Runs `work` and writes down what is done when it is interrupted; then throws `E_INTERRUPTED` with the names of
   * all files that are kept. The partial scores of an earlier run go once `work` is done.
   */
  async keepOnInterrupt<T>(work: () => Promise<T>): Promise<T> {
    try {
      const result = await work();
      if (this.#path !== null) await removeFile(this.#path);
      return result;
    } catch (error) {
      if (!(error instanceof BrodmannError) || error.code !== "E_INTERRUPTED") throw error;
      if (this.#path !== null && this.#scores.length > 0) {
        await writeText(this.#path, formatPartialScores(this.#scores, this.#settings));
        this.#kept.push(`${this.#path} (${this.#scores.length} subclusters of finished layers)`);
      }
      throw new BrodmannError("E_INTERRUPTED", `interrupted; kept: ${this.#kept.join(", ") || "nothing"}`, {
        hint:
          this.#path === null
            ? "With --out, a run keeps what is done when it is interrupted."
            : "The same command again makes the rest.",
        cause: error,
      });
    }
  }
}
