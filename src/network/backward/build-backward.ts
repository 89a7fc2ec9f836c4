/**
 * The backward half of a network: the nodes that carry gradients from some values of a graph back to others, after
 * reverse-mode differentiation (Griewank & Walther 2008, doi:10.1137/1.9780898717761, ch. 3). They are standard ONNX
 * operators, so that forward and backward run in one session wherever the network runs.
 */
import { BrodmannError } from "../../errors.ts";
import { DataType, type NodeProto } from "../../runtime/onnx.ts";
import { type ConstantSource, constantFloats, constantIntegers } from "../constants.ts";
import { createEmitter } from "../emitter.ts";
import { integersAttribute, type ModelPart } from "../model-graph.ts";
import { dimsOf } from "../tensor-values.ts";
import { type GradientView, type OpenShape, refuse } from "./gradient-view.ts";
import { GRADIENT_RULES } from "./rules.ts";

/** Nodes that compute gradients, and what the gradients are called. */
export interface BackwardPart extends ModelPart {
  /** Name of the gradient of each wanted value that the seeds depend on; its shape is the value's. */
  readonly gradients: ReadonlyMap<string, string>;
}

export interface BackwardOptions {
  /** Begins the names of everything that is added; needed where a graph gets several backward parts. */
  readonly prefix?: string;
  /**
   * Name of a boolean scalar (a graph input) that switches the redirection of ReLU gradients on: where all of an
   * example's gradient is blocked at a ReLU, what would raise negative inputs passes (method note 7.1). It takes the
   * seeds for gradients of something to be raised.
   */
  readonly redirect?: string | null;
  /**
   * How often the seeds repeat the batch: seeds and gradients have `tiles` times the forward batch in their batch
   * axis, one whole batch after another, so that one forward pass serves many objectives.
   */
  readonly tiles?: number;
}

/**
 * Builds the nodes that carry gradients from `seeds` (value -> name of the gradient that comes into it, of the value's
 * shape) to the `wanted` values. The graph's values must have been probed (`probeNetwork`, `extendGraph`).
 *
 * Throws `E_NETWORK_GRADIENT`, naming the node, for an operator without a rule between the two, and for wanted values
 * that hold no float32 numbers.
 *
 * @example
 * const seeds = new Map([[network.logits, "seed"]]);
 * const { nodes, initializers, gradients } = buildBackward(network, seeds, [network.probe.input]);
 */
export function buildBackward(
  source: ConstantSource,
  seeds: ReadonlyMap<string, string>,
  wanted: readonly string[],
  options: BackwardOptions = {},
): BackwardPart {
  for (const name of wanted) checkWanted(source, name);
  const { graph } = source;
  const { prefix = "brodmann/backward", redirect = null, tiles = 1 } = options;
  const isActive = activeValues(source, wanted);
  const emitter = createEmitter(graph.opset, prefix);
  const shapeOf = (name: string): OpenShape => openShapeOf(source, name);
  const tiled = new Map<string, string>();
  const repeat = (name: string, { sizes, batchAxis }: OpenShape): string => {
    if (tiles === 1 || batchAxis < 0) return name;
    const known = tiled.get(name);
    if (known !== undefined) return known;
    const repeats = emitter.ints(sizes.map((_, axis) => (axis === batchAxis ? tiles : 1)));
    const made = emitter.add("Tile", [name, repeats]);
    tiled.set(name, made);
    return made;
  };
  const readable = (name: string): string => repeat(name, shapeOf(name));
  const contributions = new Map([...seeds].map(([name, gradient]) => [name, [gradient]]));
  /** Sums what came back into a value, once all its readers have been passed. */
  const gradientOf = (name: string): string | null => {
    const parts = contributions.get(name);
    if (parts === undefined) return null;
    const [first, second, ...others] = parts;
    if (first === undefined) return null;
    if (second === undefined) return first;
    const sum = emitter.add(others.length === 0 ? "Add" : "Sum", parts);
    contributions.set(name, [sum]);
    return sum;
  };
  for (let number = graph.nodes.length - 1; number >= 0; number--) {
    const node = graph.nodes[number] as NodeProto;
    if (!node.input.some((name) => isActive.has(name))) continue;
    const upstream = node.output.map((name) => (isActive.has(name) ? gradientOf(name) : null));
    const first = upstream.find((gradient) => gradient !== null) ?? null;
    if (first === null) continue;
    const rule =
      node.domain === "" || node.domain === "ai.onnx" ? GRADIENT_RULES.get(node.opType) : undefined;
    if (rule === undefined) refuse(node, "no gradient rule", "an operator that gradients can pass");
    const view: GradientView = {
      ...emitter,
      node,
      redirect,
      upstream: upstream[0] ?? first,
      upstreamOf: (i) => upstream[i] ?? null,
      input: (i) => readable(node.input[i] ?? ""),
      output: (i = 0) => readable(node.output[i] ?? ""),
      plain: { input: (i) => node.input[i] ?? "", output: (i = 0) => node.output[i] ?? "" },
      repeat,
      shape: (i) => shapeOf(node.input[i] ?? ""),
      outputShape: (i = 0) => shapeOf(node.output[i] ?? ""),
      isWanted: (i) => isActive.has(node.input[i] ?? ""),
      constant: (i) => constantFloats(source, node.input[i] ?? ""),
      integers(attribute, i) {
        const name = node.input[i] ?? "";
        return (
          integersAttribute(node, attribute) ?? (name === "" ? undefined : constantIntegers(source, name))
        );
      },
    };
    rule(view).forEach((gradient, i) => {
      const name = node.input[i] ?? "";
      if (gradient === null || !isActive.has(name)) return;
      contributions.set(name, [...(contributions.get(name) ?? []), gradient]);
    });
  }
  const gradients = new Map<string, string>();
  for (const name of wanted) {
    const gradient = gradientOf(name);
    if (gradient !== null) gradients.set(name, gradient);
  }
  return { nodes: emitter.nodes, initializers: emitter.initializers, gradients };
}

function checkWanted({ probe }: ConstantSource, name: string): void {
  const type = probe.values.get(name)?.elementType ?? DataType.UNDEFINED;
  if (type === DataType.FLOAT) return;
  const found = type === DataType.UNDEFINED ? "no such value" : `${DataType[type]} values`;
  throw new BrodmannError(
    "E_NETWORK_GRADIENT",
    `gradient with respect to "${name}": found ${found}, expected float32 values`,
    { hint: "Token numbers have no gradient: ask for one with respect to a layer behind the embedding." },
  );
}

/** Values that depend on a wanted one and hold numbers that gradients can pass. */
function activeValues({ graph, probe }: ConstantSource, wanted: readonly string[]): ReadonlySet<string> {
  const active = new Set(wanted);
  for (const node of graph.nodes) {
    if (!node.input.some((name) => active.has(name))) continue;
    for (const name of node.output) {
      const type = probe.values.get(name)?.elementType;
      const isFloat = type === DataType.FLOAT || type === DataType.DOUBLE || type === undefined;
      if (name !== "" && isFloat && !graph.sizes.has(name)) active.add(name);
    }
  }
  return active;
}

/** Shape of any value: probed, stored, or computed from what is stored. */
function openShapeOf({ graph, probe }: ConstantSource, name: string): OpenShape {
  const probed = probe.values.get(name);
  if (probed) return { sizes: probed.shape, batchAxis: probed.batchAxis };
  const stored = graph.initializers.get(name);
  return { sizes: stored ? dimsOf(stored) : (probe.constants.get(name)?.dims ?? []), batchAxis: -1 };
}
