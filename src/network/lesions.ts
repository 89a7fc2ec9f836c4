/**
 * Lesions of one layer: sets of its units are silenced together and the network's outcome is counted.
 *
 * Everything in front of the layer's output runs once per batch of inputs; the values that cross the cut are kept
 * and only the rest of the network runs again, for as many lesions at a time as fill a run. Work per lesion and
 * input is that of the suffix; memory is bounded by the batch.
 */
import { type RunOptions, StepCounter } from "../progress.ts";
import { floatTensor, floatValues, Session, Tensor } from "../runtime/session.ts";
import { batchesOf, padBatch, rowsPerRun } from "./batching.ts";
import { bypassInput, CUT, cutAtLayer, type LesionModel, MASK, tilesInput } from "./lesion-model.ts";
import type { Layer, Network } from "./network.ts";
import {
  classCount,
  countClasses,
  type LabelledInputs,
  LOG_PROBABILITIES,
  type Outcome,
  OutcomeTally,
} from "./outcomes.ts";

/** Inputs per run where several lesions share it: enough rows for matrix products to run at full speed. */
const INPUTS_PER_TILE = 1000;

/** The values that cross the cut for one batch of inputs. */
interface Crossing {
  readonly cut: Tensor;
  readonly bypasses: readonly Tensor[];
}

/**
 * Outcomes of the network with each set of the layer's units silenced (multiplied by zero at the layer's output).
 * An empty set gives the intact network's outcome. Progress counts lesions x inputs.
 *
 * @example
 * const [outcome] = await runLesions(network, layer, [Int32Array.of(1, 5, 9)], digits);
 */
export async function runLesions(
  network: Network,
  layer: Layer,
  lesions: readonly Int32Array[],
  data: LabelledInputs,
  options: RunOptions = {},
): Promise<Outcome[]> {
  const classes = classCount(network);
  countClasses(data.labels, classes);
  const model = cutAtLayer(network, layer);
  const rowsAtOnce = rowsPerRun(network, model.suffixNodes);
  const inputsAtOnce = network.probe.fixedBatch ?? Math.min(rowsAtOnce, INPUTS_PER_TILE, data.count);
  const lesionsAtOnce = model.isTiled ? Math.max(1, Math.floor(rowsAtOnce / inputsAtOnce)) : 1;
  const masks = masksOf(layer, lesions);
  const tally = new OutcomeTally(lesions.length, classes);
  const counter = new StepCounter(`lesions of ${layer.name}`, lesions.length * data.count, options);
  const prefix = await Session.create(model.prefix, { label: `${network.name}, in front of ${layer.name}` });
  const suffix = await Session.create(model.suffix, { label: `${network.name}, behind ${layer.name}` });
  const logProbabilities = new Float32Array(lesionsAtOnce * inputsAtOnce * classes);
  try {
    for (const { start, rows } of batchesOf(data.count, inputsAtOnce)) {
      const size = network.probe.fixedBatch ?? rows;
      const crossing = await runPrefix(
        network,
        model,
        prefix,
        padBatch(data.batch(start, rows), rows, size),
        size,
      );
      for (const { start: first, rows: tiles } of batchesOf(lesions.length, lesionsAtOnce)) {
        const feeds = suffixFeeds(layer, model, crossing, masks, first, tiles);
        const values = logProbabilities.subarray(0, tiles * size * classes);
        await suffix.run(feeds, { [LOG_PROBABILITIES]: floatTensor(values, [tiles * size, classes]) });
        for (let tile = 0; tile < tiles; tile++) {
          tally.count(first + tile, values, tile * size * classes, data.labels, start, rows);
        }
        counter.advance(tiles * rows);
      }
    }
  } finally {
    await prefix.dispose();
    await suffix.dispose();
  }
  return tally.outcomes(data.count);
}

/** For each lesion, 0 at the positions of its units and 1 elsewhere. */
function masksOf(layer: Layer, lesions: readonly Int32Array[]): Float32Array {
  const { index } = layer.output.map;
  const masks = new Float32Array(lesions.length * index.length).fill(1);
  lesions.forEach((units, lesion) => {
    const isLesioned = new Uint8Array(layer.units);
    for (const unit of units) isLesioned[unit] = 1;
    const offset = lesion * index.length;
    index.forEach((unit, position) => {
      if (unit >= 0 && isLesioned[unit]) masks[offset + position] = 0;
    });
  });
  return masks;
}

async function runPrefix(
  network: Network,
  model: LesionModel,
  prefix: Session,
  inputs: Float32Array,
  rows: number,
): Promise<Crossing> {
  const input = floatTensor(inputs, [rows, ...network.inputShape]);
  const outputs = { ...(await prefix.run({ [network.probe.input]: input })), [network.probe.input]: input };
  const made = (name: string) => outputs[name] as Tensor;
  floatValues(outputs[model.cut], model.cut);
  return { cut: made(model.cut), bypasses: model.bypasses.map(made) };
}

function suffixFeeds(
  layer: Layer,
  model: LesionModel,
  crossing: Crossing,
  masks: Float32Array,
  first: number,
  tiles: number,
): Record<string, Tensor> {
  const { dims, index } = layer.output.map;
  const mask = masks.subarray(first * index.length, (first + tiles) * index.length);
  const feeds: Record<string, Tensor> = {
    [CUT]: crossing.cut,
    [MASK]: floatTensor(mask, model.isTiled ? [tiles, ...dims] : dims),
  };
  crossing.bypasses.forEach((value, number) => {
    feeds[bypassInput(number)] = value;
    if (!model.isTiled) return;
    const repeats = BigInt64Array.from([tiles, ...value.dims.map(() => 1)], BigInt);
    feeds[tilesInput(number)] = new Tensor("int64", repeats, [repeats.length]);
  });
  return feeds;
}
