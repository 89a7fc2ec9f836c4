import { describe, expect, test } from "vitest";
import { encodePart, partOf } from "../../src/network/model-graph.ts";
import { loadNetworkBytes, type Network } from "../../src/network/network.ts";
import { toomCook, withWinograd } from "../../src/network/winograd.ts";
import { makeUntypedValueInfo, makeValueInfo } from "../../src/runtime/onnx.ts";
import { floatTensor, floatValues, Session } from "../../src/runtime/session.ts";
import { rng } from "../../src/statistics/rng.ts";
import { sketch } from "../support/models.ts";

describe("toomCook", () => {
  test.each([
    [2, [0, 1, -1]],
    [4, [0, 1, -1, 2, -2]],
    [4, [0, 0.625, -0.625, 1.5, -1.5]],
  ])("%i outputs through %j convolve exactly", (outputs, points) => {
    const { size, outputTransform, filterTransform, inputTransform } = toomCook(outputs, points);
    const random = rng(0, "toom-cook");
    const input = Array.from({ length: size }, random.normal);
    const filter = Array.from({ length: 3 }, random.normal);
    const apply = (matrix: readonly (readonly number[])[], vector: readonly number[]) =>
      matrix.map((row) => row.reduce((sum, value, i) => sum + value * (vector[i] as number), 0));
    const filtered = apply(filterTransform, filter);
    const products = apply(inputTransform, input).map((value, i) => value * (filtered[i] as number));
    apply(outputTransform, products).forEach((value, i) => {
      const plain = filter.reduce((sum, weight, j) => sum + weight * (input[i + j] as number), 0);
      expect(value).toBeCloseTo(plain, 10);
    });
  });
});

/** A network of one convolution on a map of the given size, and its convolution's values plain and rewritten. */
async function compareForms(
  extent: number,
  options: {
    kernel?: readonly number[];
    channels?: number;
    units?: number;
    attributes?: Record<string, bigint[]>;
  } = {},
): Promise<{ isRewritten: boolean; plain: Float32Array; rewritten: Float32Array }> {
  const { kernel = [3, 3], channels = 64, units = 96, attributes = { pads: [1n, 1n, 1n, 1n] } } = options;
  const net = sketch([channels, extent, extent], { seed: extent });
  const maps = net.conv(net.input, { name: "conv", inputs: channels, units, kernel, attributes });
  const pooled = net.node("GlobalAveragePool", [maps]);
  const flat = net.node("Flatten", [pooled]);
  const network = await loadNetworkBytes(net.encode(net.dense(flat, "logits", units, 3)), "one convolution");
  const part = partOf(network.graph, [maps], new Set([network.probe.input]));
  const fast = withWinograd(network, part);
  const random = rng(1, "winograd input");
  const rows = 5;
  const input = Float32Array.from({ length: rows * channels * extent ** 2 }, random.normal);
  const run = async (nodes: typeof part) => {
    const model = encodePart(network.graph, {
      ...nodes,
      inputs: [makeValueInfo(network.probe.input, ["N", ...network.inputShape])],
      outputs: [makeUntypedValueInfo(maps)],
    });
    const session = await Session.create(model, { label: "test" });
    const outputs = await session.run({
      [network.probe.input]: floatTensor(input, [rows, ...network.inputShape]),
    });
    const values = floatValues(outputs[maps], maps).slice();
    await session.dispose();
    return { values, dims: outputs[maps]?.dims };
  };
  const plain = await run(part);
  const rewritten = await run(fast);
  expect(rewritten.dims).toEqual(plain.dims);
  const isRewritten = fast.nodes.every(({ opType }) => opType !== "Conv");
  return { isRewritten, plain: plain.values, rewritten: rewritten.values };
}

describe("withWinograd", () => {
  // Sums of 9 x 64 products of unit variance times 1 / sqrt(576): values near 1, and float32 errors near 1e-6.
  test.each([2, 4, 8, 16])("a convolution of %i x %i maps is the same to float32", async (extent) => {
    const { isRewritten, plain, rewritten } = await compareForms(extent);
    expect(isRewritten).toBe(true);
    const largest = plain.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    expect(largest).toBeGreaterThan(1);
    plain.forEach((value, i) => {
      if (Math.abs(value - (rewritten[i] as number)) > 1e-5 * largest) {
        expect.fail(`position ${i}: ${rewritten[i]}, plain ${value}`);
      }
    });
  });

  test.each([
    ["a map of 6 x 6", 6, {}],
    ["a 1 x 1 kernel", 8, { kernel: [1, 1], attributes: { pads: [0n, 0n, 0n, 0n] } }],
    ["a 5 x 5 kernel", 8, { kernel: [5, 5], attributes: { pads: [2n, 2n, 2n, 2n] } }],
    ["a stride", 8, { attributes: { pads: [1n, 1n, 1n, 1n], strides: [2n, 2n] } }],
    ["a dilation", 8, { attributes: { pads: [2n, 2n, 2n, 2n], dilations: [2n, 2n] } }],
    ["no padding", 8, { attributes: { pads: [0n, 0n, 0n, 0n] } }],
    ["few channels", 8, { channels: 32 }],
    ["few units", 8, { units: 32 }],
  ])("leaves a convolution with %s as it is", async (_, extent, options) => {
    const { isRewritten, plain, rewritten } = await compareForms(extent, options);
    expect(isRewritten).toBe(false);
    expect(rewritten).toEqual(plain);
  });

  test("keeps the transformed weights of a network and drops the plain ones from the part", async () => {
    const net = sketch([64, 8, 8]);
    const first = net.conv(net.input, { name: "first", inputs: 64, units: 64 });
    const second = net.conv(first, { name: "second", inputs: 64, units: 64 });
    const flat = net.node("Flatten", [net.node("GlobalAveragePool", [second])]);
    const network: Network = await loadNetworkBytes(net.encode(net.dense(flat, "logits", 64, 2)), "two");
    const part = partOf(network.graph, [network.logits], new Set([network.probe.input]));
    const names = (initializers: readonly { name: string }[]) => initializers.map(({ name }) => name);
    const plainKernels = network.layers.slice(0, 2).map(({ weights }) => weights.kernel.name);
    const fast = withWinograd(network, part);
    for (const name of plainKernels) {
      expect(names(part.initializers)).toContain(name);
      expect(names(fast.initializers)).not.toContain(name);
    }
    const bytes = (initializers: readonly { rawData: Uint8Array }[]) =>
      Buffer.concat(initializers.map(({ rawData }) => rawData));
    expect(bytes(withWinograd(network, part).initializers).equals(bytes(fast.initializers))).toBe(true);
  });
});
