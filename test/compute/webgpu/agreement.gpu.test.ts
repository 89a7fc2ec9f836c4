/** Graphs and partitions of a small network with convolutions, on the GPU and on the CPU. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Compute } from "../../../src/compute/compute.ts";
import { createCpuCompute } from "../../../src/compute/cpu/cpu-compute.ts";
import { createWebgpuCompute } from "../../../src/compute/webgpu/webgpu-compute.ts";
import { buildActivationGraph } from "../../../src/graph/activation-graph.ts";
import { buildWeightGraph } from "../../../src/graph/weight-graph.ts";
import { loadNetworkBytes, type Network } from "../../../src/network/network.ts";
import { partitionGraph } from "../../../src/partition/partition-graph.ts";
import { expectSameQuality, expectSameWeights } from "../../support/agreement.ts";
import { openTestGpu } from "../../support/gpu.ts";
import { randomData, sketch } from "../../support/models.ts";

let webgpu: Compute;
let cpu: Compute;
let network: Network;
beforeAll(async () => {
  webgpu = createWebgpuCompute(await openTestGpu());
  cpu = await createCpuCompute();
  network = await loadNetworkBytes(smallCnn(), "small-cnn");
});
afterAll(async () => {
  await webgpu?.dispose();
  await cpu?.dispose();
});

/** Three convolutions of 12, 16 and 20 channels with batch norms and pooling, and a dense layer. */
function smallCnn(): Uint8Array {
  const model = sketch([2, 8, 8]);
  const { node } = model;
  let value = model.input;
  let inputs = 2;
  for (const [number, units] of [12, 16, 20].entries()) {
    const made = model.conv(value, { name: `conv${number}`, inputs, units });
    value = node("Relu", [model.batchNorm(made, `norm${number}`, units)]);
    if (number < 2) value = node("MaxPool", [value], { kernel_shape: [2n, 2n], strides: [2n, 2n] });
    inputs = units;
  }
  const flat = node("Flatten", [value]);
  return model.encode(model.dense(flat, "logits", 20 * 2 * 2, 5));
}

const data = randomData(120, [2, 8, 8], 5);

test.each([
  ["weights", "global"],
  ["weights", "local"],
  ["activations", "global"],
  ["activations", "local"],
] as const)(
  "a small CNN, %s, %s: graph and partition as on the CPU, the same bytes again",
  async (kind, scope) => {
    const build = (compute: Compute) =>
      kind === "weights"
        ? buildWeightGraph(network, compute, { scope })
        : buildActivationGraph(network, data, compute, { scope, samples: data.count, seed: 0 });
    const [expected, found] = [await build(cpu), await build(webgpu)];
    expectSameWeights(found, expected);
    await expectSameQuality(cpu, webgpu, expected, found, 3);
    const again = await build(webgpu);
    expect(again).toEqual(found);
    const settings = { method: "spectral", k: 3, seed: 0 } as const;
    expect(await partitionGraph(webgpu, again, settings)).toEqual(
      await partitionGraph(webgpu, found, settings),
    );
  },
);
