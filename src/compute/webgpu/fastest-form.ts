/**
 * Which form of the correlation kernel a device runs faster; measured once, at its first correlation.
 */
import { type CorrelationFormName, correlationSteps } from "./correlation.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { dispatch, type ShaderKernel, type Step } from "./shader-kernel.ts";

export const MEMORY_TRIAL: ShaderKernel<"count" | "rounds" | "is_shared", "source" | "sums"> = {
  name: "memory-trial",
  params: { count: "u32", rounds: "u32", is_shared: "u32" },
  bindings: { source: "read", sums: "read_write" },
};

const chosen = new WeakMap<GpuDevice, Promise<CorrelationFormName>>();

/** The faster form on this device; measured once. */
export function fastestForm(device: GpuDevice): Promise<CorrelationFormName> {
  let form = chosen.get(device);
  if (form === undefined) {
    form = device.facts.type === "software" ? measureMemory(device) : measureForms(device);
    chosen.set(device, form);
    form.catch(() => chosen.delete(device));
  }
  return form;
}

/** How many times faster one of two ways must be for the first measurement to decide. */
const CLEARLY = 2;

/**
 * For software adapters, whose compilers take seconds for the tiles: these are of use only where reading workgroup
 * memory is clearly faster than reading storage, which a kernel of a few lines tells.
 */
async function measureMemory(device: GpuDevice): Promise<CorrelationFormName> {
  const [groups, lanes, rounds] = [1, 64, 1024];
  using source = device.upload("memory-trial/source", new Float32Array(4 * lanes));
  using sums = device.buffer("memory-trial/sums", 16 * groups * lanes);
  const steps = (isShared: number) => [
    dispatch(MEMORY_TRIAL, {
      groups,
      params: { count: groups * lanes, rounds, is_shared: isShared },
      buffers: { source, sums },
    }),
  ];
  const [storage, shared] = await timeInTurns(device, "memory-trial", [steps(0), steps(1)], 16);
  return CLEARLY * shared < storage ? "tiles" : "registers";
}

/** Units of the trial problems; the larger ones are for GPUs that do the small ones in no measurable time. */
const TRIAL_UNITS: readonly number[] = [512, 2048, 8192];
const TRIAL_SAMPLES = 256;
const MEASURABLE_MS = 4;

async function measureForms(device: GpuDevice): Promise<CorrelationFormName> {
  let fastest: CorrelationFormName = "tiles";
  for (const units of TRIAL_UNITS) {
    if (4 * units * units > device.limits.bindingBytes) break;
    using values = device.upload("correlation/trial", new Float32Array(units * TRIAL_SAMPLES).fill(0.05));
    using squared = device.buffer("correlation/trial-result", 4 * units * units);
    const rows = { rows: units, values };
    const forms = [
      correlationSteps("registers", rows, rows, TRIAL_SAMPLES, squared),
      correlationSteps("tiles", rows, rows, TRIAL_SAMPLES, squared),
    ] as const;
    const [registers, tiles] = await timeInTurns(device, "correlation", forms, 4, MEASURABLE_MS);
    fastest = registers <= tiles ? "registers" : "tiles";
    if (Math.min(registers, tiles) >= MEASURABLE_MS) break;
  }
  return fastest;
}

/**
 * Best times in milliseconds of each of two ways, run in turns so that other load on the machine hits both alike; one
 * run where that is clear already and both take at least `leastMs`.
 */
async function timeInTurns(
  device: GpuDevice,
  label: string,
  ways: readonly [readonly Step[], readonly Step[]],
  runs: number,
  leastMs: number = Number.POSITIVE_INFINITY,
): Promise<readonly [number, number]> {
  const best: [number, number] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  // The first run compiles and is not counted.
  for (let run = 0; run <= runs; run++) {
    for (const way of [0, 1] as const) {
      const start = performance.now();
      await device.submit(label, ways[way]);
      await device.finish();
      if (run > 0) best[way] = Math.min(best[way], performance.now() - start);
    }
    const [least, most] = [Math.min(...best), Math.max(...best)];
    if (run > 0 && least >= leastMs && most >= CLEARLY * least) break;
  }
  return best;
}
