/**
 * 3x3 convolutions of small maps as products, after Winograd (Lavin & Gray 2016, doi:10.1109/CVPR.2016.435): a tile of
 * m x m outputs takes (m + 2)^2 multiplications per pair of channels in place of 9 m^2. Behind a lesion the same
 * convolutions run thousands of times, so their weights are transformed once and the multiplications saved each time:
 * 2.25 times fewer for 2x2 maps, 4 times for larger ones. Beyond 16x16, where channels are few, the transforms eat the
 * gain (bench/lesions.ts).
 *
 * With y = A^T [(G g G^T) . (B^T d B)] A per tile; the points of the Toom-Cook scheme are chosen for accuracy
 * (Barabasz et al. 2020, doi:10.1145/3412380): the error is about twice that of the plain sums in float32.
 */
import {
  makeFloatTensor,
  makeIntTensor,
  makeNode,
  type NodeProto,
  type TensorProto,
} from "../runtime/onnx.ts";
import { constantFloats } from "./constants.ts";
import { attributeOf, integerAttribute, integersAttribute, type ModelPart, readsOf } from "./model-graph.ts";
import type { Network } from "./network.ts";

/** A one-dimensional scheme for m outputs of a filter of 3; `size` = m + 2 products. */
interface Scheme {
  readonly outputs: number;
  readonly size: number;
  /** m x size. */
  readonly outputTransform: readonly (readonly number[])[];
  /** size x 3. */
  readonly filterTransform: readonly (readonly number[])[];
  /** size x size. */
  readonly inputTransform: readonly (readonly number[])[];
}

const TAPS = 3;
const SCHEMES: ReadonlyMap<number, Scheme> = new Map([
  [2, toomCook(2, [0, 1, -1])],
  [4, toomCook(4, [0, 0.625, -0.625, 1.5, -1.5])],
]);

/** Outputs per tile by the size of the map. */
const TILE: ReadonlyMap<number, number> = new Map([
  [2, 2],
  [4, 4],
  [8, 4],
  [16, 4],
]);

/** With fewer channels the transforms cost more than the products they save. */
const LEAST_CHANNELS = 64;

/** Toom-Cook convolution through the given finite points and infinity. */
export function toomCook(outputs: number, points: readonly number[]): Scheme {
  const size = outputs + TAPS - 1;
  const powers = (count: number) =>
    points.map((point) => Array.from({ length: count }, (_, i) => point ** i));
  const last = (count: number) => Array.from({ length: count }, (_, i) => (i === count - 1 ? 1 : 0));
  const others = (point: number) => points.filter((other) => other !== point);
  const outputRows = [...powers(outputs), last(outputs)];
  const filterRows = powers(TAPS).map((row, i) => {
    const point = points[i] as number;
    const divisor = others(point).reduce((product, other) => product * (point - other), 1);
    return row.map((value) => value / divisor);
  });
  return {
    outputs,
    size,
    outputTransform: Array.from({ length: outputs }, (_, j) => outputRows.map((row) => row[j] as number)),
    filterTransform: [...filterRows, last(TAPS)],
    inputTransform: [...points.map((point) => [...polynomial(others(point)), 0]), polynomial(points)],
  };
}

/** Coefficients of the polynomial with the given roots, lowest power first. */
function polynomial(roots: readonly number[]): number[] {
  let coefficients = [1];
  for (const root of roots) {
    const raised = [0, ...coefficients];
    coefficients.forEach((value, i) => {
      raised[i] = (raised[i] as number) - root * value;
    });
    coefficients = raised;
  }
  return coefficients;
}

/** The part with every convolution that gains by it written as products; its values keep their names. */
export function withWinograd(network: Network, part: ModelPart): ModelPart {
  const added: TensorProto[] = [];
  const nodes = part.nodes.flatMap((node, number) => {
    const convolution = readConvolution(network, node);
    return convolution ? asProducts(network, node, convolution, `brodmann/winograd${number}`, added) : [node];
  });
  const reads = new Set(nodes.flatMap(readsOf));
  return { nodes, initializers: [...part.initializers, ...added].filter(({ name }) => reads.has(name)) };
}

interface Convolution {
  readonly kernelName: string;
  readonly biasName: string;
  readonly outputs: number;
  readonly inputs: number;
  /** Height and width of the map. */
  readonly extent: number;
}

/** A convolution that the schemes cover: 3x3, padded by 1, no stride, dilation or groups, on a small square map. */
function readConvolution(network: Network, node: NodeProto): Convolution | null {
  if (node.opType !== "Conv" || node.domain !== "" || attributeOf(node, "auto_pad") !== undefined)
    return null;
  const [input = "", kernelName = "", biasName = ""] = node.input;
  const [outputs = 0, inputs = 0, ...taps] = constantFloats(network, kernelName)?.dims ?? [];
  const [height = 0, width = 0, ...more] = (network.probe.values.get(input)?.shape ?? []).slice(2);
  const isAll = (name: string, value: number) =>
    (integersAttribute(node, name) ?? [1]).every((entry) => entry === value);
  const fits =
    taps.length === 2 &&
    taps.every((size) => size === TAPS) &&
    (integersAttribute(node, "pads") ?? []).length === 4 &&
    isAll("pads", 1) &&
    isAll("strides", 1) &&
    isAll("dilations", 1) &&
    integerAttribute(node, "group", 1) === 1 &&
    height === width &&
    more.length === 0 &&
    TILE.has(height) &&
    Math.min(outputs, inputs) >= LEAST_CHANNELS &&
    (biasName === "" || constantFloats(network, biasName) !== null);
  return fits ? { kernelName, biasName, outputs, inputs, extent: height } : null;
}

/**
 * With t tiles of m outputs a side and n = m + 2: x [N, C, H W] -> positions first [H, W N C] -> rows transformed
 * [n t, W, N C] -> columns transformed [n, t, n, t N, C] -> one product per entry of the tile with the weights
 * [n, 1, n, C, O] -> columns back [n t, W, N O] -> rows back [H, W N O] -> y [N, O, H, W].
 */
function asProducts(
  network: Network,
  node: NodeProto,
  { kernelName, biasName, outputs, inputs, extent }: Convolution,
  name: string,
  added: TensorProto[],
): NodeProto[] {
  const scheme = SCHEMES.get(TILE.get(extent) ?? 0) as Scheme;
  const { size } = scheme;
  const tiles = extent / scheme.outputs;
  const entries = size * tiles;
  const nodes: NodeProto[] = [];
  let value = node.input[0] ?? "";
  const step = (operator: string, reads: readonly string[], attributes = {}): void => {
    const made = `${name}/${nodes.length}`;
    nodes.push(makeNode(operator, reads, [made], attributes));
    value = made;
  };
  const constant = (tensor: TensorProto): string => {
    added.push(tensor);
    return tensor.name;
  };
  const reshape = (shape: readonly number[]) =>
    step("Reshape", [value, constant(makeIntTensor(`${name}/shape${nodes.length}`, shape))]);
  const floats = (role: string, dims: readonly number[], values: Float32Array) =>
    constant(makeFloatTensor(`${name}/${role}`, dims, values));
  const { toTiles, fromTiles } = sideTransforms(scheme, extent);
  const forward = floats("toTiles", [entries, extent], toTiles);
  const back = floats("fromTiles", [extent, entries], fromTiles);
  const weights = transformedWeights(network, kernelName, scheme, outputs, inputs);

  reshape([-1, inputs, extent ** 2]);
  step("Transpose", [value], { perm: [2n, 0n, 1n] });
  reshape([extent, -1]);
  step("MatMul", [forward, value]);
  reshape([entries, extent, -1]);
  step("MatMul", [forward, value]);
  reshape([size, tiles, size, -1, inputs]);
  step("MatMul", [value, floats("weights", [size, 1, size, inputs, outputs], weights)]);
  reshape([entries, entries, -1]);
  step("MatMul", [back, value]);
  reshape([entries, -1]);
  step("MatMul", [back, value]);
  reshape([extent ** 2, -1, outputs]);
  if (biasName !== "") step("Add", [value, biasName]);
  step("Transpose", [value], { perm: [1n, 2n, 0n] });
  reshape([-1, outputs, extent, extent]);
  const result = nodes[nodes.length - 1] as NodeProto;
  result.output = [node.output[0] ?? ""];
  return nodes;
}

/**
 * Transforms along one side of a map, of all its tiles and with the zero padding folded in: to entry x tile from
 * positions, and back.
 */
function sideTransforms(scheme: Scheme, extent: number): { toTiles: Float32Array; fromTiles: Float32Array } {
  const { outputs, size, inputTransform, outputTransform } = scheme;
  const tiles = extent / outputs;
  const entries = size * tiles;
  const toTiles = new Float32Array(entries * extent);
  const fromTiles = new Float32Array(extent * entries);
  for (let entry = 0; entry < entries; entry++) {
    const [a, tile] = [Math.floor(entry / tiles), entry % tiles];
    for (let position = 0; position < extent; position++) {
      const inside = position - tile * outputs;
      // A tile of the padded side begins one position before the outputs that it gives.
      toTiles[entry * extent + position] = inputTransform[a]?.[inside + 1] ?? 0;
      fromTiles[position * entries + entry] = outputTransform[inside]?.[a] ?? 0;
    }
  }
  return { toTiles, fromTiles };
}

/** Transformed weights by kernel, kept as long as the network: every layer's lesions need those behind it. */
const weightCache = new WeakMap<Network, Map<string, Float32Array>>();

/** G g G^T of every pair of channels: size^2 x inputs x outputs. */
function transformedWeights(
  network: Network,
  kernelName: string,
  { size, filterTransform }: Scheme,
  outputs: number,
  inputs: number,
): Float32Array {
  const cache = weightCache.get(network) ?? new Map<string, Float32Array>();
  weightCache.set(network, cache);
  const key = `${kernelName} ${size}`;
  const known = cache.get(key);
  if (known) return known;
  const kernel = constantFloats(network, kernelName)?.values ?? new Float32Array();
  const transform = Float64Array.from(filterTransform.flat());
  const weights = new Float32Array(size ** 2 * inputs * outputs);
  const half = new Float64Array(size * TAPS);
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) {
      const first = (output * inputs + input) * TAPS ** 2;
      for (let a = 0; a < size; a++) {
        for (let j = 0; j < TAPS; j++) {
          let sum = 0;
          for (let i = 0; i < TAPS; i++) {
            sum += (transform[a * TAPS + i] as number) * (kernel[first + i * TAPS + j] as number);
          }
          half[a * TAPS + j] = sum;
        }
      }
      for (let a = 0; a < size; a++) {
        for (let b = 0; b < size; b++) {
          let sum = 0;
          for (let j = 0; j < TAPS; j++) {
            sum += (half[a * TAPS + j] as number) * (transform[b * TAPS + j] as number);
          }
          weights[((a * size + b) * inputs + input) * outputs + output] = sum;
        }
      }
    }
  }
  cache.set(key, weights);
  return weights;
}
