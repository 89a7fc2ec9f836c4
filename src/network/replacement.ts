import { BrodmannError } from "../errors.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import { makeUntypedValueInfo } from "../runtime/onnx.ts";
import { floatTensor, floatValues, Session, type Tensor } from "../runtime/session.ts";
import { rng } from "../statistics/rng.ts";
import { batchesOf, PREFIX_FLOATS, padBatch, rowsPerRun, threadsFor } from "./batching.ts";
import { encodePart, partOf } from "./model-graph.ts";
import type { Layer, Network } from "./network.ts";
import { inputFeed, inputInfo } from "./network-input.ts";
import type { InputSource } from "./outcomes.ts";

/**
 * What the output of lesioned units becomes (method note 6.1): nothing, its mean over the inputs at every position,
 * or what it is for another input, the same one for all units of the lesion.
 */
export type LesionKind = "zero" | "mean" | "resample";

export const LESION_KINDS: readonly LesionKind[] = ["zero", "mean", "resample"];

/** Other inputs that each input takes its values from in turn; a resampled outcome is the mean over them. */
export const RESAMPLES = 5;

/** Runs of the inputs that one lesion takes. */
export const runsOf = (kind: LesionKind): number => (kind === "resample" ? RESAMPLES : 1);

/** A kind of lesion with the values that it needs. */
export type Replacement =
  | { readonly kind: "zero" }
  | { readonly kind: "resample" }
  /** `values`: the layer's output for one input, row-major; of several rows where tokens are folded into the batch. */
  | { readonly kind: "mean"; readonly values: Float32Array };

export const ZERO: Replacement = { kind: "zero" };

/** The replacement of a kind for lesions of a layer; means are taken over all inputs. */
export async function replacementOf(
  kind: LesionKind,
  network: Network,
  layer: Layer,
  data: InputSource,
): Promise<Replacement> {
  return kind === "mean" ? { kind, values: await meanOutput(network, layer, data) } : { kind };
}

/**
 * For every resampling the input that each input takes its values from. A random cycle through all inputs: every
 * value is used once, and no input keeps its own.
 */
export function drawDonors(inputs: number, seed: number): Int32Array[] {
  return Array.from({ length: RESAMPLES }, (_, resample) => {
    const random = rng(seed, "resample", resample);
    const donors = Int32Array.from({ length: inputs }, (_, input) => input);
    // Sattolo's algorithm: a shuffle that never leaves an entry in place gives one cycle.
    for (let last = inputs - 1; last > 0; last--) {
      const other = random.integer(last);
      const kept = donors[last] as number;
      donors[last] = donors[other] as number;
      donors[other] = kept;
    }
    return donors;
  });
}

/** Inputs by their numbers, in that order. */
export function gatherInputs(data: InputSource, numbers: Int32Array): Float32Array {
  const [first = 0] = numbers;
  const size = data.batch(first, 1).length;
  const values = new Float32Array(numbers.length * size);
  numbers.forEach((input, row) => {
    values.set(data.batch(input, 1), row * size);
  });
  return values;
}

/**
 * What replaces lesioned units whatever the input, in the rank of the layer's output: zero, or means for a batch of
 * `inputs` (one row for all of them, but where the batch's axis holds rows of its own for each); donors come with
 * every batch.
 */
export function constantReplacement(
  network: Network,
  layer: Layer,
  replacement: Replacement,
  inputs: number,
): Tensor {
  const { shape, batchAxis, rowsPerInput, outer, inner } = blocksOf(network, layer);
  if (replacement.kind !== "mean") {
    return floatTensor(
      new Float32Array(1),
      shape.map(() => 1),
    );
  }
  const { values } = replacement;
  const isFolded = rowsPerInput > 1;
  const dims = shape.map((size, axis) =>
    axis === batchAxis ? (isFolded ? inputs * rowsPerInput : 1) : size,
  );
  if (!isFolded) return floatTensor(values, dims);
  const repeated = new Float32Array(values.length * inputs);
  for (let o = 0; o < outer; o++) {
    const block = values.subarray(o * inner, (o + 1) * inner);
    for (let input = 0; input < inputs; input++) repeated.set(block, (o * inputs + input) * inner);
  }
  return floatTensor(repeated, dims);
}

/** Whether a layer's output has an axis along which inputs lie, as means over inputs need. */
export function hasInputAxis(network: Network, layer: Layer): boolean {
  const { batchAxis = -1, rowsBefore = null } = network.probe.values.get(layer.output.value) ?? {};
  return batchAxis >= 0 && rowsBefore !== null;
}

/** How a layer's output for N inputs lies in memory: outer x N x inner, rows that are folded into the batch apart. */
function blocksOf({ probe }: Network, { output }: Layer) {
  const { shape = [], batchAxis = -1, rowsPerInput = 1, rowsBefore } = probe.values.get(output.value) ?? {};
  const before = rowsBefore ?? 1;
  const product = (sizes: readonly number[]) => sizes.reduce((total, size) => total * size, 1);
  return {
    shape,
    batchAxis,
    rowsPerInput,
    outer: product(shape.slice(0, batchAxis)) * before,
    inner: product(shape.slice(batchAxis + 1)) * (rowsPerInput / before),
  };
}

/**
 * The layer's output, averaged over all inputs in float64: row-major for one input, where tokens that are folded into
 * the batch keep rows of their own.
 */
export async function meanOutput(network: Network, layer: Layer, data: InputSource): Promise<Float32Array> {
  const [mean = new Float32Array()] = await meanOutputs(network, [layer], data);
  return mean;
}

/** The same for several layers, in one pass over the inputs. */
export async function meanOutputs(
  network: Network,
  layers: readonly Layer[],
  data: InputSource,
  options: RunOptions = {},
): Promise<Float32Array[]> {
  const { graph, probe } = network;
  for (const layer of layers) requireInputAxis(network, layer);
  if (layers.length === 0) return [];
  const sites = layers.map((layer) => {
    const { outer, inner } = blocksOf(network, layer);
    return { value: layer.output.value, outer, inner, sums: new Float64Array(outer * inner) };
  });
  const values = [...new Set(sites.map(({ value }) => value))];
  const part = partOf(graph, values, new Set([probe.input]));
  const model = encodePart(graph, {
    ...part,
    inputs: [inputInfo(probe)],
    outputs: values.map(makeUntypedValueInfo),
  });
  const session = await Session.create(model, {
    label: `${network.name}, means of ${layers.map(({ name }) => name).join(", ")}`,
    isOccasional: true,
    ...threadsFor(network),
  });
  const counter = new StepCounter("means", data.count, options);
  try {
    // All of the layers' outputs are there at once.
    const rowsAtOnce = rowsPerRun(network, part.nodes, PREFIX_FLOATS / values.length);
    for (const { start, rows } of batchesOf(data.count, rowsAtOnce)) {
      const size = probe.fixedBatch ?? rows;
      const inputs = padBatch(data.batch(start, rows), rows, size);
      const outputs = await session.run(inputFeed(probe, inputs, size));
      for (const { value, outer, inner, sums } of sites) {
        const found = floatValues(outputs[value], value);
        for (let o = 0; o < outer; o++) {
          for (let row = 0; row < rows; row++) {
            const from = (o * size + row) * inner;
            for (let i = 0; i < inner; i++) {
              const at = o * inner + i;
              sums[at] = (sums[at] as number) + (found[from + i] as number);
            }
          }
        }
      }
      counter.advance(rows);
    }
  } finally {
    await session.dispose();
  }
  return sites.map(({ sums }) => Float32Array.from(sums, (sum) => sum / data.count));
}

function requireInputAxis(network: Network, layer: Layer): void {
  if (hasInputAxis(network, layer)) return;
  const { shape } = blocksOf(network, layer);
  throw new BrodmannError(
    "E_NETWORK_UNSUPPORTED",
    `${layer.name}: found an output of shape [${shape.join(", ")}] in which inputs cannot be told apart, expected an axis for them`,
    { hint: "Use --lesion zero or --lesion resample, or export with a dynamic batch axis." },
  );
}
