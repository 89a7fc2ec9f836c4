import { floatTensor, floatValues, Session, Tensor, type Tensors } from "../runtime/session.ts";
import { PREFIX_FLOATS, rowsPerRun, sideBySide, threadsFor } from "./batching.ts";
import { bypassInput, CUT, cutAtLayer, MASK, REPLACEMENT, tilesInput } from "./lesion-model.ts";
import { bytesOf, type LesionBatch, type LesionRunner, runPrefix, tensorNamed } from "./lesion-runner.ts";
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
    ...sideBySide(network),
  });
  const logProbabilities = new Float32Array(lesionsAtOnce * inputsAtOnce * size);
  const { dims } = layer.output.map;
  /** With an axis for lesions in front where one run takes several. */
  const tiled = (values: Tensor) => (model.isTiled ? values.reshape([1, ...values.dims]) : values);
  const runPrefixOn = (inputs: Float32Array, rows: number) =>
    runPrefix(network, prefix, inputs, rows, network.probe.fixedBatch ?? prefixRows);

  const replacedBy = (replacement: Replacement, rows: number): Tensors => ({
    [REPLACEMENT]: tiled(constantReplacement(network, layer, replacement, rows)),
  });

  /** What crosses the cut for `rows` inputs, with what replaces the layer's output. */
  function batchOf(crossing: Tensors, rows: number): LesionBatch {
    const feedsOf = (lesions: readonly Int32Array[]): Tensors => {
      const maskDims = model.isTiled ? [lesions.length, ...dims] : dims;
      const feeds: Record<string, Tensor> = {
        ...crossing,
        [MASK]: new Tensor("bool", masksOf(layer, lesions), maskDims),
      };
      if (!model.isTiled) return feeds;
      model.bypasses.forEach((_, number) => {
        const rank = crossing[bypassInput(number)]?.dims.length ?? 0;
        const repeats = new BigInt64Array(rank + 1).fill(1n);
        repeats[0] = BigInt(lesions.length);
        feeds[tilesInput(number)] = new Tensor("int64", repeats, [repeats.length]);
      });
      return feeds;
    };
    return {
      bytes: bytesOf(Object.values(crossing)),
      async run(lesions) {
        const values = logProbabilities.subarray(0, lesions.length * rows * size);
        const shape = logitShape(network, lesions.length * rows);
        await suffix.run(feedsOf(lesions), { [LOG_PROBABILITIES]: floatTensor(values, shape) });
        return values;
      },
      async runApart(lesions) {
        const outputs = await suffix.runApart(feedsOf(lesions));
        return floatValues(outputs[LOG_PROBABILITIES], network.logits);
      },
      withMeans: (values) => batchOf({ ...crossing, ...replacedBy({ kind: "mean", values }, rows) }, rows),
      async withDonors(inputs) {
        const outputs = await runPrefixOn(inputs, rows);
        return batchOf({ ...crossing, [REPLACEMENT]: tiled(tensorNamed(outputs, model.cut)) }, rows);
      },
    };
  }

  return {
    inputsAtOnce,
    lesionsAtOnce,
    runsApart: suffix.runsApart,
    async load(inputs, rows) {
      const outputs = await runPrefixOn(inputs, rows);
      floatValues(outputs[model.cut], model.cut);
      const bypasses = model.bypasses.map((name, number) => [
        bypassInput(number),
        tensorNamed(outputs, name),
      ]);
      const crossing = {
        [CUT]: tensorNamed(outputs, model.cut),
        ...replacedBy(ZERO, rows),
        ...Object.fromEntries(bypasses),
      };
      return batchOf(crossing, rows);
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
