import { type RunOptions, StepCounter } from "../progress.ts";

/** How long plain loops may run before signals and timers get their turn. */
const TURN_MS = 50;

/** Values of sets, one after another; an interruption is noticed within a fraction of a second. */
export async function evaluateEach<Value>(
  sets: readonly Int32Array[],
  evaluate: (set: Int32Array, number: number) => Value,
  options: RunOptions,
): Promise<Value[]> {
  const counter = new StepCounter("coherence", sets.length, options);
  const values: Value[] = [];
  let reported = 0;
  let turnMs = performance.now();
  for (const [number, set] of sets.entries()) {
    values.push(evaluate(set, number));
    if (performance.now() - turnMs < TURN_MS) continue;
    await new Promise((resolve) => setTimeout(resolve));
    counter.advance(values.length - reported);
    reported = values.length;
    turnMs = performance.now();
  }
  counter.advance(values.length - reported);
  return values;
}
