/** Many analyses in one process: the number of GPU buffers and the resident memory stay where they are. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { createWebgpuCompute } from "../../../src/compute/webgpu/webgpu-compute.ts";
import { buildActivationGraph } from "../../../src/graph/activation-graph.ts";
import { buildWeightGraph } from "../../../src/graph/weight-graph.ts";
import { loadNetworkBytes } from "../../../src/network/network.ts";
import { partitionGraph } from "../../../src/partition/partition-graph.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { openTestGpu } from "../../support/gpu.ts";
import { plantedMlp } from "../../support/planted.ts";
import { within } from "../../support/reference-graphs.ts";

const ANALYSES = 200;
/** By then all pools are filled and all code is compiled. */
const SETTLED = 20;
/** Resident memory goes up and down by 20 MiB from one analysis to the next; 1/3 MiB lost by each would show. */
const MARGIN_BYTES = 60 * 2 ** 20;

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

test(`${ANALYSES} analyses keep buffers and memory flat`, { timeout: 180_000 }, async () => {
  const device = await openTestGpu();
  const compute = createWebgpuCompute(device);
  const planted = plantedMlp(0);
  const network = await loadNetworkBytes(planted.model, "planted");
  const width = planted.inputShape[1];
  const batch = (start: number, rows: number) => planted.inputs.slice(start * width, (start + rows) * width);
  const data = { count: 60, labels: planted.labels.slice(0, 60), batch };
  const analyze = async (number: number) => {
    const graph =
      number % 2 === 0
        ? await buildWeightGraph(network, compute)
        : await buildActivationGraph(network, data, compute, { samples: 60 });
    await partitionGraph(compute, graph, { method: "spectral", k: 2, seed: number });
    // Graphs of that size have their eigenvectors from the CPU; now and then larger ones have theirs from the GPU.
    if (number % 20 === 10)
      await compute.spectralEmbedding(within(220, 2, 3, 1), 2, rng(number, "eigenvectors"));
  };
  const measure = () => {
    collectGarbage();
    return { live: device.liveBuffers, lent: device.lentBuffers, residentBytes: process.memoryUsage().rss };
  };

  for (let number = 0; number < SETTLED; number++) await analyze(number);
  const settled = measure();
  for (let number = SETTLED; number < ANALYSES; number++) await analyze(number);
  const found = measure();
  expect(found.live).toBe(settled.live);
  // The one block of the last matrix.
  expect(found.lent).toBe(settled.lent);
  expect(found.residentBytes - settled.residentBytes).toBeLessThan(MARGIN_BYTES);
  await compute.dispose();
  expect(device.lentBuffers).toBe(0);
  expect(device.liveBuffers).toBe(0);
});
