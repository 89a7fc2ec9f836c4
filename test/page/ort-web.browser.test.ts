/**
 * The WebGPU provider of ONNX Runtime, compared with the CPU provider before it is trusted: two exported networks whose
 * convolutions it gets wrong in its own layout, a sound one, and a GPU that gives up large work.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser } from "../../src/chrome/browser.ts";
import { type OpenedChrome, openChrome } from "../../src/chrome/open-chrome.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { type Engine, localEngine } from "../../src/engine.ts";
import { loadNetworkBytes, type Network } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import { exportData, loadExport } from "../support/exports.ts";
import { randomData, sketch } from "../support/models.ts";

const notices: string[] = [];
let chrome: OpenedChrome;
let cpu: Engine;
beforeAll(async () => {
  cpu = localEngine(await createCpuCompute());
  chrome = await openChrome({ networks: "webgpu", onNotice: (message) => notices.push(message) });
  await inPage(`(() => {
    const { prototype } = GPUComputePassEncoder;
    const dispatch = prototype.dispatchWorkgroups;
    globalThis.gpu = { dispatches: 0, most: Infinity };
    prototype.dispatchWorkgroups = function (...size) {
      gpu.dispatches++;
      if (size.reduce((total, count) => total * count) <= gpu.most) dispatch.apply(this, size);
    };
  })()`);
});
afterAll(async () => {
  await chrome?.engine.dispose();
  await cpu?.dispose();
});

const inPage = (expression: string): Promise<unknown> => (chrome.browser as Browser).evaluate(expression);

/** The lesions of two halves of a layer, here and in the page; these take no kernels of ours. Returns the page's dispatches. */
async function expectSameLesions(
  network: Network,
  data: LabelledInputs,
  layer: string,
  shuffles = 1,
): Promise<number> {
  const units = network.layers.find(({ name }) => name === layer)?.units ?? 0;
  const labels = Int32Array.from({ length: units }, (_, unit) => unit % 2);
  const partition = { layers: [{ name: layer, labels }], clusters: 2, method: {}, quality: null };
  const options = { protocol: "paper", shuffles, seed: 1 } as const;
  const want = await cpu.importance(network, data, partition, options);
  await inPage("gpu.dispatches = 0");
  const got = await chrome.engine.importance(network, data, partition, options);
  expect(got.baseline.outcome.correct).toEqual(want.baseline.outcome.correct);
  expect(got.baseline.outcome.loss).toBeCloseTo(want.baseline.outcome.loss, 5);
  expect(got.subclusters).toHaveLength(2);
  got.subclusters.forEach(({ damage }, number) => {
    expect(damage.loss).toBeCloseTo(want.subclusters[number]?.damage.loss ?? Number.NaN, 4);
  });
  return (await inPage("gpu.dispatches")) as number;
}

/** Recorded values, which stay on the GPU where they can. */
async function expectSameActivations(network: Network, data: LabelledInputs): Promise<void> {
  const options = { kind: "activations", correlation: "pearson" } as const;
  const want = await cpu.unitGraph(network, data, options);
  const got = await chrome.engine.unitGraph(network, data, options);
  want.matrix.blocks.forEach((block, number) => {
    const twin = got.matrix.blocks[number];
    if (block.shape === "sparse" || twin === undefined || twin.shape === "sparse") throw new Error("sparse");
    expect(twin.values.length).toBe(block.values.length);
    const apart = block.values.map((value, at) => Math.abs(value - (twin.values[at] as number)));
    expect(Math.max(...apart)).toBeLessThan(2e-4);
  });
}

/** Convolutions and a dense head that every provider gets right, for any number of inputs (-1) or a fixed one. */
function sound(batch: number): Promise<Network> {
  const model = sketch([3, 4, 4], { batch: batch < 0 ? "n" : batch });
  let value = model.node("Relu", [model.conv(model.input, { name: "conv", inputs: 3, units: 8 })]);
  value = model.node("Relu", [model.conv(value, { name: "next", inputs: 8, units: 8 })]);
  const flat = model.node("Reshape", [value, model.ints([batch, 8 * 16])]);
  const head = model.dense(flat, "head", 8 * 16, 4);
  return loadNetworkBytes(model.encode(head), "sound.onnx");
}

describe("the WebGPU provider", () => {
  it("keeps a network whose values are right", async () => {
    // Several runs for 40 inputs.
    const network = await sound(16);
    const data = randomData(40, [3, 4, 4], 4);
    await expectSameActivations(network, data);
    const few = await expectSameLesions(network, data, "conv");
    // Sessions are as many: what more lesions dispatch comes behind their first runs.
    const more = await expectSameLesions(network, data, "conv", 8);
    expect(few).toBeGreaterThan(0);
    expect(more).toBeGreaterThan(2 * few);
    expect(notices).toEqual([]);
    expect(chrome.engine.facts).toMatchObject({ notices: [] });
  });

  it.each([
    ["dense-concat", "/stem/Conv"],
    ["shuffle", "/stem/stem.0/Conv"],
  ])("gives the CPU's values for %s, in another layout", async (name, layer) => {
    const network = await loadExport(name);
    const data = exportData(name, 12, 4);
    expect(await expectSameLesions(network, data, layer)).toBeGreaterThan(0);
    expect(notices).toEqual([expect.stringContaining("NCHW")]);
    expect(chrome.engine.facts).toMatchObject({ notices });
  });

  it("gives way to the CPU where only later, larger runs are wrong", async () => {
    // One lesion takes less, the many of one run more.
    await inPage("gpu.most = 60");
    await expectSameLesions(await sound(-1), randomData(16, [3, 4, 4], 4), "conv", 40);
    expect(notices).toHaveLength(2);
    expect(notices[1]).toContain("runs on the CPU instead");
  });
});
