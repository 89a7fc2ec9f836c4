/** Small ONNX networks, drawn node by node, with seeded weights. */
import { expect } from "vitest";
import { BrodmannError } from "../../src/errors.ts";
import { inputTensor } from "../../src/network/network-input.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import {
  type AttributeValue,
  buildModel,
  decodeModel,
  encodeModel,
  type ModelProto,
  makeFloatTensor,
  makeIntTensor,
  makeNode,
  makeUntypedValueInfo,
  makeValueInfo,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "../../src/runtime/onnx.ts";
import { floatValues, Session } from "../../src/runtime/session.ts";
import { rng } from "../../src/statistics/rng.ts";

type Attributes = Readonly<Record<string, AttributeValue>>;

/** What a node is called; without a name it has none, and its outputs are numbered. */
interface Naming {
  readonly name?: string;
  readonly outputs?: readonly string[];
  readonly domain?: string;
}

/** Options of a convolution; default: 3 x 3 with padding 1. */
interface ConvOptions {
  readonly name: string;
  readonly inputs: number;
  readonly units: number;
  readonly kernel?: readonly number[];
  readonly groups?: number;
  readonly attributes?: Attributes;
}

/** A model in the making. Values are strings; every method gives the name of the value that it makes. */
export interface Sketch {
  readonly input: string;
  readonly nodes: NodeProto[];
  readonly initializers: TensorProto[];
  node(opType: string, input: readonly string[], attributes?: Attributes, naming?: Naming): string;
  /** A float constant: the given values, or seeded normal ones divided by the root of the fan-in. */
  floats(name: string, dims: readonly number[], values?: ArrayLike<number>): string;
  ints(values: readonly number[], dims?: readonly number[]): string;
  conv(from: string, options: ConvOptions): string;
  /** Gemm with transB = 1 and a bias, as PyTorch writes nn.Linear. */
  dense(from: string, name: string, inputs: number, units: number): string;
  /** Batch norm whose gamma, beta, mean and variance are all away from their neutral values. */
  batchNorm(from: string, name: string, channels: number): string;
  encode(outputs: string | readonly string[]): Uint8Array;
}

interface SketchOptions {
  readonly opset?: number;
  /** A number declares a fixed batch size. */
  readonly batch?: string | number;
  readonly irVersion?: number;
  readonly inputs?: readonly ValueInfoProto[];
  readonly seed?: number;
}

/** Begins a model with the float input `x` of the given shape behind the batch axis. */
export function sketch(inputShape: readonly (number | string)[], options: SketchOptions = {}): Sketch {
  const { opset = 17, batch = "n", irVersion = 8, seed = 0 } = options;
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  let count = 0;
  const floats: Sketch["floats"] = (name, dims, values) => {
    const random = rng(seed, "weights", name);
    const size = dims.reduce((product, extent) => product * extent, 1);
    const fanIn = Math.max(1, size / (dims[0] ?? 1));
    const drawn = values ?? Float32Array.from({ length: size }, () => random.normal() / Math.sqrt(fanIn));
    initializers.push(makeFloatTensor(name, dims, Float32Array.from(drawn)));
    return name;
  };
  const node: Sketch["node"] = (opType, input, attributes = {}, naming = {}) => {
    count += 1;
    const outputs = naming.outputs ?? [`${opType.toLowerCase()}${count}`];
    const made = makeNode(opType, input, outputs, attributes, naming.domain ?? "");
    made.name = naming.name ?? "";
    nodes.push(made);
    return outputs[0] ?? "";
  };
  return {
    input: "x",
    nodes,
    initializers,
    floats,
    node,
    ints(values, dims) {
      const name = `ints${initializers.length}`;
      initializers.push(makeIntTensor(name, values, dims ?? [values.length]));
      return name;
    },
    conv(from, { name, inputs, units, kernel = [3, 3], groups = 1, attributes }) {
      const weight = floats(`${name}.weight`, [units, inputs / groups, ...kernel]);
      const bias = floats(`${name}.bias`, [units]);
      const pads = [...kernel, ...kernel].map((size) => BigInt((size - 1) / 2));
      const all = { group: BigInt(groups), kernel_shape: kernel.map(BigInt), pads, ...attributes };
      return node("Conv", [from, weight, bias], all, { name, outputs: [`${name}.out`] });
    },
    dense(from, name, inputs, units) {
      const weight = floats(`${name}.weight`, [units, inputs]);
      const bias = floats(`${name}.bias`, [units]);
      return node("Gemm", [from, weight, bias], { transB: 1n }, { name, outputs: [`${name}.out`] });
    },
    batchNorm(from, name, channels) {
      const random = rng(seed, "batch norm", name);
      const draw = (low: number, high: number) =>
        Float32Array.from({ length: channels }, () => low + (high - low) * random.uniform());
      const signed = draw(0.5, 2).map((value) => (random.uniform() < 0.3 ? -value : value));
      const parameters = [
        floats(`${name}.gamma`, [channels], signed),
        floats(`${name}.beta`, [channels], draw(-0.5, 0.5)),
        floats(`${name}.mean`, [channels], draw(-0.3, 0.3)),
        floats(`${name}.variance`, [channels], draw(0.3, 2)),
      ];
      const attributes = { epsilon: 1e-3 };
      return node("BatchNormalization", [from, ...parameters], attributes, {
        name,
        outputs: [`${name}.out`],
      });
    },
    encode(outputs) {
      const names = typeof outputs === "string" ? [outputs] : outputs;
      return buildModel({
        nodes,
        initializers,
        inputs: options.inputs ?? [makeValueInfo("x", [batch, ...inputShape])],
        outputs: names.map(makeUntypedValueInfo),
        opsets: new Map([
          ["", opset],
          ["com.microsoft", 1],
          ["test.custom", 1],
        ]),
        irVersion,
      });
    },
  };
}

/** |gamma| / sqrt(variance + epsilon) of a sketched batch norm. */
export function batchNormScale(model: Uint8Array, name: string): number[] {
  const gamma = weightsOf(model, `${name}.gamma`);
  const variance = weightsOf(model, `${name}.variance`);
  return Array.from(gamma, (value, c) => Math.abs(value) / Math.sqrt((variance[c] as number) + 1e-3));
}

/** Float values of an initializer. */
export function weightsOf(model: Uint8Array, name: string): Float32Array {
  const tensor = decodeModel(model).graph?.initializer.find((candidate) => candidate.name === name);
  if (tensor === undefined) throw new Error(`no initializer ${name}`);
  return new Float32Array(new Uint8Array(tensor.rawData).buffer);
}

/** The model with changes made to its decoded form. */
export function edited(model: Uint8Array, change: (model: ModelProto) => void): Uint8Array {
  const decoded = decodeModel(model);
  change(decoded);
  return encodeModel(decoded);
}

/** The model with `value(flat index, old value)` in place of an initializer's values. */
export function withWeights(
  model: Uint8Array,
  name: string,
  value: (index: number, old: number, dims: readonly number[]) => number,
): Uint8Array {
  return edited(model, ({ graph }) => {
    const tensor = graph?.initializer.find((candidate) => candidate.name === name);
    if (tensor === undefined) throw new Error(`no initializer ${name}`);
    const dims = tensor.dims.map(Number);
    const old = new Float32Array(new Uint8Array(tensor.rawData).buffer);
    const changed = old.map((before, index) => value(index, before, dims));
    tensor.rawData = new Uint8Array(changed.buffer);
  });
}

/** All values of the model's first float output for a batch of inputs, by ONNX Runtime alone. */
export async function runModel(
  model: Uint8Array,
  inputs: Float32Array,
  dims: readonly number[],
  batch: number = dims[0] ?? 1,
): Promise<Float32Array> {
  const session = await Session.create(model, { label: "oracle", threads: 1, isOneShot: true });
  const input = session.inputNames[0] ?? "";
  const output = session.outputNames[0] ?? "";
  const declared = decodeModel(model).graph?.input[0]?.type?.value;
  const type = declared?.case === "tensorType" ? declared.value.elemType : 1;
  const size = dims.slice(1).reduce((product, extent) => product * extent, 1);
  const parts: Float32Array[] = [];
  try {
    for (let start = 0; start < (dims[0] ?? 0); start += batch) {
      const part = inputs.slice(start * size, (start + batch) * size);
      const outputs = await session.run({ [input]: inputTensor(part, [batch, ...dims.slice(1)], type) });
      parts.push(floatValues(outputs[output], output));
    }
  } finally {
    await session.dispose();
  }
  return Float32Array.from(parts.flatMap((part) => Array.from(part)));
}

/** Seeded normal inputs with seeded labels of all classes. */
export function randomData(
  count: number,
  inputShape: readonly number[],
  classes: number,
  seed = 0,
): LabelledInputs & { readonly values: Float32Array } {
  const random = rng(seed, "inputs");
  const size = inputShape.reduce((product, extent) => product * extent, 1);
  const values = Float32Array.from({ length: count * size }, () => random.normal());
  const labels = random.shuffle(Int32Array.from({ length: count }, (_, i) => i % classes));
  const batch = (start: number, rows: number) => values.slice(start * size, (start + rows) * size);
  return { count, labels, values, batch };
}

/** Expects a BrodmannError of the given code, and returns it. */
export async function expectRefusal(run: () => unknown, code: string | RegExp): Promise<BrodmannError> {
  let error: unknown = null;
  try {
    await run();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(BrodmannError);
  const refusal = error as BrodmannError;
  expect(refusal.code).toMatch(typeof code === "string" ? new RegExp(`^${code}$`) : code);
  expect(refusal.hint).not.toBe("");
  return refusal;
}
