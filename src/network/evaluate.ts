import { BrodmannError } from "../errors.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import { makeUntypedValueInfo } from "../runtime/onnx.ts";
import { floatValues, Session } from "../runtime/session.ts";
import { batchesOf, padBatch, rowsPerRun } from "./batching.ts";
import { encodePart, partOf } from "./model-graph.ts";
import type { Network } from "./network.ts";
import { inputFeed, inputInfo } from "./network-input.ts";
import {
  classCount,
  countClasses,
  type LabelledInputs,
  LOG_PROBABILITIES,
  logProbabilityNode,
  type Outcome,
} from "./outcomes.ts";
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
  const { graph, probe } = network;
  const part = partOf(graph, [network.logits], new Set([probe.input]));
  const model = encodePart(graph, {
    nodes: [...part.nodes, logProbabilityNode(network)],
    initializers: part.initializers,
    inputs: [inputInfo(probe)],
    outputs: [makeUntypedValueInfo(LOG_PROBABILITIES)],
  });
  const session = await Session.create(model, { label: network.name });
  const rowsAtOnce = rowsPerRun(network, part.nodes);
  const counter = new StepCounter("baseline", data.count, options);
  const tally = createTally(network, data, 1);
  try {
    for (const { start, rows } of batchesOf(data.count, rowsAtOnce)) {
      const size = probe.fixedBatch ?? rows;
      const inputs = padBatch(data.batch(start, rows), rows, size);
      const outputs = await session.run(inputFeed(probe, inputs, size));
      const values = floatValues(outputs[LOG_PROBABILITIES], network.logits);
      tally.count(0, values, 0, start, rows);
      counter.advance(rows);
    }
  } finally {
    await session.dispose();
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
