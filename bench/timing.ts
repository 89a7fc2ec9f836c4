/** Times and checks of the benches; runs in pages as well. */

/** The quantile of ascending values, by the nearest rank. */
export function quantile(ascending: readonly number[], share: number): number {
  const rank = Math.max(1, Math.ceil(share * ascending.length));
  return ascending[rank - 1] ?? Number.NaN;
}

/** Wall times of several runs in milliseconds. */
export interface Times {
  readonly medianMs: number;
  readonly p95Ms: number;
  /** Other load on a machine only ever adds time, so rates and ratios are taken from this. */
  readonly minMs: number;
  readonly runs: number;
}

/** Median, 95 % quantile and least of some times. */
export function summarize(timesMs: readonly number[]): Times {
  const times = [...timesMs].sort((a, b) => a - b);
  return {
    medianMs: quantile(times, 0.5),
    p95Ms: quantile(times, 0.95),
    minMs: times[0] ?? Number.NaN,
    runs: times.length,
  };
}

/** Runs until `budgetMs` are spent: `least` times at least (unless it takes ten times as long) and `most` times at most. */
export interface RunLimits {
  readonly least: number;
  readonly most: number;
  readonly budgetMs: number;
  /** Untimed runs before. */
  readonly warmUps: number;
}

/** Times `work`, each run after an untimed `prepare`. */
export async function timeRuns(
  work: () => Promise<unknown> | unknown,
  limits: RunLimits,
  prepare: () => Promise<void> | void = () => {},
): Promise<Times> {
  const times: number[] = [];
  let spent = 0;
  for (let run = -limits.warmUps; run < limits.most; run++) {
    if (run >= limits.least && spent >= limits.budgetMs) break;
    if (run >= 1 && limits.budgetMs > 0 && spent >= 10 * limits.budgetMs) break;
    await prepare();
    const start = performance.now();
    await work();
    const elapsed = performance.now() - start;
    if (run < 0) continue;
    times.push(elapsed);
    spent += elapsed;
  }
  return summarize(times);
}

/** Runs `work` once to warm up and then `runs` times, each after an untimed `prepare`. */
export function measure(
  work: () => Promise<unknown> | unknown,
  runs: number,
  prepare: () => void = () => {},
): Promise<Times> {
  return timeRuns(work, { least: runs, most: runs, budgetMs: 0, warmUps: 1 }, prepare);
}

/** Throws when a checked answer is wrong, so that no time is reported for it. */
export function check(isRight: boolean, what: string): void {
  if (!isRight) throw new Error(`bench: ${what}`);
}
