import { makeUntypedValueInfo } from "../runtime/onnx.ts";
import { floatValues, Session } from "../runtime/session.ts";
import { rowsPerRun, threadsFor } from "./batching.ts";
import type { LesionBatch, LesionRunner } from "./lesion-runner.ts";
import { encodePart, partOf } from "./model-graph.ts";
import type { Network } from "./network.ts";
import { inputFeed, inputInfo } from "./network-input.ts";
import { LOG_PROBABILITIES, logProbabilityNode } from "./outcomes.ts";

/** The network as it is, whatever the lesion: for the baseline, and for layers that the logits do not depend on. */
export async function createIdleRunner(network: Network): Promise<LesionRunner> {
  const { graph, probe } = network;
  const part = partOf(graph, [network.logits], new Set([probe.input]));
  const model = encodePart(graph, {
    nodes: [...part.nodes, logProbabilityNode(network)],
    initializers: part.initializers,
    inputs: [inputInfo(probe)],
    outputs: [makeUntypedValueInfo(LOG_PROBABILITIES)],
  });
  const session = await Session.create(model, { label: network.name, ...threadsFor(network) });
  return {
    inputsAtOnce: rowsPerRun(network, part.nodes),
    lesionsAtOnce: 1,
    runsApart: 1,
    async load(inputs, rows) {
      const outputs = await session.run(inputFeed(probe, inputs, rows));
      const logProbabilities = floatValues(outputs[LOG_PROBABILITIES], network.logits);
      const run = async () => logProbabilities;
      const batch: LesionBatch = {
        bytes: logProbabilities.byteLength,
        run,
        runApart: run,
        withMeans: () => batch,
        withDonors: async () => batch,
      };
      return batch;
    },
    dispose: () => session.dispose(),
  };
}
