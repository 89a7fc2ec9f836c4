import { BrodmannError } from "../errors.ts";
import { DataType, makeFloatTensor, makeNode, makeUntypedValueInfo, makeValueInfo } from "../runtime/onnx.ts";
import { floatTensor, floatValues, Session, Tensor, type Tensors } from "../runtime/session.ts";
import { PREFIX_FLOATS, rowsPerRun, sideBySide, threadsFor } from "./batching.ts";
import { constantFloats } from "./constants.ts";
import { bypassesOf, elementTypeOf } from "./lesion-model.ts";
import { bytesOf, type LesionBatch, type LesionRunner, runPrefix, tensorNamed } from "./lesion-runner.ts";
import { attributeOf, encodePart, partOf } from "./model-graph.ts";
import { kernelOf, type Layer, type Network } from "./network.ts";
import { inputInfo } from "./network-input.ts";
import { LOG_PROBABILITIES, logitShape, logProbabilityNode } from "./outcomes.ts";
import { soleAxis } from "./position-map.ts";
import { answerSize } from "./task.ts";

const TRANSPOSED = "brodmann/transposed";
const VALUES = "brodmann/values";
const CONSTANT = "brodmann/constant";
const WEIGHTS = "brodmann/weights";
const CHOSEN = "brodmann/chosen";
const SIGN = "brodmann/sign";
const SUMS = "brodmann/sums";

/** Floats of the largest value of a run: sums and activations of a layer stay in the second-level cache. */
const CACHED_FLOATS = 320_000;

/** Subtracting costs as many binary digits as this has: 4 of a float's 24. */
const MOST_CANCELLED = 16;

/**
 * Lesions of a layer that is read by one dense layer and nothing else. With z = a W + b the reader's sums, r what
 * replaces the layer's output and d = a - r, a lesion of the units S gives z - d_S W_S, which costs |S| instead of all
 * columns; where S is the larger part, (r W + b) + d_rest W_rest. Null for layers of another kind.
 */
export async function createSubtractingRunner(
  network: Network,
  layer: Layer,
  inputs: number,
): Promise<LesionRunner | null> {
  const reader = findReader(network, layer);
  if (reader === null) return null;
  const { weights, features, width, sums } = reader;
  const size = answerSize(network);
  const cut = layer.output.value;
  const bypasses = bypassesOf(network, sums);
  const { prefix, suffix, prefixNodes, suffixNodes } = await openSessions(
    network,
    layer,
    cut,
    reader,
    bypasses,
  );
  const inputsAtOnce =
    network.probe.fixedBatch ??
    Math.min(
      rowsPerRun(network, suffixNodes, CACHED_FLOATS),
      rowsPerRun(network, prefixNodes, PREFIX_FLOATS),
      inputs,
    );
  const positionsOf = positionsByUnit(layer, features);
  const logProbabilities = new Float32Array(inputsAtOnce * size);
  const largestWeights = largestByRow(weights, features, width);
  const constantOf = (row: Float32Array): Constant => ({
    row,
    tensor: floatTensor(row, [features, 1]),
    sums: floatTensor(sumsOf(row, reader), [1, width]),
  });
  const zero = constantOf(new Float32Array(features));
  // The same for all batches.
  let means: Constant | null = null;

  /**
   * A batch whose lesioned units change by `values` (features x rows) less `constant`; `replacedSums` are the reader's sums
   * with all units replaced, rows or one.
   */
  function batchOf(
    crossing: Crossing,
    values: FeatureRows,
    constant: Constant,
    replacedSums: Tensor = constant.sums,
  ): LesionBatch {
    const { rows } = crossing;
    const masses = largestWeights.map((weight, feature) => {
      const mean = constant.row[feature] as number;
      return (
        weight *
        Math.max(
          Math.abs((values.highest[feature] as number) - mean),
          Math.abs((values.lowest[feature] as number) - mean),
        )
      );
    });
    // The same tensors for all lesions: threads keep what they were fed before.
    const feeds = { ...crossing.feeds, [VALUES]: values.tensor, [CONSTANT]: constant.tensor };
    const feedsOf = (lesion: Int32Array): Tensors => {
      const { chosen, isRest } = smallerPart(lesion, positionsOf, masses);
      // A product over no columns is not defined everywhere: an empty set takes one column that counts nothing.
      const isEmpty = chosen.length === 0;
      const columns = isEmpty ? Int32Array.of(0) : chosen;
      return {
        ...feeds,
        [CHOSEN]: new Tensor("int32", columns, [columns.length]),
        [SIGN]: floatTensor(Float32Array.of(isEmpty ? 0 : isRest ? 1 : -1), [1, 1]),
        [SUMS]: isRest ? replacedSums : crossing.sums,
      };
    };
    return {
      bytes: bytesOf([crossing.sums, ...Object.values(feeds)]),
      async run([lesion = new Int32Array()]) {
        const values = logProbabilities.subarray(0, rows * size);
        const outputs = { [LOG_PROBABILITIES]: floatTensor(values, logitShape(network, rows)) };
        await suffix.run(feedsOf(lesion), outputs);
        return values;
      },
      async runApart([lesion = new Int32Array()]) {
        const outputs = await suffix.runApart(feedsOf(lesion));
        return floatValues(outputs[LOG_PROBABILITIES], network.logits);
      },
      withMeans(row) {
        if (means?.row !== row) means = constantOf(row);
        return batchOf(crossing, crossing.values, means);
      },
      async withDonors(inputs) {
        const outputs = await runPrefix(network, prefix, inputs, rows, rows);
        const donated = floatValues(outputs[TRANSPOSED], cut);
        const own = crossing.values.tensor.data as Float32Array;
        const changes = own.map((value, at) => value - (donated[at] as number));
        return batchOf(crossing, featureRows(changes, features, rows), zero, tensorNamed(outputs, sums));
      },
    };
  }

  return {
    inputsAtOnce,
    lesionsAtOnce: 1,
    runsApart: suffix.runsApart,
    async load(inputs, rows) {
      const outputs = await runPrefix(network, prefix, inputs, rows, rows);
      const values = featureRows(floatValues(outputs[TRANSPOSED], cut), features, rows);
      const feeds = Object.fromEntries(bypasses.map((name) => [name, tensorNamed(outputs, name)]));
      return batchOf({ rows, values, feeds, sums: tensorNamed(outputs, sums) }, values, zero);
    },
    async dispose() {
      await prefix.dispose();
      await suffix.dispose();
    },
  };
}

/** What a batch of inputs brings across the cut. */
interface Crossing {
  readonly rows: number;
  /** The layer's output. */
  readonly values: FeatureRows;
  readonly feeds: Tensors;
  /** The reader's sums of the intact network. */
  readonly sums: Tensor;
}

/** Numbers of a layer's features for a batch of inputs. */
interface FeatureRows {
  /** Features x rows. */
  readonly tensor: Tensor;
  /** Of each feature. */
  readonly lowest: Float32Array;
  readonly highest: Float32Array;
}

/** What replaces a layer's output whatever the input. */
interface Constant {
  readonly row: Float32Array;
  readonly tensor: Tensor;
  /** The reader's sums of it. */
  readonly sums: Tensor;
}

/** The one dense layer that reads a layer's output. */
interface DenseReader {
  /** Features x width, row-major. */
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  readonly features: number;
  readonly width: number;
  /** Name of the value a W + b. */
  readonly sums: string;
}

/** The reader's sums for one row of features, a W + b. */
function sumsOf(row: Float32Array, { weights, bias, width }: DenseReader): Float32Array {
  const sums = Float64Array.from(bias);
  row.forEach((value, feature) => {
    if (value === 0) return;
    for (let j = 0; j < width; j++) {
      sums[j] = (sums[j] as number) + value * (weights[feature * width + j] as number);
    }
  });
  return Float32Array.from(sums);
}

function findReader(network: Network, layer: Layer): DenseReader | null {
  const { graph, probe } = network;
  const cut = layer.output.value;
  const readers = graph.consumers.get(cut) ?? [];
  const { shape = [], batchAxis, rowsPerInput } = probe.values.get(cut) ?? {};
  const next = network.layers.find(({ weights }) => weights.node === readers[0]);
  const isDense =
    next !== undefined &&
    next.operator !== "Conv" &&
    shape.length === 2 &&
    batchAxis === 0 &&
    rowsPerInput === 1;
  if (!isDense || readers.length !== 1 || graph.outputs.includes(cut)) return null;
  const node = graph.nodes[next.weights.node];
  const [left, , biasName = ""] = node?.input ?? [];
  const axis = soleAxis(layer.output.map);
  if (node === undefined || left !== cut || (axis !== 1 && axis !== -1)) return null;
  const kernel = kernelOf(network, next);
  const features = kernel.inputs;
  const width = kernel.outputs;
  if (shape[1] !== features) return null;
  const weights = new Float32Array(features * width);
  for (let output = 0; output < width; output++) {
    for (let feature = 0; feature < features; feature++) {
      weights[feature * width + output] = kernel.values[output * features + feature] as number;
    }
  }
  const bias = new Float32Array(width);
  if (next.operator === "Gemm" && biasName !== "") {
    const given = constantFloats(network, biasName)?.values;
    const beta = attributeOf(node, "beta")?.f ?? 1;
    // A bias that is computed, or differs between inputs, is left to the masked form.
    if (given === undefined || (given.length !== width && given.length !== 1)) return null;
    bias.forEach((_, j) => {
      bias[j] = beta * (given[given.length === 1 ? 0 : j] as number);
    });
  }
  return { weights, bias, features, width, sums: next.weights.output };
}

async function openSessions(
  network: Network,
  layer: Layer,
  cut: string,
  { weights, features, width, sums }: DenseReader,
  bypasses: readonly string[],
) {
  const { graph, probe } = network;
  const front = partOf(graph, [cut, sums, ...bypasses], new Set([probe.input]));
  const outputs = [TRANSPOSED, sums, ...bypasses.filter((name) => name !== probe.input)];
  const prefixModel = encodePart(graph, {
    nodes: [...front.nodes, makeNode("Transpose", [cut], [TRANSPOSED], { perm: [1n, 0n] })],
    initializers: front.initializers,
    inputs: [inputInfo(probe)],
    outputs: outputs.map(makeUntypedValueInfo),
  });
  const rest = partOf(graph, [network.logits], new Set([sums, ...bypasses]));
  const own = (name: string) => `brodmann/${name}`;
  const subtract = [
    makeNode("Gather", [VALUES, CHOSEN], [own("columns")], { axis: 0n }),
    makeNode("Gather", [CONSTANT, CHOSEN], [own("constants")], { axis: 0n }),
    makeNode("Sub", [own("columns"), own("constants")], [own("differences")]),
    makeNode("Gather", [WEIGHTS, CHOSEN], [own("chosen_weights")], { axis: 0n }),
    makeNode("Mul", [own("chosen_weights"), SIGN], [own("signed_weights")]),
    makeNode("Gemm", [own("differences"), own("signed_weights"), SUMS], [sums], { transA: 1n }),
  ];
  const openDims = (name: string) =>
    (probe.values.get(name)?.shape ?? []).map((_, axis) => `${name}/${axis}`);
  const suffixModel = encodePart(graph, {
    nodes: [...subtract, ...rest.nodes, logProbabilityNode(network)],
    initializers: [makeFloatTensor(WEIGHTS, [features, width], weights), ...rest.initializers],
    inputs: [
      makeValueInfo(VALUES, [features, "rows"]),
      makeValueInfo(CONSTANT, [features, 1]),
      makeValueInfo(CHOSEN, ["columns"], DataType.INT32),
      makeValueInfo(SIGN, [1, 1]),
      makeValueInfo(SUMS, ["rows or one", "width"]),
      ...bypasses.map((name) => makeValueInfo(name, openDims(name), elementTypeOf(network, name))),
    ],
    outputs: [makeUntypedValueInfo(LOG_PROBABILITIES)],
  });
  const prefix = await Session.create(prefixModel, {
    label: `${network.name}, in front of ${layer.name}`,
    isOccasional: true,
    ...threadsFor(network),
  });
  const suffix = await Session.create(suffixModel, {
    label: `${network.name}, behind ${layer.name}`,
    ...sideBySide(network),
  });
  return { prefix, suffix, prefixNodes: front.nodes, suffixNodes: [...subtract, ...rest.nodes] };
}

/** Features that hold each unit of the layer. */
function positionsByUnit(layer: Layer, features: number): number[][] {
  const positions: number[][] = Array.from({ length: layer.units }, () => []);
  const { index } = layer.output.map;
  if (index.length !== features && index.length !== 1) {
    throw new BrodmannError(
      "E_INTERNAL",
      `${layer.name}: ${index.length} positions for ${features} features`,
    );
  }
  for (let feature = 0; feature < features; feature++) {
    const unit = index[index.length === 1 ? 0 : feature] as number;
    if (unit >= 0) positions[unit]?.push(feature);
  }
  return positions;
}

/** The features that a product is taken over: the lesioned ones, or all others. */
interface Part {
  readonly chosen: Int32Array;
  readonly isRest: boolean;
}

/**
 * The lesioned features, or the rest where that is less, or where the lesioned ones carry nearly all of the sums:
 * what is left after subtracting them would then be made of rounding errors.
 */
function smallerPart(
  lesion: Int32Array,
  positionsOf: readonly (readonly number[])[],
  masses: Float64Array,
): Part {
  const isLesioned = new Uint8Array(masses.length);
  for (const unit of lesion) for (const position of positionsOf[unit] ?? []) isLesioned[position] = 1;
  let lesioned = 0;
  let lesionedMass = 0;
  let restMass = 0;
  for (let feature = 0; feature < masses.length; feature++) {
    if (isLesioned[feature]) {
      lesioned++;
      lesionedMass += masses[feature] as number;
    } else restMass += masses[feature] as number;
  }
  const rest = masses.length - lesioned;
  const isRest = lesioned > rest || lesionedMass > MOST_CANCELLED * restMass;
  const wanted = isRest ? 0 : 1;
  const chosen = new Int32Array(isRest ? rest : lesioned);
  for (let feature = 0, next = 0; feature < masses.length; feature++) {
    if (isLesioned[feature] === wanted) chosen[next++] = feature;
  }
  return { chosen, isRest };
}

/** Largest absolute entry of each row of a rows x width matrix. */
function largestByRow(values: Float32Array, rows: number, width: number): Float64Array {
  return Float64Array.from({ length: rows }, (_, row) => {
    let largest = 0;
    for (let at = row * width; at < (row + 1) * width; at++) {
      largest = Math.max(largest, Math.abs(values[at] as number));
    }
    return largest;
  });
}

function featureRows(values: Float32Array, features: number, rows: number): FeatureRows {
  const lowest = new Float32Array(features);
  const highest = new Float32Array(features);
  for (let feature = 0; feature < features; feature++) {
    let low = Infinity;
    let high = -Infinity;
    for (let at = feature * rows; at < (feature + 1) * rows; at++) {
      const value = values[at] as number;
      if (value < low) low = value;
      if (value > high) high = value;
    }
    lowest[feature] = low;
    highest[feature] = high;
  }
  return { tensor: floatTensor(values, [features, rows]), lowest, highest };
}
