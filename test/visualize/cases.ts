/** What `test/fixtures/visualize.py` optimises, made here by the same formulas. */
import { readFileSync } from "node:fs";
import { type Sketch, sketch } from "../support/models.ts";

/** A whole optimisation of PyTorch: objectives before each update, and what the network makes of the last images. */
export interface ReferenceRun {
  readonly network: "grey" | "colour" | "blocked";
  readonly layer: number;
  readonly sets: readonly (readonly number[])[];
  readonly mean: number | readonly number[];
  readonly std: number | readonly number[];
  /** Sets x steps. */
  readonly trajectory: readonly (readonly number[])[];
  readonly images: readonly (readonly number[])[];
  readonly entropy: readonly number[];
  readonly dispersion: readonly number[];
}

export const REFERENCE: {
  readonly parameters: readonly {
    readonly shape: readonly [number, number, number];
    readonly images: readonly number[];
    readonly gradient: readonly number[];
  }[];
  readonly optimisations: readonly ReferenceRun[];
} = JSON.parse(readFileSync(new URL("../fixtures/visualize.json", import.meta.url), "utf8"));

/** Numbers that repeat nowhere, the same in every language. */
export function waves(count: number, phase: number, amplitude: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => amplitude * Math.sin(0.37 * i * i + i + phase));
}

/** The layers are named as PyTorch numbers them. */
const NETWORKS: Readonly<Record<ReferenceRun["network"], () => Uint8Array>> = {
  grey() {
    const s = sketch([1, 12, 10]);
    const first = s.node("Relu", [conv(s, s.input, "0", 0, 1, 6)]);
    const pooled = s.node("MaxPool", [first], { kernel_shape: [2n, 2n], strides: [2n, 2n] });
    const second = s.node("Relu", [conv(s, pooled, "3", 1, 6, 8)]);
    const hidden = s.node("Relu", [dense(s, s.node("Flatten", [second]), "6", 2, 240, 10)]);
    return s.encode(dense(s, hidden, "8", 3, 10, 4));
  },
  colour() {
    const s = sketch([3, 9, 11]);
    const first = s.node("Relu", [conv(s, s.input, "0", 0, 3, 6, 2n)]);
    const parameters = [
      ["weight", 1.2],
      ["bias", 0.1],
      ["running_mean", 0.3],
      ["running_var", 0.4],
    ] as const;
    const constants = parameters.map(([name, offset]) =>
      s.floats(
        `2.${name}`,
        [6],
        waves(6, 1 + name.length, 0.2).map((value) => value + offset),
      ),
    );
    const normal = s.node("BatchNormalization", [first, ...constants], { epsilon: 1e-5 });
    const second = s.node("Relu", [conv(s, normal, "3", 2, 6, 5)]);
    return s.encode(dense(s, s.node("Flatten", [second]), "6", 3, 150, 3));
  },
  blocked() {
    const s = sketch([1, 8, 8]);
    const first = s.node("Relu", [conv(s, s.input, "0", 0, 1, 4, 1n, -0.7)]);
    const second = s.node("Relu", [conv(s, first, "2", 1, 4, 3)]);
    return s.encode(dense(s, s.node("Flatten", [second]), "5", 2, 192, 3));
  },
};

/** An ONNX file of one of the networks. */
export function referenceNetwork(name: ReferenceRun["network"]): Uint8Array {
  return NETWORKS[name]();
}

function conv(
  s: Sketch,
  from: string,
  name: string,
  number: number,
  inputs: number,
  units: number,
  stride = 1n,
  shift = 0,
): string {
  const weight = waves(units * inputs * 9, number, 1.5 / Math.sqrt(inputs * 9));
  const bias = waves(units, number + 0.5, 0.1).map((value) => value + shift);
  const constants = [
    s.floats(`${name}.weight`, [units, inputs, 3, 3], weight),
    s.floats(`${name}.bias`, [units], bias),
  ];
  const attributes = { kernel_shape: [3n, 3n], pads: [1n, 1n, 1n, 1n], strides: [stride, stride] };
  return s.node("Conv", [from, ...constants], attributes, { name, outputs: [`${name}.out`] });
}

function dense(s: Sketch, from: string, name: string, number: number, inputs: number, units: number): string {
  const constants = [
    s.floats(`${name}.weight`, [units, inputs], waves(units * inputs, number, 1.5 / Math.sqrt(inputs))),
    s.floats(`${name}.bias`, [units], waves(units, number + 0.5, 0.1)),
  ];
  return s.node("Gemm", [from, ...constants], { transB: 1n }, { name, outputs: [`${name}.out`] });
}
