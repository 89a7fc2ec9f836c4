/**
 * A network with two known functional areas: two sub-tasks side by side, with block-diagonal weights set by hand.
 * The positive control of every graph, partitioner and score: all must find the two blocks.
 */
import {
  buildModel,
  makeFloatTensor,
  makeNode,
  makeValueInfo,
  type NodeProto,
} from "../../src/runtime/onnx.ts";
import { rng } from "../../src/statistics/rng.ts";

/** Features of each block, the first half of which speaks for its first class, the rest for its second. */
const FEATURES = 4;
/** Units of each block in a hidden layer, half of them for each of its classes. */
const WIDTH = 12;
const HIDDEN = 2;
const CLASSES = 2;
const BLOCKS = 2;
const INPUTS = 240;

export interface PlantedMlp {
  /** ONNX bytes: input `x` (n, 8), Gemm nodes `hidden1`, `hidden2` with Relu, `logits`, output `y` (n, 4). */
  readonly model: Uint8Array;
  /** Inputs x 8, row-major. Features 0-3 belong to block 0, features 4-7 to block 1. */
  readonly inputs: Float32Array;
  readonly inputShape: readonly [number, number];
  /** Class of each input: 0 and 1 are decided by block 0, 2 and 3 by block 1. Equally many of each. */
  readonly labels: Int32Array;
  /** The true block of each unit, in the unit order of the model, which the seed shuffles in hidden layers. */
  readonly layers: readonly { readonly name: string; readonly blocks: Int32Array }[];
}

/**
 * The planted network of a seed and inputs that it classifies without error. An input shows its class's pattern
 * at full strength in the features of its block and a pattern at a third of it in those of the other block; the
 * network takes the stronger one. With a block's units silenced in one layer only the weak pattern of the other
 * block is left: all inputs of the silenced block's classes are wrong and all others stay right.
 */
export function plantedMlp(seed: number): PlantedMlp {
  const random = rng(seed, "planted network");
  /** A unit of block b that speaks for class c of the block has the code b * CLASSES + c. */
  const codes = (perClass: number) =>
    Int32Array.from({ length: BLOCKS * CLASSES * perClass }, (_, i) => Math.floor(i / perClass));
  const features = codes(FEATURES / CLASSES);
  const hidden = Array.from({ length: HIDDEN }, () => random.shuffle(codes(WIDTH / CLASSES)));
  const outputs = codes(1);
  const unitCodes = [features, ...hidden, outputs];

  const nodes: NodeProto[] = [];
  const initializers = [];
  const layers = [];
  let value = "x";
  for (let layer = 1; layer < unitCodes.length; layer++) {
    const from = unitCodes[layer - 1] as Int32Array;
    const to = unitCodes[layer] as Int32Array;
    const isLast = layer === unitCodes.length - 1;
    const name = isLast ? "logits" : `hidden${layer}`;
    // transB = 1: one row of weights per output unit, as PyTorch exports it.
    const weights = new Float32Array(to.length * from.length);
    for (let i = 0; i < to.length; i++) {
      for (let j = 0; j < from.length; j++) {
        weights[i * from.length + j] = weightBetween(from[j] as number, to[i] as number, from.length);
      }
    }
    initializers.push(makeFloatTensor(`${name}.weight`, [to.length, from.length], weights));
    initializers.push(makeFloatTensor(`${name}.bias`, [to.length], new Float32Array(to.length)));
    const made = isLast ? "y" : `${name}_sum`;
    const gemm = makeNode("Gemm", [value, `${name}.weight`, `${name}.bias`], [made], { transB: 1n });
    gemm.name = name;
    nodes.push(gemm);
    if (!isLast) nodes.push(makeNode("Relu", [made], [`${name}_out`]));
    value = `${name}_out`;
    layers.push({ name, blocks: to.map((code) => Math.floor(code / CLASSES)) });
  }

  /** Units for the same class excite and those for the block's other class inhibit, with much the same strength. */
  function weightBetween(from: number, to: number, fanIn: number): number {
    if (Math.floor(from / CLASSES) !== Math.floor(to / CLASSES)) return 0.002 * random.normal();
    const size = (0.7 + 0.6 * random.uniform()) * (BLOCKS * CLASSES) * (1 / fanIn);
    return from === to ? size : -size;
  }

  const labels = random.shuffle(Int32Array.from({ length: INPUTS }, (_, i) => i % (BLOCKS * CLASSES)));
  const inputs = new Float32Array(INPUTS * features.length);
  for (let i = 0; i < INPUTS; i++) {
    const label = labels[i] as number;
    const other = (1 - Math.floor(label / CLASSES)) * CLASSES + random.integer(CLASSES);
    for (const [j, code] of features.entries()) {
      const strength = code === label ? 1 : code === other ? 1 / 3 : 0;
      inputs[i * features.length + j] = strength + 0.1 * random.uniform();
    }
  }
  const model = buildModel({
    nodes,
    inputs: [makeValueInfo("x", ["n", features.length])],
    outputs: [makeValueInfo("y", ["n", outputs.length])],
    initializers,
  });
  return { model, inputs, inputShape: [INPUTS, features.length], labels, layers };
}
