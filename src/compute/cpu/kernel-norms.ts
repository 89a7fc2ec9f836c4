import type { Kernel } from "../compute.ts";

/**
 * Entrywise norm of each kernel slice over its taps, outputs x inputs: the sum of |w| (`l1`), or the root of the sum
 * of squares (`l2`). Entrywise on purpose: the matrix 1-norm (largest column sum) is another number.
 */
export function kernelNorms(kernel: Kernel, norm: "l1" | "l2"): Float32Array {
  const { outputs, inputs, taps, values } = kernel;
  const norms = new Float32Array(outputs * inputs);
  for (let slice = 0, at = 0; slice < norms.length; slice++) {
    let sum = 0;
    const end = at + taps;
    if (norm === "l1") for (; at < end; at++) sum += Math.abs(values[at] as number);
    else for (; at < end; at++) sum += (values[at] as number) ** 2;
    norms[slice] = norm === "l1" ? sum : Math.sqrt(sum);
  }
  return norms;
}
