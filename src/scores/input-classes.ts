import type { Network } from "../network/network.ts";
import { classCount, countClasses, type LabelledInputs } from "../network/outcomes.ts";
import { taskOf } from "../network/task.ts";

/** The class of each input. */
export interface InputClasses {
  readonly labels: Int32Array;
  /** Inputs of each class. */
  readonly counts: Int32Array;
}

/** The classes of the inputs; null where these have none or several, as in a regression or with a token at each position. */
export function inputClasses(network: Network, { labels }: LabelledInputs): InputClasses | null {
  if (taskOf(network).name !== "classification") return null;
  return { labels, counts: countClasses(labels, classCount(network)) };
}
