/**
 * Trains the embedded network mnist-mlp.onnx: 784-256-256-256-256-10 with ReLU on 8,000 digits, by Adam (Kingma &
 * Ba 2015, arXiv 1412.6980) with batches of 128 and a rate that falls linearly to 0, no dropout, no weight decay.
 * The last epoch is kept whatever its accuracy: the held-out digits select none.
 * Run: npx tsx examples/train-mlp.ts
 */
import { writeFileSync } from "node:fs";
import { defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from "@jax-js/jax";
import { buildModel, makeFloatTensor, makeNode, makeValueInfo } from "../src/runtime/onnx.ts";
import { rng } from "../src/statistics/rng.ts";
import { type Digits, PIXELS, SIDE, splitDigits } from "./mnist-split.ts";

const SEED = 0;
const WIDTHS = [PIXELS, 256, 256, 256, 256, 10];
const NAMES = ["hidden1", "hidden2", "hidden3", "hidden4", "logits"];
const EPOCHS = 20;
const BATCH = 128;
const LEARNING_RATE = 1e-3;
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-8];

/** A layer's parameters: weight inputs x outputs, bias outputs. */
type Layer = { weight: np.Array; bias: np.Array };
/** Parameters with Adam's running means of gradients and of their squares. */
type State = { layers: Layer[]; mean: Layer[]; square: Layer[] };

// jax-js counts references: a function consumes the arrays it is given, and `.ref` keeps one for later use.

function logitsOf(layers: Layer[], images: np.Array): np.Array {
  return layers.reduce((values, { weight, bias }, i) => {
    const sums = np.dot(values, weight).add(bias);
    return i < layers.length - 1 ? nn.relu(sums) : sums;
  }, images);
}

function crossEntropy(layers: Layer[], images: np.Array, targets: np.Array): np.Array {
  return nn
    .logSoftmax(logitsOf(layers, images))
    .mul(targets)
    .sum()
    .mul(-1 / BATCH);
}

/** One step of Adam; `rate` is the learning rate / (1 - beta1^t), `squareScale` is 1 / (1 - beta2^t). */
function stepOf(
  { layers, mean, square }: State,
  images: np.Array,
  targets: np.Array,
  rate: np.Array,
  squareScale: np.Array,
): { loss: np.Array; state: State } {
  const [loss, gradient] = valueAndGrad(crossEntropy)(tree.ref(layers), images, targets);
  const next: State = { layers: [], mean: [], square: [] };
  for (const [i, layer] of layers.entries()) {
    const update = (name: keyof Layer): [np.Array, np.Array, np.Array] => {
      const g = (gradient[i] as Layer)[name];
      const m = (mean[i] as Layer)[name].mul(BETA1).add(g.ref.mul(1 - BETA1));
      const s = (square[i] as Layer)[name].mul(BETA2).add(np.square(g).mul(1 - BETA2));
      const change = m.ref.mul(rate.ref).div(np.sqrt(s.ref.mul(squareScale.ref)).add(EPSILON));
      return [layer[name].sub(change), m, s];
    };
    const [weight, weightMean, weightSquare] = update("weight");
    const [bias, biasMean, biasSquare] = update("bias");
    next.layers.push({ weight, bias });
    next.mean.push({ weight: weightMean, bias: biasMean });
    next.square.push({ weight: weightSquare, bias: biasSquare });
  }
  rate.dispose();
  squareScale.dispose();
  return { loss, state: next };
}

/** He's initialisation (He et al. 2015, arXiv 1502.01852), biases 0. */
function initialState(): State {
  const random = rng(SEED, "initial weights");
  const zeros = (): Layer[] =>
    NAMES.map((_, i) => ({
      weight: np.zeros([WIDTHS[i] as number, WIDTHS[i + 1] as number]),
      bias: np.zeros([WIDTHS[i + 1] as number]),
    }));
  const layers = NAMES.map((_, i): Layer => {
    const [from, to] = [WIDTHS[i] as number, WIDTHS[i + 1] as number];
    const values = Float32Array.from({ length: from * to }, () => Math.sqrt(2 / from) * random.normal());
    return { weight: np.array(values).reshape([from, to]), bias: np.zeros([to]) };
  });
  return { layers, mean: zeros(), square: zeros() };
}

/** Images as float32 in [0, 1], count x 784, and one-hot labels, of the digits listed in `order`. */
function batchOf(digits: Digits, order: Int32Array): [np.Array, np.Array] {
  const images = new Float32Array(order.length * PIXELS);
  const targets = new Float32Array(order.length * 10);
  for (const [row, digit] of order.entries()) {
    const start = digit * PIXELS;
    for (let pixel = 0; pixel < PIXELS; pixel++) {
      images[row * PIXELS + pixel] = (digits.images[start + pixel] as number) / 255;
    }
    targets[row * 10 + (digits.labels[digit] as number)] = 1;
  }
  return [np.array(images).reshape([order.length, PIXELS]), np.array(targets).reshape([order.length, 10])];
}

async function accuracyOf(layers: Layer[], digits: Digits): Promise<number> {
  const everything = Int32Array.from({ length: digits.count }, (_, i) => i);
  const [images, targets] = batchOf(digits, everything);
  targets.dispose();
  const best = await np.argmax(logitsOf(tree.ref(layers), images), 1).data();
  return digits.labels.filter((label, i) => best[i] === label).length / digits.count;
}

/** The network as ONNX: `image` (n, 1, 28, 28) -> Flatten -> four Gemm with Relu -> Gemm -> `logits` (n, 10). */
async function exportModel(layers: Layer[]): Promise<Uint8Array> {
  const flatten = makeNode("Flatten", ["image"], ["pixels"], { axis: 1n });
  flatten.name = "flatten";
  const nodes = [flatten];
  const initializers = [];
  let value = "pixels";
  for (const [i, { weight, bias }] of layers.entries()) {
    const name = NAMES[i] as string;
    const [from, to] = [WIDTHS[i] as number, WIDTHS[i + 1] as number];
    initializers.push(makeFloatTensor(`${name}.weight`, [from, to], (await weight.data()) as Float32Array));
    initializers.push(makeFloatTensor(`${name}.bias`, [to], (await bias.data()) as Float32Array));
    const isLast = i === layers.length - 1;
    const sums = isLast ? "logits" : `${name}_sum`;
    const gemm = makeNode("Gemm", [value, `${name}.weight`, `${name}.bias`], [sums]);
    gemm.name = name;
    nodes.push(gemm);
    if (isLast) break;
    value = `${name}_out`;
    const relu = makeNode("Relu", [sums], [value]);
    relu.name = `${name}_relu`;
    nodes.push(relu);
  }
  return buildModel({
    nodes,
    initializers,
    inputs: [makeValueInfo("image", ["n", 1, SIDE, SIDE])],
    outputs: [makeValueInfo("logits", ["n", 10])],
    opsets: new Map([["", 17]]),
  });
}

await init("wasm");
defaultDevice("wasm");
const { training, heldOut } = splitDigits();
const train = jit(stepOf);
let state = initialState();
const batches = Math.floor(training.count / BATCH);
let step = 0;
for (let epoch = 1; epoch <= EPOCHS; epoch++) {
  const order = rng(SEED, "order", epoch).shuffle(Int32Array.from({ length: training.count }, (_, i) => i));
  let total = 0;
  // Whole batches only; which digits are left out changes with the order of each epoch.
  for (let batch = 0; batch < batches; batch++) {
    step++;
    const [images, targets] = batchOf(training, order.subarray(batch * BATCH, (batch + 1) * BATCH));
    const rate = (LEARNING_RATE * (1 - (step - 1) / (EPOCHS * batches))) / (1 - BETA1 ** step);
    const squareScale = 1 / (1 - BETA2 ** step);
    const { loss, state: next } = train(state, images, targets, np.array(rate), np.array(squareScale));
    state = next;
    total += (await loss.data())[0] as number;
  }
  const accuracy = await accuracyOf(state.layers, heldOut);
  console.log(
    `epoch ${epoch}: loss ${(total / batches).toFixed(4)}, held-out accuracy ${accuracy.toFixed(4)}`,
  );
}
writeFileSync(new URL("mnist-mlp.onnx", import.meta.url), await exportModel(state.layers));
