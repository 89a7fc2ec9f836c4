import { BrodmannError } from "../errors.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import { batchesOf, padBatch } from "./batching.ts";
import { createIdleRunner } from "./idle-lesions.ts";
import type { Network } from "./network.ts";
import { classCount, countClasses, type LabelledInputs, type Outcome } from "./outcomes.ts";
import { createTally } from "./tally.ts";
import { withTask } from "./task.ts";

/**
 * Accuracy per class and loss of the intact network.
 *
 * @example
 * const { correct, loss } = await evaluateNetwork(network, digits);
 */
export async function evaluateNetwork(
  given: Network,
  data: LabelledInputs,
  options: RunOptions = {},
): Promise<Outcome> {
  const network = withTask(given, data);
  countClasses(data.labels, classCount(network));
  const runner = await createIdleRunner(network);
  const counter = new StepCounter("baseline", data.count, options);
  const tally = createTally(network, data, 1);
  try {
    for (const { start, rows } of batchesOf(data.count, runner.inputsAtOnce)) {
      const size = network.probe.fixedBatch ?? rows;
      const batch = await runner.load(padBatch(data.batch(start, rows), rows, size), size);
      tally.count(0, await batch.run([]), 0, start, rows);
      counter.advance(rows);
    }
  } finally {
    await runner.dispose();
  }
  const [outcome] = tally.outcomes();
  if (outcome === undefined || !Number.isFinite(outcome.loss)) {
    throw new BrodmannError(
      "E_NETWORK_NOT_FINITE",
      `${network.name}: the loss of the intact network is not finite`,
      {
        hint: "Check that the inputs are scaled as the network expects (--mean, --std).",
      },
    );
  }
  return outcome;
}
