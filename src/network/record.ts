import type { UnitRecorder } from "../compute/compute.ts";
import { HostRecorder } from "../compute/cpu/host-recorder.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import {
  makeIntTensor,
  makeNode,
  makeUntypedValueInfo,
  type NodeProto,
  type TensorProto,
} from "../runtime/onnx.ts";
import { floatValues, Session, type Tensor } from "../runtime/session.ts";
import { batchesOf, padBatch, rowsPerRun } from "./batching.ts";
import { encodePart, partOf } from "./model-graph.ts";
import type { Layer, Network } from "./network.ts";
import { inputFeed, inputInfo } from "./network-input.ts";
import type { InputSource } from "./outcomes.ts";
import { expandTo, soleAxis, transposeMap } from "./position-map.ts";
import type { UnitSite } from "./unit-sites.ts";

/** Where units are read: in front of the activation function, or as the following layers see them. */
export type Site = "preActivation" | "output";

/** One number per unit and input. */
export interface Recording {
  readonly units: number;
  readonly samples: number;
  /** Units x samples, row-major; the units of all recorded layers one after another. */
  readonly values: Float32Array;
}

/**
 * Records units of the given layers over all inputs. A unit with several positions (a convolution's map, a token
 * axis) gives the sum of its absolute values over them (method note 3.6); a dense unit gives its value.
 * The sums are taken inside the network's run, so memory is that of one batch and the result.
 *
 * @example
 * const { values } = await recordUnits(network, network.layers.slice(0, 2), digits, "preActivation");
 */
export async function recordUnits(
  network: Network,
  layers: readonly Layer[],
  data: InputSource,
  site: Site,
  options: RunOptions = {},
): Promise<Recording> {
  const units = layers.reduce((total, layer) => total + layer.units, 0);
  const recorder = new HostRecorder(units, data.count);
  let firstUnit = 0;
  const places = layers.map((layer) => {
    const place = { recorder, firstUnit };
    firstUnit += layer.units;
    return place;
  });
  await recordInto(network, layers, data, site, places, options);
  return { units, samples: data.count, values: recorder.values };
}

/** Where a layer's units are recorded: the recorder, and the row of the first of them. */
export interface RecordingPlace {
  readonly recorder: UnitRecorder;
  readonly firstUnit: number;
}

/**
 * `recordUnits` into recorders of a compute, one place for each layer, batch by batch: on WebGPU in a browser outputs of
 * the network that are on the GPU stay there.
 *
 * @example
 * const recorder = compute.recorder(layer.units, digits.count);
 * await recordInto(network, [layer], digits, "preActivation", [{ recorder, firstUnit: 0 }]);
 * const { values } = await compute.correlations(recorder, layer.units, digits.count, "spearman");
 * recorder.dispose();
 */
export async function recordInto(
  network: Network,
  layers: readonly Layer[],
  data: InputSource,
  site: Site,
  places: readonly RecordingPlace[],
  options: RunOptions = {},
): Promise<void> {
  const { graph, probe } = network;
  const readers = layers.map((layer, number) =>
    readerOf(network, layer, layer[site], `brodmann/units${number}`),
  );
  const part = partOf(
    graph,
    layers.map((layer) => layer[site].value),
    new Set([probe.input]),
  );
  const outputs = [...new Set(readers.map(({ value }) => value))];
  const model = encodePart(graph, {
    nodes: [...part.nodes, ...readers.flatMap(({ nodes }) => nodes)],
    initializers: [...part.initializers, ...readers.flatMap(({ initializers }) => initializers)],
    inputs: [inputInfo(probe)],
    outputs: outputs.map(makeUntypedValueInfo),
  });
  const counter = new StepCounter("recording", data.count, options);
  const session = await Session.create(model, { label: network.name });
  try {
    for (const { start, rows } of batchesOf(data.count, rowsPerRun(network, part.nodes))) {
      const size = probe.fixedBatch ?? rows;
      const inputs = padBatch(data.batch(start, rows), rows, size);
      const made = await session.run(inputFeed(probe, inputs, size));
      for (const [number, { value, index, isSummed }] of readers.entries()) {
        const { recorder, firstUnit } = places[number] as RecordingPlace;
        const values = valuesOf(made[value], value);
        await recorder.append({ values, rows, index, isSummed, firstUnit, firstSample: start });
      }
      for (const name of outputs) if (made[name]?.location === "gpu-buffer") made[name].dispose();
      counter.advance(rows);
    }
  } finally {
    await session.dispose();
  }
}

/** What a run made, where it is: on the GPU or in main memory. */
function valuesOf(tensor: Tensor | undefined, name: string): Float32Array | GPUBuffer {
  return tensor?.location === "gpu-buffer" && tensor.type === "float32"
    ? tensor.gpuBuffer
    : floatValues(tensor, name);
}

/** How one layer's units leave the network: the output to read and the unit at each of its positions. */
interface Reader {
  readonly value: string;
  readonly nodes: NodeProto[];
  readonly initializers: TensorProto[];
  /** Unit of each position behind the batch axis. */
  readonly index: Int32Array;
  /** Whether a unit is the sum of its positions' absolute values. */
  readonly isSummed: boolean;
}

function readerOf(network: Network, layer: Layer, site: UnitSite, name: string): Reader {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const probed = network.probe.values.get(site.value);
  let { value, map } = site;
  let sizes = probed?.shape ?? [];
  let batchAxis = probed?.batchAxis ?? 0;
  if (probed && probed.rowsPerInput > 1 && probed.rowsBefore !== null) {
    // Tokens folded into the batch's axis get axes of their own again, in front of the batch and behind it.
    const { rowsBefore, rowsPerInput } = probed;
    const unfold = <T>(list: readonly T[], middle: readonly T[]) => [
      ...list.slice(0, batchAxis),
      ...middle,
      ...list.slice(batchAxis + 1),
    ];
    sizes = unfold(sizes, [rowsBefore, 1, rowsPerInput / rowsBefore]);
    map = { ...map, dims: unfold(map.dims, [1, 1, 1]) };
    batchAxis += 1;
    const open = sizes.map((size, axis) => (axis === batchAxis ? -1 : size));
    initializers.push(makeIntTensor(`${name}/shape`, open));
    nodes.push(makeNode("Reshape", [value, `${name}/shape`], [`${name}/rows`]));
    value = `${name}/rows`;
  }
  if (batchAxis > 0) {
    const batchFirst = [batchAxis, ...sizes.flatMap((_, axis) => (axis === batchAxis ? [] : [axis]))];
    nodes.push(makeNode("Transpose", [value], [`${name}/batch`], { perm: batchFirst.map(BigInt) }));
    value = `${name}/batch`;
    map = transposeMap(map, batchFirst);
    sizes = batchFirst.map((axis) => sizes[axis] as number);
  }
  const unitAxis = soleAxis(map);
  const others = sizes.flatMap((_, axis) => (axis > 0 && axis !== unitAxis ? [axis] : []));
  const isSummed = layer.operator === "Conv" || others.some((axis) => (sizes[axis] as number) > 1);
  // Without an axis to reduce the operator would take all of them; units along several axes are summed here.
  if (isSummed && unitAxis !== null && batchAxis >= 0 && others.length > 0) {
    const isInput = network.graph.opset >= 18;
    const axes = isInput ? {} : { axes: others.map(BigInt) };
    if (isInput) initializers.push(makeIntTensor(`${name}/axes`, others));
    const inputs = isInput ? [value, `${name}/axes`] : [value];
    nodes.push(makeNode("ReduceL1", inputs, [name], { ...axes, keepdims: 0n }));
    value = name;
    sizes = sizes.filter((_, axis) => !others.includes(axis));
    map = { ...map, dims: map.dims.filter((_, axis) => !others.includes(axis)) };
  }
  const { index } = expandTo(
    map,
    sizes.map((size, axis) => (axis === 0 && batchAxis >= 0 ? 1 : size)),
  );
  return { value, nodes, initializers, index, isSummed };
}
