/** The page of the bench: the problems of `kernels/` on the browser's GPU, one at a time, as Node asks for them. */
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { Matmul } from "../../src/compute/cpu/matmul.ts";
import { createWebgpuCompute } from "../../src/compute/webgpu/webgpu-compute.ts";
import { openGpu } from "../../src/page/open-gpu.ts";
import { startRuntime } from "../../src/page/ort-web.ts";
import { endWithDevice, type TakenCalls, takeCalls } from "../../src/page/take-calls.ts";
import { benchAdapter, largestBuffer } from "../adapter.ts";
import type { BenchCalls } from "../chrome-calls.ts";
import { gpuPeaks } from "../gpu-peaks.ts";
import type { Devices, OpenProblem } from "../kernel-bench.ts";
import { KERNEL_BENCHES } from "../kernels/all.ts";
import { readerOf } from "../shader-texts.ts";
import { type TimedWay, timedWay } from "../timed-way.ts";

interface OpenDevices extends Devices {
  readonly gpu: NonNullable<Devices["gpu"]>;
}

let devices: OpenDevices | null = null;
let opened: { readonly problem: OpenProblem; readonly ways: readonly TimedWay[] } | null = null;

const calls: TakenCalls<BenchCalls> = {
  async open({ shaders, adapter: wanted }) {
    const found = await openGpu(readerOf(shaders));
    if (found === null || (wanted === "hardware" && found.facts.type === "software")) return null;
    const { gpu, adapter, device, facts } = found;
    endWithDevice(device, facts);
    // Problems are opened with the CPU's side; its times and answers are those of Node.
    startRuntime(new URL("ort/", document.baseURI).href, null);
    devices = {
      matmul: new Matmul(),
      cpu: await createCpuCompute(),
      gpu: { device: gpu, compute: createWebgpuCompute(gpu) },
    };
    return { adapter: benchAdapter(adapter), largestBuffer: largestBuffer(gpu) };
  },
  peaks: ({ runs }) => gpuPeaks(present(devices).gpu.device, runs),
  async openProblem({ kernel, size }) {
    const { problems, difference } = present(KERNEL_BENCHES.find(({ name }) => name === kernel));
    const problem = await present(problems.find((one) => one.size === size)).open(present(devices));
    const { device } = present(devices).gpu;
    const [, ...ways] = problem.ways;
    opened = { problem, ways: ways.map((way) => timedWay(way, device, difference)) };
    return ways.map(({ form }) => form);
  },
  check: ({ way, expected }) => present(opened?.ways[way]).check(expected),
  time: ({ way, effort }) => present(opened?.ways[way]).time(effort),
  async closeProblem() {
    await opened?.problem.dispose();
    opened = null;
  },
};

function present<T>(thing: T | null | undefined): T {
  if (thing === null || thing === undefined) throw new Error("page: found a call for what is not there");
  return thing;
}

takeCalls(calls);
