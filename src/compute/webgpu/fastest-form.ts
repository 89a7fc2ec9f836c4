/**
 * Choice between forms of a kernel by measurement: which one is faster differs several times either way between CPU
 * adapters and GPUs, and no property of an adapter tells. Each choice is made once per device. Forms of one kernel must
 * give the same bytes, else other load on the machine at the time of the trial would show in results.
 */
import type { GpuDevice } from "./gpu-device.ts";
import type { Step } from "./shader-kernel.ts";

/** A trial problem on the device. */
export interface Trial<Form extends string> {
  /** What one form does for it. */
  steps(form: Form): readonly Step[];
  release(): void;
}

/** The forms of a kernel and problems to try them on. */
export interface FormTrials<Form extends string> {
  /** The choice is remembered under this name. */
  readonly kernel: string;
  /** The first one is taken where no trial can be made. */
  readonly forms: readonly [Form, ...Form[]];
  /** Sizes of trial problems from small to large: GPUs do the small ones in no measurable time. */
  readonly sizes: readonly number[];
  /** A problem of a size; null where it exceeds the device's limits. */
  open(size: number): Trial<Form> | null;
}

const TRIAL_RUNS = 5;
/** Beyond this the best time is told apart from what submitting takes. */
const MEASURABLE_WALL_MS = 4;
/** Timestamps measure the kernels alone. */
const MEASURABLE_GPU_MS = 0.2;

const chosen = new WeakMap<GpuDevice, Map<string, Promise<string>>>();

/** The fastest of the forms on this device; measured at the first call. A trial that fails is made again. */
export function fastestForm<Form extends string>(device: GpuDevice, trials: FormTrials<Form>): Promise<Form> {
  let choices = chosen.get(device);
  if (choices === undefined) {
    choices = new Map();
    chosen.set(device, choices);
  }
  const known = choices.get(trials.kernel) as Promise<Form> | undefined;
  if (known !== undefined) return known;
  const form = measureForms(device, trials);
  choices.set(trials.kernel, form);
  form.catch(() => choices.delete(trials.kernel));
  return form;
}

/** Times all forms in turns and takes the best time of each, so that other load on the machine hits them alike. */
async function measureForms<Form extends string>(
  device: GpuDevice,
  { forms, sizes, open }: FormTrials<Form>,
): Promise<Form> {
  let fastest: Form = forms[0];
  if (forms.length === 1) return fastest;
  for (const size of sizes) {
    const trial = open(size);
    if (trial === null) break;
    try {
      const best = new Map<Form, number>(forms.map((form) => [form, Number.POSITIVE_INFINITY]));
      let measurableMs = MEASURABLE_WALL_MS;
      // The first run compiles and is not counted.
      for (let run = 0; run <= TRIAL_RUNS; run++) {
        for (const form of forms) {
          const { elapsedMs, isGpuTime } = await timeSteps(device, trial.steps(form));
          if (isGpuTime) measurableMs = MEASURABLE_GPU_MS;
          if (run > 0) best.set(form, Math.min(best.get(form) as number, elapsedMs));
        }
      }
      const least = Math.min(...best.values());
      fastest = forms.find((form) => best.get(form) === least) ?? forms[0];
      if (least >= measurableMs) break;
    } finally {
      trial.release();
    }
  }
  return fastest;
}

/** The time of steps: that of their kernels where the adapter has timestamps, else from submission to completion. */
async function timeSteps(
  device: GpuDevice,
  steps: readonly Step[],
): Promise<{ elapsedMs: number; isGpuTime: boolean }> {
  const start = performance.now();
  const times = await device.profile(async () => {
    await device.submit("trial", steps);
    await device.finish();
  });
  const elapsedMs = performance.now() - start;
  if (times === null) return { elapsedMs, isGpuTime: false };
  let gpuMs = 0;
  for (const time of times.values()) gpuMs += time.gpuMs;
  // Clocks that stand still, or are too coarse for the problem.
  return gpuMs > 0 ? { elapsedMs: gpuMs, isGpuTime: true } : { elapsedMs, isGpuTime: false };
}
