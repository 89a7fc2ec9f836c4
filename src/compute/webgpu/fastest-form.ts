/**
 * Choice between forms of a kernel by measurement: which one is faster differs several times either way between CPU
 * adapters and GPUs, and no property of an adapter tells. Each choice is made once per device. Forms of one kernel must
 * give the same bytes, else other load on the machine at the time of the trial would show in results.
 */
import { BrodmannError } from "../../errors.ts";
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
  /** How many times faster than the first form another one must be; 1 where trials do what the kernel does. */
  readonly lead: number;
  /** Sizes of trial problems from small to large: GPUs do the small ones in no measurable time. */
  readonly sizes: readonly number[];
  /** A problem of a size; null where it exceeds the device's limits. */
  open(size: number): Trial<Form> | null;
}

const TRIAL_RUNS = 8;
/** A trial that has taken this long needs no more runs. */
const ENOUGH_MS = 200;
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

async function measureForms<Form extends string>(
  device: GpuDevice,
  { forms, lead, sizes, open }: FormTrials<Form>,
): Promise<Form> {
  let usable: readonly Form[] = forms;
  let fastest: Form = forms[0];
  for (const size of sizes) {
    if (usable.length === 1) break;
    const trial = open(size);
    if (trial === null) break;
    try {
      usable = await compilingForms(device, trial, usable);
      const { bestMs, measurableMs } = await timeInTurns(
        device,
        usable.map((form) => trial.steps(form)),
      );
      const [first, ...others] = bestMs as [number, ...number[]];
      const least = Math.min(...others);
      fastest = lead * least < first ? (usable[1 + others.indexOf(least)] as Form) : forms[0];
      if (Math.min(first, least) >= measurableMs) break;
    } finally {
      trial.release();
    }
  }
  return fastest;
}

/** The first form, and the others as far as this device's driver compiles them. */
async function compilingForms<Form extends string>(
  device: GpuDevice,
  trial: Trial<Form>,
  [first, ...others]: readonly Form[],
): Promise<Form[]> {
  const compiling = first === undefined ? [] : [first];
  for (const form of others) {
    try {
      await device.submit("trial", trial.steps(form));
      compiling.push(form);
    } catch (error) {
      if (!(error instanceof BrodmannError) || error.code !== "E_DEVICE_SHADER") throw error;
    }
  }
  return compiling;
}

/**
 * Best times of some ways, run in turns so that other load on the machine hits all alike: those of their kernels where the
 * adapter has timestamps, else from submission to completion.
 */
async function timeInTurns(
  device: GpuDevice,
  ways: readonly (readonly Step[])[],
): Promise<{ bestMs: readonly number[]; measurableMs: number }> {
  const wallMs = ways.map(() => Number.POSITIVE_INFINITY);
  const gpuMs = ways.map(() => Number.POSITIVE_INFINITY);
  let spentMs = 0;
  // The first run compiles and is not counted.
  for (let run = 0; run <= TRIAL_RUNS && spentMs < ENOUGH_MS; run++) {
    for (const [way, steps] of ways.entries()) {
      const startMs = performance.now();
      const times = await device.profile(async () => {
        await device.submit("trial", steps);
        await device.finish();
      });
      const elapsedMs = performance.now() - startMs;
      if (run === 0) continue;
      spentMs += elapsedMs;
      wallMs[way] = Math.min(wallMs[way] as number, elapsedMs);
      const kernelsMs = [...(times?.values() ?? [])].reduce((sum, time) => sum + time.gpuMs, 0);
      // Some clocks stand still, or are too coarse for the problem.
      if (kernelsMs > 0) gpuMs[way] = Math.min(gpuMs[way] as number, kernelsMs);
    }
  }
  return gpuMs.every(Number.isFinite)
    ? { bestMs: gpuMs, measurableMs: MEASURABLE_GPU_MS }
    : { bestMs: wallMs, measurableMs: MEASURABLE_WALL_MS };
}
