import { floatTensor, floatValues, Session, Tensor } from "../runtime/session.ts";
import { PREFIX_FLOATS, rowsPerRun, threadsFor } from "./batching.ts";
import { bypassInput, CUT, cutAtLayer, MASK, REPLACEMENT, tilesInput } from "./lesion-model.ts";
import { type LesionRunner, runPrefix, tensorNamed } from "./lesion-runner.ts";
import type { Layer, Network } from "./network.ts";
import { LOG_PROBABILITIES, logitShape } from "./outcomes.ts";
import { constantReplacement, type Replacement, ZERO } from "./replacement.ts";
import { answerSize } from "./task.ts";

/** Inputs per run where several lesions share it: enough rows for matrix products to run at full speed. */
const INPUTS_PER_TILE = 1000;

/** Lesions by a mask on the layer's output, for any network. */
export async function createMaskedRunner(
  network: Network,
  layer: Layer,
  inputs: number,
  replacement: Replacement = ZERO,
): Promise<LesionRunner> {
  const size = answerSize(network);
  const model = cutAtLayer(network, layer);
  const rowsAtOnce = rowsPerRun(network, model.suffixNodes);
  const prefixRows = rowsPerRun(network, model.prefixNodes, PREFIX_FLOATS);
  const inputSize = network.inputShape.reduce((total, size) => total * size, 1);
  // Only float and integer values with the batch in front can be put together from several runs of the prefix.
  const mostRows = model.isTiled ? Math.max(1, Math.floor(PREFIX_FLOATS / inputSize)) : prefixRows;
  const inputsAtOnce = network.probe.fixedBatch ?? Math.min(rowsAtOnce, mostRows, INPUTS_PER_TILE, inputs);
  const lesionsAtOnce = model.isTiled ? Math.max(1, Math.floor(rowsAtOnce / inputsAtOnce)) : 1;
  const prefix = await Session.create(model.prefix, {
    label: `${network.name}, in front of ${layer.name}`,
    isOccasional: true,
    ...threadsFor(network),
  });
  const suffix = await Session.create(model.suffix, {
    label: `${network.name}, behind ${layer.name}`,
    ...threadsFor(network),
  });
  const logProbabilities = new Float32Array(lesionsAtOnce * inputsAtOnce * size);
  const { dims } = layer.output.map;
  /** With an axis for lesions in front where one run takes several. */
  const tiled = (values: Tensor) => (model.isTiled ? values.reshape([1, ...values.dims]) : values);
  const crossing: Record<string, Tensor> = {};
  let rows = 1;
  let constant = tiled(constantReplacement(network, layer, replacement, rows));
  return {
    inputsAtOnce,
    lesionsAtOnce,
    async load(batch, count) {
      const outputs = await runPrefix(network, prefix, batch, count, network.probe.fixedBatch ?? prefixRows);
      floatValues(outputs[model.cut], model.cut);
      crossing[CUT] = tensorNamed(outputs, model.cut);
      if (count !== rows) constant = tiled(constantReplacement(network, layer, replacement, count));
      crossing[REPLACEMENT] = constant;
      model.bypasses.forEach((name, number) => {
        crossing[bypassInput(number)] = tensorNamed(outputs, name);
      });
      rows = count;
    },
    async loadDonors(batch) {
      const outputs = await runPrefix(network, prefix, batch, rows, network.probe.fixedBatch ?? prefixRows);
      crossing[REPLACEMENT] = tiled(tensorNamed(outputs, model.cut));
    },
    async run(lesions) {
      const maskDims = model.isTiled ? [lesions.length, ...dims] : dims;
      const mask = new Tensor("bool", masksOf(layer, lesions), maskDims);
      const feeds: Record<string, Tensor> = { ...crossing, [MASK]: mask };
      if (model.isTiled) {
        model.bypasses.forEach((_, number) => {
          const rank = crossing[bypassInput(number)]?.dims.length ?? 0;
          const repeats = new BigInt64Array(rank + 1).fill(1n);
          repeats[0] = BigInt(lesions.length);
          feeds[tilesInput(number)] = new Tensor("int64", repeats, [repeats.length]);
        });
      }
      const values = logProbabilities.subarray(0, lesions.length * rows * size);
      const shape = logitShape(network, lesions.length * rows);
      await suffix.run(feeds, { [LOG_PROBABILITIES]: floatTensor(values, shape) });
      return values;
    },
    async dispose() {
      await prefix.dispose();
      await suffix.dispose();
    },
  };
}

/** For each lesion, 0 at the positions of its units and 1 elsewhere. */
function masksOf(layer: Layer, lesions: readonly Int32Array[]): Uint8Array {
  const { index } = layer.output.map;
  const masks = new Uint8Array(lesions.length * index.length).fill(1);
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
