import type { UnitRecorder } from "../compute/compute.ts";
import { HostRecorder } from "../compute/cpu/host-recorder.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import { makeUntypedValueInfo, type NodeProto, type TensorProto } from "../runtime/onnx.ts";
import { floatValues, Session, type Tensor } from "../runtime/session.ts";
import { reduce } from "./backward/gradient-view.ts";
import { batchFirst } from "./batch-first.ts";
import { batchesOf, padBatch, rowsPerRun } from "./batching.ts";
import { createEmitter } from "./emitter.ts";
import { encodePart, partOf } from "./model-graph.ts";
import type { Layer, Network } from "./network.ts";
import { inputFeed, inputInfo } from "./network-input.ts";
import type { InputSource } from "./outcomes.ts";
import { expandTo, soleAxis } from "./position-map.ts";
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
  const session = await Session.create(model, { label: network.name, hasDeviceOutputs: true });
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
  const emitter = createEmitter(network.graph.opset, name);
  let { value, sizes, map } = batchFirst(emitter, network, site);
  const hasInputs = (network.probe.values.get(site.value)?.batchAxis ?? 0) >= 0;
  const unitAxis = soleAxis(map);
  const others = sizes.flatMap((_, axis) => (axis > 0 && axis !== unitAxis ? [axis] : []));
  const isSummed = layer.operator === "Conv" || others.some((axis) => (sizes[axis] as number) > 1);
  // Without an axis to reduce the operator would take all of them; units along several axes are summed here.
  if (isSummed && unitAxis !== null && hasInputs && others.length > 0) {
    value = reduce(emitter, "ReduceL1", value, others);
    sizes = sizes.map((size, axis) => (others.includes(axis) ? 1 : size));
  }
  const { index } = expandTo(
    map,
    sizes.map((size, axis) => (axis === 0 && hasInputs ? 1 : size)),
  );
  return { value, nodes: emitter.nodes, initializers: emitter.initializers, index, isSummed };
}
