import { correlations } from "../../src/compute/cpu/correlations.ts";
import { CORRELATION_TILES, correlationSteps, rowStride } from "../../src/compute/webgpu/correlation.ts";
import { dispatch } from "../../src/compute/webgpu/shader-kernel.ts";
import { readFloats } from "../../src/compute/webgpu/transfer.ts";
import { quickStream } from "../inputs.ts";
import { absoluteDifference, type KernelBench, type Problem, stepsWay, type Way } from "../kernel-bench.ts";

/** The textbook kernel (shaders/correlation-naive.wgsl of this folder): every lane computes one value of the square. */
const CORRELATION_NAIVE = { ...CORRELATION_TILES, name: "correlation-naive" };
/** Beyond, the textbook kernel would take most of the time of the whole bench. */
const NAIVE_UNITS = 4096;

function problem(units: number, samples: number, ladder: Problem["ladder"]): Problem {
  const stride = rowStride(samples);
  return {
    size: `${units} x ${samples}`,
    ladder,
    flops: samples * units * (units + 1),
    bytes: null,
    bufferBytes: 4 * Math.max(units * units, units * stride),
    hostBytes: 4 * (2 * units * stride + 3 * units * units),
    open({ matmul, gpu }) {
      const rows = standardRows(units, samples, stride);
      const scratch = new Float32Array(units * stride);
      let squared: Float32Array = new Float32Array(0);
      const ways: [Way, ...Way[]] = [
        {
          device: "cpu",
          form: "",
          prepare: () => scratch.set(rows),
          // Zeros at the end of a row change no correlation.
          work: async () => {
            squared = (await correlations(matmul, scratch, units, stride, "pearson")).values;
          },
          answer: () => squared,
        },
      ];
      if (gpu === null) return { ways, dispose() {} };
      const { device } = gpu;
      const values = device.upload("bench/rows", rows);
      const target = device.buffer("bench/squared", 4 * units * units);
      const read = () => readFloats(device, target);
      const side = { rows: units, values };
      if (units <= NAIVE_UNITS) {
        const naive = dispatch(CORRELATION_NAIVE, {
          groups: Math.ceil((units * units) / 64),
          params: {
            rows: units,
            columns: units,
            stride: stride / 4,
            first: 0,
            end: stride / 4,
            is_diagonal: 1,
            is_first: 1,
            is_last: 1,
            is_distance: 0,
            unit: 1,
          },
          buffers: { left: values, right: values, finished: target },
        });
        ways.push(stepsWay(device, "one value per lane", [naive], read));
      }
      for (const form of ["registers", "tiles"] as const) {
        ways.push(stepsWay(device, form, correlationSteps(form, side, side, samples, target), read));
      }
      return {
        ways,
        dispose() {
          values.release();
          target.release();
        },
      };
    },
  };
}

/** Rows of mean 0 and length 1 with correlations of all sizes; entries from `samples` on are zero. */
function standardRows(units: number, samples: number, stride: number): Float32Array {
  const next = quickStream(3);
  const shared = Float32Array.from({ length: 8 * samples }, next);
  const rows = new Float32Array(units * stride);
  for (let unit = 0; unit < units; unit++) {
    const at = unit * stride;
    const strength = (unit % 3) / 2;
    let sum = 0;
    for (let i = 0; i < samples; i++) {
      const value = next() + strength * (shared[(unit % 8) * samples + i] as number);
      rows[at + i] = value;
      sum += value;
    }
    const mean = sum / samples;
    let squares = 0;
    for (let i = 0; i < samples; i++) squares += ((rows[at + i] as number) - mean) ** 2;
    const scale = 1 / Math.sqrt(squares);
    for (let i = 0; i < samples; i++) rows[at + i] = ((rows[at + i] as number) - mean) * scale;
  }
  return rows;
}

export const CORRELATION: KernelBench = {
  name: "correlation",
  about:
    "squared correlations of standardised rows, in each form; flops: the products on and above the diagonal, " +
    "samples x units x (units + 1). The CPU's way standardises the rows once more",
  isStage: false,
  difference: absoluteDifference,
  tolerance: 1e-5,
  problems: [
    problem(64, 200, "small"),
    problem(512, 1000, "small"),
    problem(1024, 2000, "small"),
    problem(4096, 4096, "full"),
    problem(8192, 8192, "full"),
    problem(16384, 8192, "full"),
  ],
};
