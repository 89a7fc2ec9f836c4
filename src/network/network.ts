import type { Kernel } from "../compute/compute.ts";
import { BrodmannError } from "../errors.ts";
import { DataType, type ModelProto } from "../runtime/onnx.ts";
import { type ConstantSource, constantFloats } from "./constants.ts";
import { followUnits } from "./follow-units.ts";
import { loadModelBytes } from "./load-model.ts";
import { indexModel, type ModelGraph } from "./model-graph.ts";
import { type Probe, probeNetwork } from "./probe.ts";
import { type FlowConnection, holdsUnits, nodeName, type SkippedNode, type WeightNode } from "./unit-flow.ts";
import { findSites, type LayerSites } from "./unit-sites.ts";

/** The units that one weight-bearing ONNX node produces. */
export interface Layer extends LayerSites {
  /** The node's name, or its first output where it has none; unique in the network. */
  readonly name: string;
  readonly operator: "Conv" | "Gemm" | "MatMul";
  readonly units: number;
  /** Whether its units are the network's logits. */
  readonly isLogits: boolean;
  /** Whether a unit has several values for an input: a channel's map, a neuron's token axis. */
  readonly hasPositions: boolean;
  readonly weights: WeightNode;
}

/** A trained network: its layers, how they are connected, and what could not be followed. */
export interface Network extends ConstantSource {
  /** File name, for people. */
  readonly name: string;
  readonly graph: ModelGraph;
  readonly probe: Probe;
  /** In topological order. */
  readonly layers: readonly Layer[];
  readonly connections: readonly FlowConnection[];
  readonly skipped: readonly SkippedNode[];
  /** Shape of one input, without the batch axis. */
  readonly inputShape: readonly number[];
  /** Value that holds the logits: the output, or what a final Softmax reads. */
  readonly logits: string;
  /** Whether data have told that its outputs are no logits but predicted numbers (`withTask`). */
  readonly isRegression: boolean;
}

export interface NetworkOptions {
  /** Shape of one input; needed only where the model leaves sizes open. */
  readonly inputShape?: readonly number[] | undefined;
}

/** Like `loadNetwork`, from the bytes of a model without external data; `name` names it in messages. */
export async function loadNetworkBytes(
  bytes: Uint8Array,
  name: string,
  options: NetworkOptions = {},
): Promise<Network> {
  return analyzeModel(loadModelBytes(bytes, name), name, options);
}

/** Finds the layers, units and connections of a model; `path` names it in messages. */
export async function analyzeModel(
  model: ModelProto,
  path: string,
  options: NetworkOptions = {},
): Promise<Network> {
  const graph = indexModel(model);
  const probe = await probeNetwork(graph, options.inputShape ?? null);
  checkFinite({ graph, probe }, path);
  const logits = findLogits(graph, probe);
  const flow = followUnits(graph, probe, logits);
  const names = new Set<string>();
  const logitSources = new Set((flow.flows.get(logits) ?? []).filter(holdsUnits).map(({ source }) => source));
  const layers = flow.layers.map((weights, source): Layer => {
    const node = graph.nodes[weights.node];
    const base = node ? nodeName(node) : weights.output;
    let name = base;
    for (let copy = 2; names.has(name); copy++) name = `${base}#${copy}`;
    names.add(name);
    return {
      name,
      operator: weights.operator,
      units: weights.units,
      isLogits: logitSources.has(source),
      hasPositions: sizePerInput(probe, weights.output) > weights.units,
      weights,
      ...findSites({ graph, probe, flow }, source),
    };
  });
  if (layers.length === 0) {
    const reasons = flow.skipped.map(({ node, reason }) => `${node}: ${reason}`).join("; ");
    throw new BrodmannError(
      "E_NETWORK_UNSUPPORTED",
      `${path}: found no layer with constant weights${reasons ? ` (${reasons})` : ""}`,
      {
        hint: "Brodmann analyses Conv, Gemm and MatMul nodes with constant weights; export the trained network.",
      },
    );
  }
  const { connections, skipped } = flow;
  return {
    name: path.split(/[\\/]/).at(-1) ?? path,
    graph,
    probe,
    layers,
    connections,
    skipped,
    inputShape: probe.inputShape,
    logits,
    isRegression: false,
  };
}

/** Numbers that a value holds for one input. */
function sizePerInput({ values, fixedBatch }: Probe, name: string): number {
  const { shape = [], batchAxis = -1 } = values.get(name) ?? {};
  const size = shape.reduce((total, extent) => total * extent, 1);
  return batchAxis < 0 ? size : size / (fixedBatch ?? 1);
}

/**
 * Whether a layer's units are nodes of graphs: in a network with convolutions what has positions, channels and the
 * neurons of transformer blocks, else all (method note 3.1, 3.2).
 */
export function isGraphLayer({ layers }: Network, { operator, hasPositions }: Layer): boolean {
  return operator === "Conv" || hasPositions || layers.every((layer) => layer.operator !== "Conv");
}

/** The first float output that follows the batch; a final Softmax is taken off, since the loss wants logits. */
function findLogits(graph: ModelGraph, probe: Probe): string {
  const output = graph.outputs.find((name) => {
    const value = probe.values.get(name);
    return value?.batchAxis === 0 && value.elementType === DataType.FLOAT;
  });
  if (output === undefined) {
    throw new BrodmannError(
      "E_NETWORK_OUTPUT",
      `found no float output with a batch axis among ${graph.outputs.join(", ")}`,
      {
        hint: "Export the network with its logits as an output of shape [N, classes].",
      },
    );
  }
  let value = output;
  for (;;) {
    const node = graph.nodes[graph.producer.get(value) ?? -1];
    if (node?.opType === "Softmax" || node?.opType === "LogSoftmax") return node.input[0] ?? value;
    if (node?.opType !== "Identity" && node?.opType !== "Cast") return output;
    value = node.input[0] ?? value;
  }
}

/** Refuses weights that are not finite: they would spread silently into every result. */
function checkFinite(source: ConstantSource, path: string): void {
  const carriers = /^(Conv|ConvTranspose|Gemm|MatMul|PRelu|\w*Normalization)$/;
  for (const node of source.graph.nodes) {
    // Elsewhere infinity has its uses (masks, limits of Clip), NaN has none.
    const isSound = carriers.test(node.opType)
      ? Number.isFinite
      : (value: unknown) => !Number.isNaN(value as number);
    for (const name of node.input) {
      if (!source.graph.initializers.has(name) && !source.probe.constants.has(name)) continue;
      const values = constantFloats(source, name)?.values ?? new Float32Array();
      const at = values.findIndex((value) => !isSound(value));
      if (at < 0) continue;
      throw new BrodmannError(
        "E_NETWORK_NOT_FINITE",
        `${path}: weights "${name}" of ${nodeName(node)}: found ${values[at]} at position ${at}, expected finite numbers`,
        { hint: "The training diverged or the export failed; use an earlier checkpoint." },
      );
    }
  }
}

/** A layer's kernel as outputs x inputs x taps (inputs of one group for grouped convolutions). */
export function kernelOf(network: Network, layer: Layer): Kernel {
  const { name, layout, inputs, taps, factor } = layer.weights.kernel;
  const stored = constantFloats(network, name)?.values;
  if (stored === undefined) throw new BrodmannError("E_INTERNAL", `kernel "${name}" is not a constant`);
  const outputs = layer.units;
  if (layout === "outputs-first" && factor === 1) return { outputs, inputs, taps, values: stored };
  const values = new Float32Array(stored.length);
  if (layout === "outputs-first") {
    for (let i = 0; i < values.length; i++) values[i] = (stored[i] as number) * factor;
  } else {
    for (let input = 0; input < inputs; input++) {
      for (let output = 0; output < outputs; output++) {
        values[output * inputs + input] = (stored[input * outputs + output] as number) * factor;
      }
    }
  }
  return { outputs, inputs, taps, values };
}

/** Share of the layers' weights that are exactly 0, as pruning leaves them. */
export function zeroWeightShare(network: Network): number {
  let [zeros, all] = [0, 0];
  for (const layer of network.layers) {
    const { values } = kernelOf(network, layer);
    zeros += values.reduce((total, value) => total + (value === 0 ? 1 : 0), 0);
    all += values.length;
  }
  return zeros / all;
}

/** The layer of a name; throws `E_NETWORK_LAYER` with the known names. */
export function layerNamed(network: Network, name: string): Layer {
  const layer = network.layers.find((candidate) => candidate.name === name);
  if (layer) return layer;
  throw new BrodmannError("E_NETWORK_LAYER", `${network.name}: found no layer "${name}"`, {
    hint: `Its layers are: ${network.layers.map((candidate) => candidate.name).join(", ")}.`,
  });
}
