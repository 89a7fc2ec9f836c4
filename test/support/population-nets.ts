/** Networks whose units' impacts are known beforehand. */
import { loadNetworkBytes, type Network } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import { sketch } from "./models.ts";

/** Inputs of each class of the planted roles. */
export const PER_CLASS = 20;

/**
 * One hidden layer of six units over three classes. Units 0 and 1 say class 0, and one of them is enough; 2 and 4 say class 1, and
 * both are needed; class 2 is what the network says when nothing speaks. Unit 3 is dead, unit 5 always 2 and read by nothing.
 */
export function plantedRoles(): {
  readonly model: Uint8Array;
  readonly data: LabelledInputs & { values: Float32Array };
} {
  const draft = sketch([2]);
  // Rows: units; columns: the features of class 0 and of class 1.
  const first = draft.floats("w1", [6, 2], [1, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0]);
  const firstBias = draft.floats("b1", [6], [0, 0, 0, -1, 0, 2]);
  const second = draft.floats("w2", [3, 6], [10, 10, 0, 0, 0, 0, 0, 0, 4, 0, 4, 0, 0, 0, 0, 0, 0, 0]);
  const secondBias = draft.floats("b2", [3], [0, 0, 5]);
  const sums = draft.node("Gemm", [draft.input, first, firstBias], { transB: 1n }, { name: "hidden" });
  const hidden = draft.node("Relu", [sums]);
  const logits = draft.node("Gemm", [hidden, second, secondBias], { transB: 1n }, { name: "logits" });
  const labels = Int32Array.from({ length: 3 * PER_CLASS }, (_, i) => i % 3);
  // Alike but not equal, so that units of one role are not one and the same.
  const values = new Float32Array(2 * labels.length);
  labels.forEach((label, i) => {
    if (label < 2) values[2 * i + label] = 1 + 0.001 * (i % 7);
  });
  const batch = (start: number, rows: number) => values.slice(2 * start, 2 * (start + rows));
  return { model: draft.encode(logits), data: { count: labels.length, labels, values, batch } };
}

/** An MLP of random weights, and what it makes of inputs with some of its hidden outputs replaced, in plain loops. */
export async function randomMlp(
  widths: readonly number[],
  seed: number,
): Promise<{
  readonly network: Network;
  /** Logits of one input; `change` may change the outputs of hidden layer `layer` (from 0). */
  forward(input: ArrayLike<number>, change?: (layer: number, outputs: number[]) => void): number[];
}> {
  const draft = sketch([widths[0] as number], { seed });
  let value = draft.input;
  for (let layer = 1; layer < widths.length; layer++) {
    value = draft.dense(value, `layer${layer}`, widths[layer - 1] as number, widths[layer] as number);
    if (layer < widths.length - 1) value = draft.node("Relu", [value]);
  }
  const network = await loadNetworkBytes(draft.encode(value), "random.onnx");
  const tensors = new Map(
    draft.initializers.map(({ name, rawData }) => [name, new Float32Array(new Uint8Array(rawData).buffer)]),
  );
  return {
    network,
    forward(input, change) {
      let outputs = Array.from(input);
      for (let layer = 1; layer < widths.length; layer++) {
        const weight = tensors.get(`layer${layer}.weight`) as Float32Array;
        const bias = tensors.get(`layer${layer}.bias`) as Float32Array;
        const before = outputs;
        outputs = Array.from(bias, (start, unit) =>
          before.reduce((sum, x, i) => sum + x * (weight[unit * before.length + i] as number), start),
        );
        if (layer === widths.length - 1) continue;
        outputs = outputs.map((x) => Math.max(0, x));
        change?.(layer - 1, outputs);
      }
      return outputs;
    },
  };
}
