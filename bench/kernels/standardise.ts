import { rowStride } from "../../src/compute/webgpu/correlation.ts";
import { dispatch } from "../../src/compute/webgpu/shader-kernel.ts";
import { STANDARDISE } from "../../src/compute/webgpu/standardised-panels.ts";
import { readFloats } from "../../src/compute/webgpu/transfer.ts";
import { layerOutputs } from "../inputs.ts";
import { absoluteDifference, type KernelBench, type Problem, stepsWay, type Way } from "../kernel-bench.ts";

function problem(units: number, samples: number, ladder: Problem["ladder"]): Problem {
  const count = units * samples;
  const stride = rowStride(samples);
  return {
    size: `${units} x ${samples}`,
    ladder,
    flops: null,
    bytes: 4 * units * (samples + stride),
    bufferBytes: 4 * units * stride,
    hostBytes: 12 * count,
    open({ gpu }) {
      const values = layerOutputs(units, samples);
      const scaled = new Float32Array(units * stride);
      const ways: [Way, ...Way[]] = [
        {
          device: "cpu",
          form: "",
          work: () => standardiseRows(values, units, samples, scaled, stride),
          answer: () => scaled,
        },
      ];
      if (gpu === null) return { ways, dispose() {} };
      const { device } = gpu;
      const source = device.upload("bench/values", values);
      const target = device.buffer("bench/scaled", 4 * units * stride);
      const dead = device.buffer("bench/dead", 4 * units);
      const step = dispatch(STANDARDISE, {
        groups: units,
        params: { rows: units, samples, stride, first_row: 0 },
        buffers: { source, scaled: target, dead },
        constants: { WORKGROUP_SIZE: device.cooperatingLanes },
      });
      ways.push(stepsWay(device, "", [step], () => readFloats(device, target)));
      return {
        ways,
        dispose() {
          for (const buffer of [source, target, dead]) buffer.release();
        },
      };
    },
  };
}

/** Rows of mean 0 and length 1, sums in float64. */
function standardiseRows(
  values: Float32Array,
  units: number,
  samples: number,
  scaled: Float32Array,
  stride: number,
): void {
  for (let unit = 0; unit < units; unit++) {
    const row = values.subarray(unit * samples, (unit + 1) * samples);
    let sum = 0;
    for (let i = 0; i < samples; i++) sum += row[i] as number;
    const mean = sum / samples;
    let squares = 0;
    for (let i = 0; i < samples; i++) squares += ((row[i] as number) - mean) ** 2;
    const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
    for (let i = 0; i < samples; i++) scaled[unit * stride + i] = ((row[i] as number) - mean) * scale;
  }
}

export const STANDARDISED_ROWS: KernelBench = {
  name: "standardise",
  about:
    "rows of mean 0 and length 1; bytes: every value read once and written once (the kernel reads four times)",
  isStage: false,
  difference: absoluteDifference,
  tolerance: 1e-6,
  problems: [
    problem(16, 500, "small"),
    problem(1024, 2000, "small"),
    problem(4096, 4096, "full"),
    problem(16384, 8192, "full"),
  ],
};
