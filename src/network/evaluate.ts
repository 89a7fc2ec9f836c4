import { BrodmannError } from "../errors.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import { batchesOf, padBatch } from "./batching.ts";
import { createIdleRunner } from "./idle-lesions.ts";
import type { Network } from "./network.ts";
import { classCount, countClasses, type LabelledInputs, type Outcome, OutcomeTally } from "./outcomes.ts";

/**
 * Accuracy per class and loss of the intact network.
 *
 * @example
 * const { correct, loss } = await evaluateNetwork(network, digits);
 */
export async function evaluateNetwork(
  network: Network,
  data: LabelledInputs,
  options: RunOptions = {},
): Promise<Outcome> {
  const classes = classCount(network);
  countClasses(data.labels, classes);
  const runner = await createIdleRunner(network);
  const counter = new StepCounter("baseline", data.count, options);
  const tally = new OutcomeTally(1, classes);
  try {
    for (const { start, rows } of batchesOf(data.count, runner.inputsAtOnce)) {
      const size = network.probe.fixedBatch ?? rows;
      await runner.load(padBatch(data.batch(start, rows), rows, size), size);
      tally.count(0, await runner.run([]), 0, data.labels, start, rows);
      counter.advance(rows);
    }
  } finally {
    await runner.dispose();
  }
  const [outcome] = tally.outcomes(data.count);
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
