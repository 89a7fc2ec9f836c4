/**
 * What every unit of a layer does to every logit: d logit_c / d a_u at the layer's output, averaged over inputs and the
 * unit's positions (measures note 2 "downstream", after Lange et al. 2022).
 */
import { BrodmannError } from "../errors.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import { DataType, makeUntypedValueInfo, makeValueInfo } from "../runtime/onnx.ts";
import { floatTensor, floatValues, Session } from "../runtime/session.ts";
import { buildBackward } from "./backward/build-backward.ts";
import { batchesOf, padBatch, rowsPerRun } from "./batching.ts";
import { encodePart, partOf } from "./model-graph.ts";
import type { Layer, Network } from "./network.ts";
import { inputFeed, inputInfo } from "./network-input.ts";
import { type InputSource, logitShape } from "./outcomes.ts";
import { taskOf } from "./task.ts";
import { unitMeans } from "./unit-means.ts";

/** Derivatives of logits by units. */
export interface LogitJacobian {
  readonly classes: number;
  readonly units: number;
  /** Classes x units, row-major. */
  readonly values: Float64Array;
}

const SEEDS = "brodmann/logit_seeds";

/**
 * The logit Jacobian of a layer where lesions act, averaged over inputs and positions; where the network gives several
 * answers for an input (a token each), the logit of a class is the mean over them. A unit that does not reach the
 * logits has zeros.
 *
 * The forward pass runs once for a batch, the backward pass for many classes at a time.
 * Throws `E_NETWORK_GRADIENT` for an operator without a rule behind the layer, and `E_NETWORK_NOT_FINITE`.
 *
 * @example
 * const { values, units } = await logitJacobian(network, layer, digits);
 * const effectOfUnit5OnClass3 = values[3 * units + 5];
 */
export async function logitJacobian(
  network: Network,
  layer: Layer,
  data: InputSource,
  options: RunOptions = {},
): Promise<LogitJacobian> {
  const { graph, probe } = network;
  const { width: classes, answers } = taskOf(network);
  const { units } = layer;
  const values = new Float64Array(classes * units);
  const cut = layer.output.value;
  const part = partOf(graph, [network.logits], new Set([probe.input]));
  // Rows of one input that lie apart in the batch's axis cannot be told apart once the batch is repeated.
  const isTiled =
    probe.fixedBatch === null && [...probe.values.values()].every(({ rowsBefore }) => rowsBefore === 1);
  const suffix = partOf(graph, [network.logits], new Set([cut])).nodes;
  const rowsAtOnce = rowsPerRun(network, suffix);
  const tiles = isTiled ? Math.min(classes, rowsAtOnce) : 1;
  const inputsAtOnce = probe.fixedBatch ?? Math.max(1, Math.floor(rowsAtOnce / tiles));
  const backward = buildBackward(network, new Map([[network.logits, SEEDS]]), [cut], { tiles });
  const gradient = backward.gradients.get(cut);
  if (gradient === undefined) return { classes, units, values };
  const means = unitMeans(network, layer.output, units, "brodmann/unit_slopes", gradient);
  const seedShape = logitShape(network, 1).map((size, axis) => (axis === 0 ? "rows" : size));
  const model = encodePart(graph, {
    nodes: [...part.nodes, ...backward.nodes, ...means.nodes],
    initializers: [...part.initializers, ...backward.initializers, ...means.initializers],
    inputs: [inputInfo(probe), makeValueInfo(SEEDS, seedShape, DataType.FLOAT)],
    outputs: [makeUntypedValueInfo(means.value)],
  });
  const label = `${network.name}, logits by ${layer.name}`;
  const counter = new StepCounter("jacobian", data.count, options);
  const session = await Session.create(model, { label });
  try {
    for (const { start, rows } of batchesOf(data.count, inputsAtOnce)) {
      const taken = probe.fixedBatch ?? rows;
      const feed = inputFeed(probe, padBatch(data.batch(start, rows), rows, taken), taken);
      for (let first = 0; first < classes; first += tiles) {
        const seeds = seedsOf(network, { first, tiles, taken, rows, classes, answers });
        const outputs = await session.run({ ...feed, [SEEDS]: seeds });
        const slopes = floatValues(outputs[means.value], cut);
        for (let tile = 0; tile < tiles && first + tile < classes; tile++) {
          for (let row = 0; row < rows; row++) {
            const from = (tile * taken + row) * units;
            for (let u = 0; u < units; u++) {
              const at = (first + tile) * units + u;
              values[at] = (values[at] as number) + (slopes[from + u] as number);
            }
          }
        }
      }
      counter.advance(rows);
    }
  } finally {
    await session.dispose();
  }
  for (let at = 0; at < values.length; at++) values[at] = (values[at] as number) / data.count;
  const stray = values.findIndex((value) => !Number.isFinite(value));
  if (stray >= 0) {
    throw new BrodmannError(
      "E_NETWORK_NOT_FINITE",
      `${label}: found ${values[stray]} for class ${Math.floor(stray / units)} and unit ${stray % units}, expected finite numbers`,
      { hint: "Check the inputs and the weights: activations that overflow, or a root or logarithm at 0." },
    );
  }
  return { classes, units, values };
}

interface SeedSizes {
  readonly first: number;
  readonly tiles: number;
  /** Inputs of the run, and how many of them are no padding. */
  readonly taken: number;
  readonly rows: number;
  readonly classes: number;
  readonly answers: number;
}

/** One-hot rows for tile after tile, each a class; an input's answers share it. */
function seedsOf(network: Network, { first, tiles, taken, rows, classes, answers }: SeedSizes) {
  const dims = logitShape(network, tiles * taken);
  const values = new Float32Array(dims.reduce((product, size) => product * size, 1));
  const perInput = values.length / (tiles * taken * classes);
  for (let tile = 0; tile < tiles && first + tile < classes; tile++) {
    for (let row = 0; row < rows * perInput; row++) {
      values[(tile * taken * perInput + row) * classes + first + tile] = 1 / answers;
    }
  }
  return floatTensor(values, dims);
}
