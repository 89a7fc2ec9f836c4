/**
 * What the harness knows of a kernel: its problems by size, and the ways to do each on the devices. A problem is opened
 * (inputs made, buffers filled) outside of what is timed.
 */
import type { Compute } from "../src/compute/compute.ts";
import type { Matmul } from "../src/compute/cpu/matmul.ts";
import type { GpuDevice } from "../src/compute/webgpu/gpu-device.ts";
import type { Step } from "../src/compute/webgpu/shader-kernel.ts";

/** Chrome runs the ways of `webgpu` in a page, see chrome.ts. */
export const BENCH_DEVICES = ["cpu", "webgpu", "chrome"] as const;
export type BenchDevice = (typeof BENCH_DEVICES)[number];

/** Open devices of one process or page; `gpu` is null where there is no adapter, or none was asked for. */
export interface Devices {
  readonly matmul: Matmul;
  readonly cpu: Compute;
  readonly gpu: { readonly device: GpuDevice; readonly compute: Compute } | null;
}

/** One way to do a problem. */
export interface Way {
  readonly device: "cpu" | "webgpu";
  /** Tells several ways of one device apart; "" where there is one. */
  readonly form: string;
  /** Runs before each run, untimed. */
  readonly prepare?: () => Promise<void> | void;
  /** One timed run; ends when the device is done. */
  readonly work: () => Promise<unknown> | unknown;
  /** What the last run has computed. */
  readonly answer: () => Promise<ArrayLike<number>> | ArrayLike<number>;
}

/** A problem with its inputs in place. The first way is the CPU's, with whose answer the others are compared. */
export interface OpenProblem {
  readonly ways: readonly [Way, ...Way[]];
  dispose(): Promise<void> | void;
}

export interface Problem {
  readonly size: string;
  /** `full` problems are for hardware adapters: they take minutes on others. */
  readonly ladder: "small" | "full";
  /** Floating-point operations that are counted as useful; null where bytes are what counts. */
  readonly flops: number | null;
  /** Bytes that must be read and written at least once; null where that is not what limits. */
  readonly bytes: number | null;
  /** Largest buffer on the device, and main memory, that it takes. */
  readonly bufferBytes: number;
  readonly hostBytes: number;
  open(devices: Devices): Promise<OpenProblem> | OpenProblem;
}

export interface KernelBench {
  readonly name: string;
  /** What is timed and what is counted. */
  readonly about: string;
  /** A stage is a whole call with uploads and reading back; its rates are those of wall time. */
  readonly isStage: boolean;
  /** How far an answer is from the CPU's, and how far it may be. */
  readonly difference: (found: ArrayLike<number>, expected: ArrayLike<number>) => number;
  readonly tolerance: number;
  readonly problems: readonly Problem[];
}

/** The way that submits steps and waits for the device. */
export function stepsWay(
  device: GpuDevice,
  form: string,
  steps: readonly Step[],
  answer: Way["answer"],
): Way {
  return {
    device: "webgpu",
    form,
    async work() {
      await device.submit("bench", steps);
      await device.finish();
    },
    answer,
  };
}

/** Largest |found - expected|; infinite where the lengths differ or a value is not a number. */
export function absoluteDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  return largest(found, expected, () => 1);
}

/** Largest |found - expected| as a share of the largest |expected|. */
export function relativeDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  let scale = 0;
  for (let i = 0; i < expected.length; i++) scale = Math.max(scale, Math.abs(expected[i] as number));
  return largest(found, expected, () => scale || 1);
}

/** Largest |found - expected| as a share of |expected| itself. */
export function entrywiseDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  return largest(found, expected, (value) => Math.abs(value) || 1);
}

function largest(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  scaleOf: (value: number) => number,
): number {
  if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (let i = 0; i < found.length; i++) {
    const value = expected[i] as number;
    const difference = Math.abs((found[i] as number) - value) / scaleOf(value);
    if (!(difference <= most)) most = difference;
    if (Number.isNaN(most)) return Number.POSITIVE_INFINITY;
  }
  return most;
}
