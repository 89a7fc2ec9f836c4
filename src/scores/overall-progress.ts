import type { Progress, RunOptions } from "../progress.ts";

/** Progress over all layers: hands out options for one part of the work after another. */
export class OverallProgress {
  readonly #options: RunOptions;
  readonly #total: number;
  readonly #startMs = performance.now();
  #finished = 0;
  #before = 0;

  constructor(options: RunOptions, total: number) {
    this.#options = options;
    this.#total = total;
  }

  next(): RunOptions {
    const offset = this.#before;
    return {
      signal: this.#options.signal,
      onProgress: ({ phase, done }: Progress) => this.#report(phase, offset + done),
    };
  }

  /** Counts a layer as done, whatever its verdicts did not need. */
  finish(steps: number): void {
    this.#finished += steps;
    this.#report("lesions", Math.max(this.#before, this.#finished));
  }

  #report(phase: string, done: number): void {
    this.#before = done;
    const elapsedMs = performance.now() - this.#startMs;
    const etaMs = done > 0 ? (elapsedMs / done) * (this.#total - done) : null;
    this.#options.onProgress?.({ phase, done, total: this.#total, etaMs });
  }
}
