/** Whole analyses on the GPU against those on the CPU, within the contract's tolerances. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Compute, SymmetricMatrix } from "../../../src/compute/compute.ts";
import { createCpuCompute } from "../../../src/compute/cpu/cpu-compute.ts";
import { GpuDevice } from "../../../src/compute/webgpu/gpu-device.ts";
import { readShaderFile, requestNodeAdapter } from "../../../src/compute/webgpu/open-node-gpu.ts";
import { createWebgpuCompute } from "../../../src/compute/webgpu/webgpu-compute.ts";
import { loadDataset } from "../../../src/data/dataset.ts";
import { buildActivationGraph } from "../../../src/graph/activation-graph.ts";
import type { UnitGraph } from "../../../src/graph/unit-graph.ts";
import { buildWeightGraph } from "../../../src/graph/weight-graph.ts";
import { loadNetwork } from "../../../src/network/load-network.ts";
import type { Network } from "../../../src/network/network.ts";
import { partitionGraph } from "../../../src/partition/partition-graph.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { expectSameQuality, expectSameWeights } from "../../support/agreement.ts";
import { catchError } from "../../support/catch-error.ts";
import { openTestGpu } from "../../support/gpu.ts";
import { REFERENCE_GRAPHS, scaleWeights, within } from "../../support/reference-graphs.ts";

let device: GpuDevice;
let webgpu: Compute;
let cpu: Compute;
let network: Network;
beforeAll(async () => {
  device = await openTestGpu();
  webgpu = createWebgpuCompute(device);
  cpu = await createCpuCompute();
  network = await loadNetwork(example("mnist-mlp.onnx"));
});
// Errors of work that nobody read back fail the test that did it.
afterEach(() => device.finish());
afterAll(async () => {
  await webgpu?.dispose();
  await cpu?.dispose();
});

function example(name: string): string {
  return fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));
}

const references = JSON.parse(
  readFileSync(new URL("../../fixtures/partition-references.json", import.meta.url), "utf8"),
) as Record<string, { k: number; ncut: number; modularity: number }>;

function graphOf(matrix: SymmetricMatrix): UnitGraph {
  return {
    kind: "weights",
    scope: "global",
    layers: [{ name: "all", units: matrix.size }],
    layer: new Int32Array(matrix.size),
    unit: Int32Array.from({ length: matrix.size }, (_, unit) => unit),
    matrix,
    parts: [{ nodeStart: 0, nodeCount: matrix.size, keeps: [0] }],
    facts: {},
  };
}

describe("reference graphs", () => {
  test.each(Object.keys(REFERENCE_GRAPHS))("%s: the n-cut of the CPU and of scikit-learn", async (name) => {
    const matrix = (REFERENCE_GRAPHS[name] as () => SymmetricMatrix)();
    const { k, ncut } = references[name] as { k: number; ncut: number };
    await expectSameQuality(cpu, webgpu, graphOf(matrix), graphOf(matrix), k);
    const { quality } = await partitionGraph(webgpu, graphOf(matrix), { method: "spectral", k, seed: 0 });
    expect(quality?.ncut).toBeLessThan(1.01 * ncut);
  });
});

describe("mnist-mlp", () => {
  test.each(["global", "local"] as const)("%s weight graph and partition", async (scope) => {
    const expected = await buildWeightGraph(network, cpu, { scope });
    const found = await buildWeightGraph(network, webgpu, { scope });
    expectSameWeights(found, expected);
    await expectSameQuality(cpu, webgpu, expected, found, scope === "global" ? 16 : 4);
  });

  test.each(["global", "local"] as const)("%s activation graph and partition", async (scope) => {
    const digits = await loadDataset(example("mnist-digits.npz"), network);
    const options = { scope, samples: 300, seed: 0 };
    const expected = await buildActivationGraph(network, digits, cpu, options);
    const found = await buildActivationGraph(network, digits, webgpu, options);
    expectSameWeights(found, expected);
    await expectSameQuality(cpu, webgpu, expected, found, 8);
  });
});

describe("eigenpairs", () => {
  test("are those of the CPU and orthonormal", async () => {
    const matrix = within(500, 5, 2, 3);
    const pairs = await webgpu.spectralEmbedding(matrix, 6, rng(0, "eigenvectors"));
    const expected = await cpu.spectralEmbedding(matrix, 6, rng(0, "eigenvectors"));
    expect(pairs.residual).toBeLessThan(2e-5);
    for (let pair = 0; pair < 6; pair++) {
      expect(pairs.values[pair]).toBeCloseTo(expected.values[pair] as number, 5);
      for (let other = 0; other <= pair; other++) {
        let sum = 0;
        for (let node = 0; node < 500; node++) {
          sum += (pairs.vectors[node * 6 + pair] as number) * (pairs.vectors[node * 6 + other] as number);
        }
        expect(sum).toBeCloseTo(pair === other ? 1 : 0, 5);
      }
    }
    expect(await webgpu.spectralEmbedding(matrix, 6, rng(0, "eigenvectors"))).toEqual(pairs);
  });

  test.each([2 ** 30, 2 ** -19, 2 ** 105, 2 ** -105])(
    "weights times %f: the same partition",
    async (factor) => {
      const matrix = within(300, 4, 3, 8);
      const settings = { method: "spectral", k: 4, seed: 0 } as const;
      const expected = await partitionGraph(webgpu, graphOf(matrix), settings);
      const found = await partitionGraph(webgpu, graphOf(scaleWeights(matrix, factor)), settings);
      expect(found.layers).toEqual(expected.layers);
    },
  );
});

test("repeated runs give the same bytes and leave the number of buffers as it was", async () => {
  const matrix = within(260, 4, 3, 1);
  const run = async () => {
    const stream = rng(1, "activations");
    const values = Float32Array.from({ length: 40 * 90 }, stream.normal);
    const { values: squared } = await webgpu.correlations(values, 40, 90, "spearman");
    const partition = await partitionGraph(webgpu, graphOf(matrix), { method: "spectral", k: 4, seed: 0 });
    return { squared, partition };
  };
  const first = await run();
  const { liveBuffers, lentBuffers } = device;
  for (let repeat = 0; repeat < 3; repeat++) expect(await run()).toEqual(first);
  expect(device.liveBuffers).toBe(liveBuffers);
  expect(device.lentBuffers).toBe(lentBuffers);
});

test("a device that is lost ends the work with its report", async () => {
  const raw = await (await requestNodeAdapter("software")).requestDevice();
  const { facts } = device;
  const compute = createWebgpuCompute(new GpuDevice(raw, { readShader: readShaderFile, facts }));
  const matrix = within(260, 4, 3, 1);
  await compute.degrees(matrix);
  raw.destroy();
  await raw.lost;
  const error = await catchError(() => compute.spectralEmbedding(matrix, 4, rng(0, "eigenvectors")));
  expect(error.code).toBe("E_DEVICE_LOST");
  expect(error.hint).toContain("--device cpu");
  await compute.dispose();
});

test("empty inputs", async () => {
  const none = new Float32Array(0);
  const empty = { size: 0, blocks: [] };
  expect((await webgpu.kernelNorms({ outputs: 0, inputs: 3, taps: 9, values: none }, "l1")).length).toBe(0);
  expect((await webgpu.correlations(none, 0, 5, "spearman")).values.length).toBe(0);
  expect((await webgpu.distances(none, 0, 5, "euclidean")).length).toBe(0);
  expect((await webgpu.degrees(empty)).length).toBe(0);
  expect(await webgpu.clusterWeights(empty, new Int32Array(0), 2)).toEqual({
    inside: new Float64Array(2),
    volume: new Float64Array(2),
  });
});
