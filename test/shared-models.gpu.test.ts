/**
 * Graphs and partitions of a convolutional network on the GPU and on the CPU, where the folder that holds it is there. An
 * MLP is among the examples (webgpu-compute.gpu.test.ts).
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Compute } from "../src/compute/compute.ts";
import { createCpuCompute } from "../src/compute/cpu/cpu-compute.ts";
import { createWebgpuCompute } from "../src/compute/webgpu/webgpu-compute.ts";
import { loadDataset } from "../src/data/dataset.ts";
import { reshapeInputs } from "../src/data/reshape-inputs.ts";
import { buildUnitGraph } from "../src/graph/build-unit-graph.ts";
import { loadNetworkBytes } from "../src/network/network.ts";
import { expectSameQuality, expectSameWeights } from "./support/agreement.ts";
import { openTestGpu } from "./support/gpu.ts";

const SHARED = new URL("../../shared/", import.meta.url);
const MODEL = new URL("models/mnist-cnn.onnx", SHARED);
const isThere = existsSync(MODEL);
const SAMPLES = 150;

const title = isThere
  ? "a shared network"
  : "a shared network (SKIPPED: no folder ../shared beside the checkout)";

describe.skipIf(!isThere)(title, () => {
  let webgpu: Compute;
  let cpu: Compute;
  beforeAll(async () => {
    webgpu = createWebgpuCompute(await openTestGpu());
    cpu = await createCpuCompute();
  });
  afterAll(async () => {
    await webgpu?.dispose();
    await cpu?.dispose();
  });

  it.each(
    (["weights", "activations"] as const).flatMap((kind) =>
      (["global", "local"] as const).map((scope) => [kind, scope] as const),
    ),
  )("%s, %s: as on the CPU", async (kind, scope) => {
    const network = await loadNetworkBytes(await readFile(MODEL), "mnist-cnn");
    const digits = fileURLToPath(new URL("data/t10k-images-idx3-ubyte.gz", SHARED));
    const data = reshapeInputs(await loadDataset(digits, { take: SAMPLES }), network.inputShape);
    const options = { kind, scope, samples: SAMPLES, seed: 0 };
    const expected = await buildUnitGraph(network, data, cpu, options);
    const found = await buildUnitGraph(network, data, webgpu, options);
    expectSameWeights(found, expected);
    expect(found.matrix.size).toBeGreaterThan(100);
    await expectSameQuality(cpu, webgpu, expected, found, scope === "global" ? 16 : 4);
  });
});

// Skipped checks must not look like passed ones.
if (!isThere) {
  console.warn("test/shared-models.gpu.test.ts: skipped, there is no ../shared/models beside the checkout");
}
