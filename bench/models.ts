import {
  buildModel,
  makeFloatTensor,
  makeNode,
  makeValueInfo,
  type NodeProto,
  type TensorProto,
} from "../src/runtime/onnx.ts";
import { rng } from "../src/statistics/rng.ts";

/** A tensor of He-scaled normal weights. */
function weights(name: string, dims: readonly number[], fanIn: number): TensorProto {
  const random = rng(0, "bench weights", name);
  const size = dims.reduce((total, extent) => total * extent, 1);
  const scale = Math.sqrt(2 / fanIn);
  return makeFloatTensor(
    name,
    dims,
    Float32Array.from({ length: size }, () => scale * random.normal()),
  );
}

/** An MLP with ReLU and random weights: input `x` [N, widths[0]]. */
export function mlpModel(widths: readonly number[]): Uint8Array {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  let value = "x";
  widths.slice(1).forEach((width, i) => {
    const isLast = i === widths.length - 2;
    const fanIn = widths[i] as number;
    initializers.push(
      weights(`w${i}`, [fanIn, width], fanIn),
      makeFloatTensor(`b${i}`, [width], new Float32Array(width)),
    );
    nodes.push({
      ...makeNode("Gemm", [value, `w${i}`, `b${i}`], [isLast ? "logits" : `z${i}`]),
      name: `dense${i}`,
    });
    if (!isLast) nodes.push(makeNode("Relu", [`z${i}`], [`a${i}`]));
    value = `a${i}`;
  });
  return model(nodes, initializers, [widths[0] as number]);
}

/** The 16 convolutions of VGG-19 for 32x32 images, 3x3 each, and one dense layer; 398 million multiplications. */
export function vggModel(): Uint8Array {
  const plan = [64, 64, 0, 128, 128, 0, 256, 256, 256, 256, 0, 512, 512, 512, 512, 0, 512, 512, 512, 512, 0];
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  let value = "x";
  let channels = 3;
  plan.forEach((width, i) => {
    if (width === 0) {
      nodes.push(makeNode("MaxPool", [value], [`p${i}`], { kernel_shape: [2n, 2n], strides: [2n, 2n] }));
      value = `p${i}`;
      return;
    }
    initializers.push(
      weights(`w${i}`, [width, channels, 3, 3], channels * 9),
      makeFloatTensor(`b${i}`, [width], new Float32Array(width)),
    );
    const node = makeNode("Conv", [value, `w${i}`, `b${i}`], [`z${i}`], {
      kernel_shape: [3n, 3n],
      pads: [1n, 1n, 1n, 1n],
    });
    nodes.push({ ...node, name: `conv${i}` }, makeNode("Relu", [`z${i}`], [`a${i}`]));
    value = `a${i}`;
    channels = width;
  });
  initializers.push(weights("wl", [512, 10], 512), makeFloatTensor("bl", [10], new Float32Array(10)));
  nodes.push(makeNode("Flatten", [value], ["flat"]), {
    ...makeNode("Gemm", ["flat", "wl", "bl"], ["logits"]),
    name: "dense",
  });
  return model(nodes, initializers, [3, 32, 32]);
}

function model(nodes: NodeProto[], initializers: TensorProto[], inputShape: readonly number[]): Uint8Array {
  return buildModel({
    nodes,
    initializers,
    inputs: [makeValueInfo("x", ["N", ...inputShape])],
    outputs: [makeValueInfo("logits", ["N", 10])],
  });
}

/** A layer of a planned network and its width, where it has one: 3x3 convolutions with padding, 2x2 pooling. */
export type PlanStep = readonly [
  kind: "conv" | "relu" | "pool" | "norm" | "flatten" | "dense",
  width: number,
];

/** A network of layers in a row; its parameters in the order in which PyTorch lists them, and multiplications per input. */
export function plannedModel(
  steps: readonly PlanStep[],
  inputShape: readonly number[],
): { model: Uint8Array; parameters: Float32Array[]; multiplies: number } {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  let shape = [...inputShape];
  let value = "x";
  let multiplies = 0;
  const size = () => shape.reduce((product, extent) => product * extent, 1);
  steps.forEach(([kind, width], i) => {
    const out = i === steps.length - 1 ? "logits" : `v${i}`;
    const [channels = 1, ...spatial] = shape;
    if (kind === "conv" || kind === "dense") {
      const taps = kind === "conv" ? [3, 3] : [];
      const fanIn = kind === "conv" ? channels * 9 : channels;
      initializers.push(weights(`w${i}`, [width, channels, ...taps], fanIn), weights(`b${i}`, [width], 200));
      const node =
        kind === "conv"
          ? makeNode("Conv", [value, `w${i}`, `b${i}`], [out], {
              kernel_shape: [3n, 3n],
              pads: [1n, 1n, 1n, 1n],
            })
          : makeNode("Gemm", [value, `w${i}`, `b${i}`], [out], { transB: 1n });
      nodes.push({ ...node, name: `${kind}${i}` });
      shape = [width, ...spatial];
      multiplies += size() * fanIn;
    } else if (kind === "relu") {
      nodes.push(makeNode("Relu", [value], [out]));
    } else if (kind === "pool") {
      nodes.push(makeNode("MaxPool", [value], [out], { kernel_shape: [2n, 2n], strides: [2n, 2n] }));
      shape = [channels, ...spatial.map((extent) => Math.floor(extent / 2))];
    } else if (kind === "norm") {
      const names = ["gamma", "beta", "mean", "variance"].map((name) => `${name}${i}`);
      const random = rng(0, "bench norm", i);
      for (const name of names) {
        const values = Float32Array.from({ length: channels }, () => 0.5 + random.uniform());
        initializers.push(makeFloatTensor(name, [channels], values));
      }
      nodes.push(makeNode("BatchNormalization", [value, ...names], [out]));
    } else {
      nodes.push(makeNode("Flatten", [value], [out]));
      shape = [size()];
    }
    value = out;
  });
  const parameters = initializers.map(({ rawData }) => new Float32Array(new Uint8Array(rawData).buffer));
  return { model: model(nodes, initializers, inputShape), parameters, multiplies };
}
