import { BrodmannError } from "../errors.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import { batchesOf, padBatch } from "./batching.ts";
import { createIdleRunner } from "./idle-lesions.ts";
import type { Network } from "./network.ts";
import { bestClass, type InputSource } from "./outcomes.ts";
import { taskOf } from "./task.ts";

/**
 * The class that a network gives each input, -1 where its logits are no numbers; null where it is no classifier.
 *
 * @example
 * const answers = await predictClasses(network, digits);
 */
export async function predictClasses(
  network: Network,
  data: InputSource,
  options: RunOptions = {},
): Promise<Int32Array | null> {
  const classes = classesOf(network);
  if (classes === 0) return null;
  const predictions = new Int32Array(data.count);
  const runner = await createIdleRunner(network);
  const counter = new StepCounter("answers", data.count, options);
  try {
    for (const { start, rows } of batchesOf(data.count, runner.inputsAtOnce)) {
      const size = network.probe.fixedBatch ?? rows;
      await runner.load(padBatch(data.batch(start, rows), rows, size), size);
      const answers = await runner.run([]);
      for (let row = 0; row < rows; row++) {
        predictions[start + row] = bestClass(answers, row * classes, classes);
      }
      counter.advance(rows);
    }
  } finally {
    await runner.dispose();
  }
  return predictions;
}

function classesOf(network: Network): number {
  try {
    const { name, width } = taskOf(network);
    return name === "classification" ? width : 0;
  } catch (error) {
    // An encoder may have any output.
    if (error instanceof BrodmannError && error.code === "E_NETWORK_OUTPUT") return 0;
    throw error;
  }
}
