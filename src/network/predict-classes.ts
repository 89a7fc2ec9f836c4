import { type RunOptions, StepCounter } from "../progress.ts";
import { batchesOf, padBatch } from "./batching.ts";
import { createIdleRunner } from "./idle-lesions.ts";
import type { Network } from "./network.ts";
import { bestClass, type InputSource } from "./outcomes.ts";
import { answeredClasses } from "./task.ts";

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
  const classes = answeredClasses(network);
  if (classes === 0) return null;
  const predictions = new Int32Array(data.count);
  const runner = await createIdleRunner(network);
  const counter = new StepCounter("answers", data.count, options);
  try {
    for (const { start, rows } of batchesOf(data.count, runner.inputsAtOnce)) {
      const size = network.probe.fixedBatch ?? rows;
      const batch = await runner.load(padBatch(data.batch(start, rows), rows, size), size);
      const answers = await batch.run([]);
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
