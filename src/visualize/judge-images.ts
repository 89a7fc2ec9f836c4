import { batchesOf, padBatch, rowsPerRun } from "../network/batching.ts";
import { encodePart, partOf } from "../network/model-graph.ts";
import type { Layer, Network } from "../network/network.ts";
import { inputFeed, inputInfo } from "../network/network-input.ts";
import { answeredClasses } from "../network/task.ts";
import { unitMeans } from "../network/unit-means.ts";
import { makeNode, makeUntypedValueInfo } from "../runtime/onnx.ts";
import { floatValues, Session } from "../runtime/session.ts";

/** What a network makes of images. */
export interface ImageAnswers {
  /** Entropy of its classes for each image, in nats; NaN for a network that has none. */
  readonly entropy: Float64Array;
  /** Images x units: the positive part of each unit's pre-activation, summed over its positions. */
  readonly drive: Float32Array;
}

/** A network that looks at finished images; `dispose()` ends its session. */
export interface ImageJudge {
  /** Of inputs as the network reads them, `count` of them one behind the other. */
  answer(inputs: Float32Array, count: number): Promise<ImageAnswers>;
  dispose(): Promise<void>;
}

/** Opens a network for what it makes of images: its classes, and the units of one layer. */
export async function openJudge(network: Network, layer: Layer): Promise<ImageJudge> {
  const { graph, probe, logits } = network;
  const positive = "brodmann/positive";
  const { value: site } = layer.preActivation;
  const means = unitMeans(network, layer.preActivation, layer.units, "brodmann/drive", positive);
  const part = partOf(graph, [logits, site], new Set([probe.input]));
  const model = encodePart(graph, {
    nodes: [...part.nodes, makeNode("Relu", [site], [positive]), ...means.nodes],
    initializers: [...part.initializers, ...means.initializers],
    inputs: [inputInfo(probe)],
    outputs: [means.value, logits].map(makeUntypedValueInfo),
  });
  const classes = answeredClasses(network);
  const sizes = probe.values.get(site)?.shape ?? [];
  const positions =
    sizes.reduce((product, size) => product * size, 1) / (probe.fixedBatch ?? 1) / layer.units;
  // It runs once where the gradients run in every step: its threads must not keep a core from them.
  const session = await Session.create(model, { label: network.name, isOccasional: true });
  return {
    async answer(inputs, count) {
      const entropy = new Float64Array(count).fill(Number.NaN);
      const drive = new Float32Array(count * layer.units);
      const width = inputs.length / Math.max(1, count);
      for (const { start, rows } of batchesOf(count, rowsPerRun(network, part.nodes))) {
        const size = probe.fixedBatch ?? rows;
        const batch = padBatch(inputs.subarray(start * width, (start + rows) * width), rows, size);
        const made = await session.run(inputFeed(probe, batch, size));
        const values = floatValues(made[means.value], means.value).subarray(0, rows * layer.units);
        drive.set(
          values.map((mean) => mean * positions),
          start * layer.units,
        );
        if (classes === 0) continue;
        const answers = floatValues(made[logits], logits);
        for (let row = 0; row < rows; row++) {
          entropy[start + row] = entropyOf(answers.subarray(row * classes, (row + 1) * classes));
        }
      }
      return { entropy, drive };
    },
    dispose: () => session.dispose(),
  };
}

/** Entropy of a softmax: ln(sum e^(x - max)) + max - sum p x. */
function entropyOf(logits: Float32Array): number {
  const most = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  let total = 0;
  let weighted = 0;
  for (const value of logits) {
    const share = Math.exp(value - most);
    total += share;
    weighted += share * (value - most);
  }
  return Math.log(total) - weighted / total;
}
