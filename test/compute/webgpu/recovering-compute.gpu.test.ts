/** Devices that are destroyed in the middle of the work, and devices that fail in ways that only stubs can provoke. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Compute } from "../../../src/compute/compute.ts";
import { GpuDevice } from "../../../src/compute/webgpu/gpu-device.ts";
import { readShaderFile, requestNodeAdapter } from "../../../src/compute/webgpu/open-node-gpu.ts";
import { createRecoveringCompute } from "../../../src/compute/webgpu/recovering-compute.ts";
import { createWebgpuCompute } from "../../../src/compute/webgpu/webgpu-compute.ts";
import { BrodmannError } from "../../../src/errors.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { catchError } from "../../support/catch-error.ts";
import { chain, within } from "../../support/reference-graphs.ts";

const FACTS = { name: "swiftshader", vendor: "", architecture: "", type: "software" } as const;

/** Devices opened by a test, with the WebGPU device underneath. */
const opened: { readonly raw: GPUDevice; readonly device: GpuDevice }[] = [];
afterEach(() => {
  for (const { device } of opened.splice(0)) device.dispose();
});

async function open(): Promise<GpuDevice> {
  const raw = await (await requestNodeAdapter("software")).requestDevice();
  const device = new GpuDevice(raw, { readShader: readShaderFile, facts: FACTS });
  opened.push({ raw, device });
  return device;
}

/** Destroys the device at its `count`-th submission from now, before or after the queue has it. */
function destroyAt(raw: GPUDevice, count: number): void {
  const submit = raw.queue.submit.bind(raw.queue);
  let left = count;
  raw.queue.submit = (commands) => {
    left--;
    if (left === 0) raw.destroy();
    return submit(commands);
  };
}

const graph = within(230, 4, 3, 1);
const layers = chain([40, 30], 3, 3, 1);
const points = Float32Array.from({ length: 300 * 3 }, rng(2, "points").normal);
const activations = Float32Array.from({ length: 40 * 90 }, rng(3, "activations").normal);
const labels = Int32Array.from({ length: 70 }, (_, node) => node % 3);
const kernel = { outputs: 65, inputs: 2, taps: 9, values: activations.slice(0, 65 * 18) };

/** Every method of `Compute`, on inputs that take several submissions where the method has several. */
const METHODS: Readonly<Record<string, (compute: Compute) => Promise<unknown>>> = {
  "kernel norms": (compute) => compute.kernelNorms(kernel, "l1"),
  correlations: (compute) => compute.correlations(activations.slice(), 40, 90, "spearman"),
  distances: (compute) => compute.distances(activations, 90, 40, "euclidean"),
  // A matrix of its own, because degrees of a known one are known.
  degrees: (compute) => compute.degrees(chain([40, 30], 3, 3, 1)),
  eigenvectors: (compute) => compute.spectralEmbedding(graph, 4, rng(0, "eigenvectors")),
  "k-means": (compute) => compute.kmeans(points, 3, 4, 6, 3, rng(0, "k-means")),
  "cluster weights": (compute) => compute.clusterWeights(layers, labels, 3),
};

/** One device for what needs no new one: the first correlations on a device take seconds to choose their form. */
let kept: { readonly device: GpuDevice; readonly compute: Compute };
const expected = new Map<string, unknown>();
beforeAll(async () => {
  const device = await open();
  opened.pop();
  const compute = createWebgpuCompute(device);
  kept = { device, compute };
  for (const [name, run] of Object.entries(METHODS)) expected.set(name, await run(compute));
}, 60_000);
afterAll(() => kept?.compute.dispose());

/** No device may have buffers on loan once its work has ended. */
function expectNothingLent(): void {
  expect(opened.map(({ device }) => device.lentBuffers)).toEqual(opened.map(() => 0));
}

describe("a lost device", () => {
  // Submissions at the start of the methods and, of the long ones, in the middle.
  test.each([
    ["kernel norms", 1],
    ["correlations", 2],
    ["distances", 1],
    ["degrees", 1],
    ["eigenvectors", 4],
    ["eigenvectors", 11],
    ["k-means", 3],
    ["k-means", 13],
    ["cluster weights", 2],
  ])("%s: destroyed at submission %i, repeated with the same result", async (name, at) => {
    const reports: string[] = [];
    const compute = createRecoveringCompute(await open(), open, (message) => reports.push(message));
    const before = opened.length;
    destroyAt(opened.at(-1)?.raw as GPUDevice, at);
    const run = METHODS[name] as (compute: Compute) => Promise<unknown>;
    expect(await run(compute)).toEqual(expected.get(name));
    // Reading back is a submission as well, after which the work may still be there: then the next call finds the loss.
    expect(await run(compute)).toEqual(expected.get(name));
    expect(opened.length).toBe(before + 1);
    expect(reports).toEqual([
      expect.stringMatching(/^swiftshader: the GPU device was lost \(.*\); repeating /),
    ]);
    expect(reports[0]).toContain(`repeating ${name} on a new device`);
    await compute.dispose();
    expectNothingLent();
  });

  test("the caller's random stream ends where it does without a loss", async () => {
    const compute = createRecoveringCompute(await open(), open, () => {});
    const [disturbed, calm] = [rng(0, "k-means"), rng(0, "k-means")];
    destroyAt(opened.at(-1)?.raw as GPUDevice, 4);
    const found = await compute.kmeans(points, 3, 4, 6, 3, disturbed);
    expect(await compute.kmeans(points, 3, 4, 6, 3, calm)).toEqual(found);
    expect(disturbed.bits()).toBe(calm.bits());
    await compute.dispose();
  });

  test("calls side by side share one new device", async () => {
    const compute = createRecoveringCompute(await open(), open, () => {});
    const before = opened.length;
    opened.at(-1)?.raw.destroy();
    const names = Object.keys(METHODS).filter((name) => !["correlations", "distances"].includes(name));
    const results = await Promise.all(names.map((name) => METHODS[name]?.(compute)));
    expect(opened.length).toBe(before + 1);
    for (const [i, name] of names.entries()) expect(results[i]).toEqual(expected.get(name));
    await compute.dispose();
    expectNothingLent();
  });

  test("a second loss during one call is an error that says what to do", async () => {
    const failing = async () => {
      const device = await open();
      destroyAt(opened.at(-1)?.raw as GPUDevice, 2);
      return device;
    };
    const compute = createRecoveringCompute(await failing(), failing, () => {});
    const error = await catchError(() => compute.spectralEmbedding(graph, 4, rng(0, "eigenvectors")));
    expect(error.code).toBe("E_DEVICE_LOST");
    expect(error.message).toContain("for the second time during eigenvectors");
    expect(error.hint).toContain("--device cpu");
    await compute.dispose();
    expectNothingLent();
  });

  test("a loss after which there is no adapter is an error that names both, and the next call tries again", async () => {
    let isThere = false;
    const reopen = async () => {
      if (isThere) return open();
      throw new BrodmannError("E_DEVICE_MISSING", "WebGPU: found no adapter");
    };
    const compute = createRecoveringCompute(await open(), reopen, () => {});
    opened.at(-1)?.raw.destroy();
    const error = await catchError(() => compute.degrees(layers));
    expect(error.code).toBe("E_DEVICE_LOST");
    expect(error.message).toMatch(/was lost .*, and no new one opened \(WebGPU: found no adapter\)/);
    expect(error.hint).toContain("--device cpu");
    isThere = true;
    expect(await compute.degrees(layers)).toEqual(expected.get("degrees"));
    await compute.dispose();
    expectNothingLent();
  });
});

describe("what cannot be provoked, by stubs", () => {
  const run = (name: string, compute: Compute) =>
    (METHODS[name] as (compute: Compute) => Promise<unknown>)(compute);

  test.each([
    ["kernel norms", 1],
    ["correlations", 1],
    ["degrees", 1],
    ["eigenvectors", 1],
    ["eigenvectors", 8],
    ["k-means", 1],
    ["k-means", 8],
    ["cluster weights", 1],
  ])("%s: mapping %i fails, and the device goes on", async (name, at) => {
    const { device, compute } = kept;
    const prototype = bufferPrototype(device);
    const { mapAsync } = prototype;
    let left = at;
    prototype.mapAsync = function (this: GPUBuffer, ...args) {
      left--;
      return left === 0 ? Promise.reject(new Error("mapping failed")) : mapAsync.apply(this, args);
    };
    const error = await catchError(() => run(name, compute)).finally(() => {
      prototype.mapAsync = mapAsync;
    });
    expect(error.code).toBe("E_DEVICE_READ");
    expect(error.message).toMatch(/: could not read back \(mapping failed\)$/);
    expect(error.hint).toContain("--device cpu");
    expect(await run(name, compute)).toEqual(expected.get(name));
    // The one block of the last matrix stays, as after any work.
    expect(device.lentBuffers).toBe(1);
  });

  function bufferPrototype(device: GpuDevice): GPUBuffer {
    using buffer = device.buffer("any/values", 4);
    return Object.getPrototypeOf(buffer.buffer) as GPUBuffer;
  }

  class GPUOutOfMemoryError {
    readonly message = "no memory left";
  }

  test.each([
    ["kernel norms", 2],
    ["degrees", 1],
    ["eigenvectors", 3],
    ["eigenvectors", 8],
    ["k-means", 1],
    ["k-means", 10],
    ["cluster weights", 4],
  ])("%s: buffer %i gets no memory, and the device goes on", async (name, at) => {
    const device = await open();
    const raw = opened.at(-1)?.raw as GPUDevice;
    const createBuffer = raw.createBuffer.bind(raw);
    const popErrorScope = raw.popErrorScope.bind(raw);
    let left = at;
    let isDestroyed = false;
    raw.createBuffer = (descriptor) => {
      const buffer = createBuffer(descriptor);
      left--;
      if (left !== 0) return buffer;
      const destroy = buffer.destroy.bind(buffer);
      buffer.destroy = () => {
        isDestroyed = true;
        destroy();
      };
      raw.popErrorScope = async () => {
        raw.popErrorScope = popErrorScope;
        await popErrorScope();
        return new GPUOutOfMemoryError() as unknown as GPUError;
      };
      return buffer;
    };
    const compute = createWebgpuCompute(device);
    const error = await catchError(() => run(name, compute));
    expect(error.code).toBe("E_DEVICE_MEMORY");
    expect(error.message).toMatch(/^[a-z-]+\/[a-z-]+: found too little GPU memory \(no memory left\)$/);
    expect(error.hint).toContain("--device cpu");
    expect(isDestroyed, "given out again").toBe(true);
    expect(await run(name, compute)).toEqual(expected.get(name));
    await compute.dispose();
    expectNothingLent();
  });

  test("an adapter that gives no device is an error that says so", async () => {
    const adapter = await requestNodeAdapter("software");
    adapter.requestDevice = async () => {
      throw new Error("out of devices");
    };
    const error = await catchError(() => GpuDevice.open(adapter, readShaderFile));
    expect(error.code).toBe("E_DEVICE_MISSING");
    expect(error.message).toContain("found an adapter that gives no device (out of devices)");
    expect(error.hint).toContain("--device cpu");
  });

  test("a device that was lost before it was used is replaced", async () => {
    const dead = async () => {
      const device = await open();
      opened.at(-1)?.raw.destroy();
      return device;
    };
    const compute = createRecoveringCompute(await dead(), open, () => {});
    expect(await run("kernel norms", compute)).toEqual(expected.get("kernel norms"));
    await compute.dispose();
  });
});

test("a loss outranks an error that waits to be reported", async () => {
  const device = await open();
  const raw = opened.at(-1)?.raw as GPUDevice;
  using small = device.buffer("copy/small", 16);
  const copy = { kind: "copy", source: small, sourceOffset: 0, target: small, targetOffset: 0 } as const;
  await device.submit("copy", [{ ...copy, sizeBytes: 9999 }]);
  await raw.queue.onSubmittedWorkDone();
  raw.destroy();
  await raw.lost;
  expect((await catchError(() => device.settle())).code).toBe("E_DEVICE_LOST");
  expect((await catchError(() => device.settle())).code).toBe("E_DEVICE_LOST");
});
