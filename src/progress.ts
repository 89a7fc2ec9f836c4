import { BrodmannError } from "./errors.ts";

/** How far a long computation is: `done` of `total` steps of `phase`; `etaMs` is null until it can be told. */
export interface Progress {
  readonly phase: string;
  readonly done: number;
  readonly total: number;
  readonly etaMs: number | null;
}

/** Accepted by everything that takes long. */
export interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Counts the steps of one phase: reports progress with the time left, and throws `E_INTERRUPTED` once the
 * signal is aborted, so that a long loop needs one call per step and nothing else.
 *
 * @example
 * const counter = new StepCounter("lesions", lesions.length, options);
 * for (const lesion of lesions) { await run(lesion); counter.advance(1); }
 */
export class StepCounter {
  readonly #phase: string;
  readonly #total: number;
  readonly #options: RunOptions;
  readonly #startMs = performance.now();
  #done = 0;
  #breathMs = this.#startMs;

  constructor(phase: string, total: number, options: RunOptions = {}) {
    this.#phase = phase;
    this.#total = total;
    this.#options = options;
    this.advance(0);
  }

  /** Counts `steps` more as done. */
  advance(steps: number): void {
    throwIfAborted(this.#options.signal);
    this.#done += steps;
    const elapsedMs = performance.now() - this.#startMs;
    const etaMs = this.#done > 0 ? (elapsedMs / this.#done) * (this.#total - this.#done) : null;
    this.#options.onProgress?.({ phase: this.#phase, done: this.#done, total: this.#total, etaMs });
  }

  /**
   * Counts `steps` more as done, for loops of quick steps that wait for nothing: reports, and lets an abort in, every
   * 100 ms at most.
   */
  async pace(steps: number): Promise<void> {
    this.#done += steps;
    const isLast = steps > 0 && this.#done === this.#total;
    if (!isLast && performance.now() - this.#breathMs < BREATH_MS) return;
    await new Promise((resolve) => setTimeout(resolve));
    this.#breathMs = performance.now();
    this.advance(0);
  }
}

/** Time that a computation may take between two looks at what else happens in the process, such as an abort. */
const BREATH_MS = 100;

/** Throws `E_INTERRUPTED` when the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new BrodmannError("E_INTERRUPTED", "interrupted", { cause: signal.reason });
}
