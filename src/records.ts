/**
 * What a long computation leaves behind as it goes, so that another run may go on from there: values under keys.
 */
import { BrodmannError } from "./errors.ts";

/** Accepted by what takes so long that it should survive an interruption. */
export interface RecordOptions {
  /** What an earlier run has recorded: the values of every key, in their order. */
  readonly earlier?: Records | undefined;
  /** Called with every further value as soon as it is known; plain data without undefined members. */
  readonly onRecord?: ((key: string, value: unknown) => void) | undefined;
}

/** Recorded values by key, in the order in which they came. */
export type Records = ReadonlyMap<string, readonly unknown[]>;

/** Stands in for a computation where only records are at hand: throws `E_INPUT_JOURNAL` for the key that they lack. */
export function missingRecord(key: string): () => Promise<never> {
  return async () => {
    throw new BrodmannError("E_INPUT_JOURNAL", `journal: found no complete ${key}, expected one`, {
      hint: "Continue the run that wrote it: the same command with --resume.",
    });
  };
}

/**
 * A value of plain data (numbers, texts, arrays, objects) that is computed once: the recorded one, or a new one which
 * is recorded.
 *
 * @example
 * const baseline = await recorded(options, "baseline", () => measureBaseline(network));
 */
export async function recorded<T>(
  { earlier, onRecord }: RecordOptions,
  key: string,
  compute: () => Promise<T>,
): Promise<T> {
  const [known] = earlier?.get(key) ?? [];
  if (known !== undefined) return known as T;
  const value = await compute();
  onRecord?.(key, value);
  return value;
}
