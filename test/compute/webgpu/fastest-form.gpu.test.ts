/** Choice by measurement, and the timestamps that it measures by. */
import { expect, test } from "vitest";
import { fastestForm } from "../../../src/compute/webgpu/fastest-form.ts";
import type { GpuDevice } from "../../../src/compute/webgpu/gpu-device.ts";
import { KERNEL_NORMS } from "../../../src/compute/webgpu/kernel-norms.ts";
import { type DispatchStep, dispatch } from "../../../src/compute/webgpu/shader-kernel.ts";
import { openAsHardware, useGpu } from "../../support/gpu.ts";

const gpu = useGpu();
/** Without optional features. */
const plain = useGpu({}, openAsHardware);

const SLICES = 4096;

/** A problem whose slow form does the work twenty times. */
function open(device: GpuDevice, opened: { count: number }) {
  return () => {
    opened.count++;
    const values = device.upload("test/values", new Float32Array(SLICES * 25).fill(1));
    const norms = device.buffer("test/norms", 4 * SLICES);
    const step: DispatchStep = dispatch(KERNEL_NORMS, {
      groups: SLICES / 64,
      params: { slices: SLICES, taps: 25, norm: 2 },
      buffers: { values, norms },
    });
    return {
      steps: (form: "slow" | "quick") => Array.from({ length: form === "slow" ? 20 : 1 }, () => step),
      release() {
        values.release();
        norms.release();
      },
    };
  };
}

test.each([
  ["by timestamps", gpu],
  ["by wall time", plain],
] as const)("%s the quicker form wins, measured once a device", async (_, device) => {
  const opened = { count: 0 };
  const trials = {
    kernel: "norms",
    forms: ["slow", "quick"],
    lead: 1,
    sizes: [1],
    open: open(device(), opened),
  } as const;
  expect(await fastestForm(device(), trials)).toBe("quick");
  expect(await fastestForm(device(), trials)).toBe("quick");
  expect(opened.count).toBe(1);
});

test("a form that is quicker by less than the lead is not taken", async () => {
  const opened = { count: 0 };
  const trials = {
    kernel: "norms with a lead",
    forms: ["slow", "quick"],
    lead: 1e6,
    sizes: [1],
    open: open(gpu(), opened),
  } as const;
  expect(await fastestForm(gpu(), trials)).toBe("slow");
  expect(opened.count).toBe(1);
});

test("without a trial that fits, and of one form, it is the first", async () => {
  const none = { kernel: "none", forms: ["a", "b"], lead: 1, sizes: [1], open: () => null } as const;
  expect(await fastestForm(gpu(), none)).toBe("a");
  const one = { kernel: "one", forms: ["a"], lead: 1, sizes: [1], open: open(gpu(), { count: 0 }) } as const;
  expect(await fastestForm(gpu(), one)).toBe("a");
});

test("a form that the driver does not compile is passed over", async () => {
  const { steps, ...trial } = open(gpu(), { count: 0 })();
  const broken = steps("quick").map((step) => ({ ...step, constants: { WORKGROUP_SIZE: 1 << 20 } }));
  const trials = {
    kernel: "norms with a broken form",
    forms: ["slow", "broken", "quick"],
    lead: 1,
    sizes: [1],
    open: () => ({
      ...trial,
      steps: (form: "slow" | "broken" | "quick") => (form === "broken" ? broken : steps(form)),
    }),
  } as const;
  expect(await fastestForm(gpu(), trials)).toBe("quick");
});

test("a failed trial is made again", async () => {
  const failing = {
    kernel: "failing",
    forms: ["a", "b"],
    lead: 1,
    sizes: [1],
    open: () => {
      throw new Error("no trial");
    },
  } as const;
  await expect(fastestForm(gpu(), failing)).rejects.toThrow("no trial");
  expect(await fastestForm(gpu(), { ...failing, open: () => null })).toBe("a");
});

test("a profile counts each kernel's dispatches and times them within the wall time", async () => {
  const trial = open(gpu(), { count: 0 })();
  try {
    const work = async (form: "slow" | "quick") => {
      const start = performance.now();
      const times = await gpu().profile(() => gpu().submit("test", trial.steps(form)));
      return { time: times?.get("kernel-norms"), wallMs: performance.now() - start };
    };
    const [quick, slow] = [await work("quick"), await work("slow")];
    expect([quick.time?.dispatches, slow.time?.dispatches]).toEqual([1, 20]);
    for (const { time, wallMs } of [quick, slow]) {
      expect(time?.gpuMs).toBeGreaterThan(0);
      expect(time?.gpuMs).toBeLessThan(wallMs);
    }
    // Times are not rounded to Dawn's 131 us.
    expect(((quick.time?.gpuMs ?? 0) * 1e6) % 2 ** 17).not.toBe(0);
    // A profile holds what was submitted within it; the inner one of two takes its own.
    const outer = await gpu().profile(async () => {
      await gpu().profile(() => gpu().submit("test", trial.steps("slow")));
      await gpu().submit("test", trial.steps("quick"));
    });
    expect(outer?.get("kernel-norms")?.dispatches).toBe(1);
    // Of two side by side the first to begin may end first, and the other one goes on.
    const first = gpu().profile(async () => {});
    const second = await gpu().profile(async () => {
      await first;
      await gpu().submit("test", trial.steps("quick"));
    });
    expect(second?.get("kernel-norms")?.dispatches).toBe(1);
  } finally {
    trial.release();
  }
});

test("more dispatches than a query set has times for", async () => {
  const trial = open(gpu(), { count: 0 })();
  try {
    const [step] = trial.steps("quick");
    const none = { ...(step as DispatchStep), groups: 0 };
    const steps = Array.from({ length: 2050 }, () => none);
    const times = await gpu().profile(() => gpu().submit("test", steps));
    expect(times?.get("kernel-norms")?.dispatches).toBe(2050);
  } finally {
    trial.release();
  }
});

test("adapters without timestamps do the work and give no times", async () => {
  let isDone = false;
  const times = await plain().profile(async () => {
    isDone = true;
  });
  expect([times, isDone]).toEqual([null, true]);
});
