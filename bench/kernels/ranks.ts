import { rankerFor } from "../../src/compute/cpu/ranks.ts";
import { rankScratchLength, rankSteps } from "../../src/compute/webgpu/ranks.ts";
import { readFloats } from "../../src/compute/webgpu/transfer.ts";
import { layerOutputs } from "../inputs.ts";
import { absoluteDifference, type KernelBench, type Problem, stepsWay, type Way } from "../kernel-bench.ts";

function problem(units: number, samples: number, ladder: Problem["ladder"]): Problem {
  const count = units * samples;
  return {
    size: `${units} x ${samples}`,
    ladder,
    flops: null,
    bytes: 8 * count,
    // Keys are padded to a power of two.
    bufferBytes: 4 * units * 2 ** Math.ceil(Math.log2(samples)),
    hostBytes: 12 * count,
    open({ gpu }) {
      const values = layerOutputs(units, samples);
      const ranks = new Float32Array(count);
      const rank = rankerFor(samples);
      const ways: [Way, ...Way[]] = [
        {
          device: "cpu",
          form: "",
          work: () => {
            for (let at = 0; at < count; at += samples) {
              rank(values.subarray(at, at + samples), ranks.subarray(at, at + samples));
            }
          },
          answer: () => ranks,
        },
      ];
      if (gpu === null) return { ways, dispose() {} };
      const { device } = gpu;
      const keyLength = rankScratchLength(device, samples);
      const source = device.upload("bench/values", values);
      const target = device.buffer("bench/ranks", 4 * count);
      const keys = keyLength === 0 ? null : device.buffer("bench/keys", 4 * units * keyLength);
      const steps = rankSteps(device, units, samples, source, target, keys);
      ways.push(stepsWay(device, "", steps, () => readFloats(device, target)));
      return {
        ways,
        dispose() {
          for (const buffer of [source, target, keys]) buffer?.release();
        },
      };
    },
  };
}

export const RANKS: KernelBench = {
  name: "ranks",
  about: "average-tie ranks of rows, half of the values zeros; bytes: every value read, every rank written",
  isStage: false,
  difference: absoluteDifference,
  // Ranks are multiples of a half, exact in float32.
  tolerance: 0,
  problems: [
    problem(16, 500, "small"),
    problem(256, 1000, "small"),
    problem(64, 5000, "small"),
    problem(4096, 4096, "full"),
    problem(4096, 16384, "full"),
    problem(16384, 8192, "full"),
  ],
};
