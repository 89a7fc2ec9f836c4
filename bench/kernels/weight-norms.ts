import { kernelNorms } from "../../src/compute/cpu/kernel-norms.ts";
import { KERNEL_NORMS } from "../../src/compute/webgpu/kernel-norms.ts";
import { dispatch } from "../../src/compute/webgpu/shader-kernel.ts";
import { readFloats } from "../../src/compute/webgpu/transfer.ts";
import { uniformValues } from "../inputs.ts";
import { entrywiseDifference, type KernelBench, type Problem, stepsWay, type Way } from "../kernel-bench.ts";

const TAPS = 9;

function problem(outputs: number, inputs: number, ladder: Problem["ladder"]): Problem {
  const slices = outputs * inputs;
  return {
    size: `${outputs} x ${inputs} x ${TAPS}`,
    ladder,
    flops: null,
    bytes: 4 * slices * (TAPS + 1),
    bufferBytes: 4 * slices * TAPS,
    hostBytes: 4 * slices * (TAPS + 2),
    open({ gpu }) {
      const values = uniformValues(slices * TAPS, 0);
      let norms: Float32Array = new Float32Array(0);
      const ways: [Way, ...Way[]] = [
        {
          device: "cpu",
          form: "",
          work: () => {
            norms = kernelNorms({ outputs, inputs, taps: TAPS, values }, "l2");
          },
          answer: () => norms,
        },
      ];
      if (gpu === null) return { ways, dispose() {} };
      const { device } = gpu;
      const source = device.upload("bench/values", values);
      const target = device.buffer("bench/norms", 4 * slices);
      const step = dispatch(KERNEL_NORMS, {
        groups: Math.ceil(slices / 64),
        params: { slices, taps: TAPS, norm: 2 },
        buffers: { values: source, norms: target },
      });
      ways.push(stepsWay(device, "", [step], () => readFloats(device, target)));
      return {
        ways,
        dispose() {
          source.release();
          target.release();
        },
      };
    },
  };
}

export const WEIGHT_NORMS: KernelBench = {
  name: "weight-norms",
  about: "L2 norms of 3 x 3 kernel slices; bytes: every weight read, every norm written",
  isStage: false,
  difference: entrywiseDifference,
  tolerance: 1e-5,
  problems: [
    problem(64, 64, "small"),
    problem(512, 512, "small"),
    problem(1024, 1024, "small"),
    problem(4096, 1024, "full"),
    problem(4096, 4096, "full"),
  ],
};
