import type { Compute, TopCorrelations } from "../../src/compute/compute.ts";
import { fillLayerOutputs } from "../inputs.ts";
import type { KernelBench, Problem, Way } from "../kernel-bench.ts";

const TOLERANCE = 1e-5;

function problem(units: number, samples: number, k: number, ladder: Problem["ladder"]): Problem {
  return {
    size: `${units} x ${samples}, k = ${k}`,
    ladder,
    flops: samples * units * (units + 1),
    bytes: null,
    // What is larger than a buffer goes in panels.
    bufferBytes: 4 * Math.max(samples, 4 * k),
    hostBytes: 4 * units * samples + 48 * units * k,
    open({ cpu, gpu }) {
      // Made anew before each run, so that the largest problem takes its 1.6 GB once.
      const values = new Float32Array(units * samples);
      const way = (device: Way["device"], compute: Compute): Way => {
        let top: TopCorrelations | null = null;
        return {
          device,
          form: "",
          prepare: () => fillLayerOutputs(values, samples),
          async work() {
            top = await compute.topCorrelations(values, units, samples, "pearson", k);
          },
          answer: () => (top === null ? [] : encode(top)),
        };
      };
      const ways: [Way, ...Way[]] = [way("cpu", cpu)];
      if (gpu !== null) ways.push(way("webgpu", gpu.compute));
      return { ways, dispose() {} };
    },
  };
}

/** k, then all values, then the unit of each. */
function encode({ k, values, columns }: TopCorrelations): Float64Array {
  const encoded = new Float64Array(1 + 2 * values.length);
  encoded[0] = k;
  encoded.set(values, 1);
  encoded.set(columns, 1 + values.length);
  return encoded;
}

/** Largest difference of values; infinite where a unit is another one although its value is not that of a neighbour. */
function listDifference(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  const [k, count] = [expected[0] as number, (expected.length - 1) / 2];
  if (found.length !== expected.length || found[0] !== k) return Number.POSITIVE_INFINITY;
  const value = (at: number) => expected[1 + at] as number;
  let most = 0;
  for (let at = 0; at < count; at++) {
    const difference = Math.abs((found[1 + at] as number) - value(at));
    if (!(difference <= most)) most = difference;
    // What comes behind the last place is not known.
    const place = at % k;
    const isClear =
      place < k - 1 &&
      value(at) - value(at + 1) > 2 * TOLERANCE &&
      (place === 0 || value(at - 1) - value(at) > 2 * TOLERANCE);
    const isOther = found[1 + count + at] !== expected[1 + count + at];
    if (Number.isNaN(most) || (isClear && isOther)) return Number.POSITIVE_INFINITY;
  }
  return most;
}

export const TOP_K: KernelBench = {
  name: "top-k",
  about:
    "the k largest squared correlations of every unit (Pearson), from values in main memory to lists there; flops: the " +
    "products alone. GPU times are those of standardising, products and lists",
  isStage: true,
  difference: listDifference,
  tolerance: TOLERANCE,
  problems: [
    problem(200, 300, 8, "small"),
    problem(2000, 500, 32, "small"),
    problem(16384, 4096, 32, "full"),
    problem(100_000, 4096, 32, "full"),
  ],
};
