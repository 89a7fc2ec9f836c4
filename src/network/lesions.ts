/**
 * Lesions of one layer: sets of its units are silenced together and the network's outcome is counted.
 *
 * Everything in front of the layer's output runs once per batch of inputs; the values that cross the cut are kept
 * and only the rest of the network runs again. Memory is bounded by the batch. Two ways to run the rest:
 * `masked` (any network) multiplies the layer's output by a mask, many lesions a run; `subtracting` (a dense layer
 * reads the output) takes the lesioned units' contribution off the reader's sums instead of multiplying again.
 */
import { type RunOptions, StepCounter } from "../progress.ts";
import { batchesOf, padBatch } from "./batching.ts";
import { atConsumer } from "./consumer-site.ts";
import { evaluateNetwork } from "./evaluate.ts";
import { reachesLogits } from "./lesion-model.ts";
import type { LesionRunner } from "./lesion-runner.ts";
import { createMaskedRunner } from "./masked-lesions.ts";
import type { Layer, Network } from "./network.ts";
import { classCount, countClasses, type LabelledInputs, type Outcome } from "./outcomes.ts";
import { createSubtractingRunner } from "./subtracting-lesions.ts";
import { createTally } from "./tally.ts";
import { answerSize, withTask } from "./task.ts";

export interface LesionOptions extends RunOptions {
  /** Name of the only layer that reads the silenced units as silent; default: all that read them. */
  readonly consumer?: string | undefined;
}

/** The network and the layer with its output where lesions act. */
function lesionSite(network: Network, layer: Layer, { consumer }: LesionOptions) {
  return consumer === undefined ? { network, layer } : atConsumer(network, layer, consumer);
}

/**
 * Outcomes of the network with each set of the layer's units silenced (multiplied by zero at the layer's output).
 * An empty set gives the intact network's outcome. Progress counts lesions x inputs.
 *
 * @example
 * const [outcome] = await runLesions(network, layer, [Int32Array.of(1, 5, 9)], digits);
 */
export async function runLesions(
  given: Network,
  whole: Layer,
  lesions: readonly Int32Array[],
  data: LabelledInputs,
  options: LesionOptions = {},
): Promise<Outcome[]> {
  const { network, layer } = lesionSite(withTask(given, data), whole, options);
  if (!reachesLogits(network, layer.output.value)) {
    const intact = await evaluateNetwork(network, data, options);
    return lesions.map(() => intact);
  }
  countClasses(data.labels, classCount(network));
  const size = answerSize(network);
  const tally = createTally(network, data, lesions.length);
  const counter = new StepCounter(`lesions of ${layer.name}`, lesions.length * data.count, options);
  const runner = await createLesionRunner(network, layer, data.count);
  try {
    for (const { start, rows } of batchesOf(data.count, runner.inputsAtOnce)) {
      const loaded = network.probe.fixedBatch ?? rows;
      await runner.load(padBatch(data.batch(start, rows), rows, loaded), loaded);
      for (const { start: first, rows: count } of batchesOf(lesions.length, runner.lesionsAtOnce)) {
        const logProbabilities = await runner.run(lesions.slice(first, first + count));
        for (let lesion = 0; lesion < count; lesion++) {
          tally.count(first + lesion, logProbabilities, lesion * loaded * size, start, rows);
        }
        counter.advance(count * rows);
      }
    }
  } finally {
    await runner.dispose();
  }
  return tally.outcomes();
}

/** The fastest runner for a layer; `inputs` is how many will be run in all. */
export async function createLesionRunner(
  network: Network,
  layer: Layer,
  inputs: number,
): Promise<LesionRunner> {
  return (
    (await createSubtractingRunner(network, layer, inputs)) ?? createMaskedRunner(network, layer, inputs)
  );
}
