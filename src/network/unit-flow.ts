import type { NodeProto } from "../runtime/onnx.ts";
import type { ModelGraph } from "./model-graph.ts";
import type { PositionMap } from "./position-map.ts";
import type { Probe } from "./probe.ts";

/** Number of the pseudo-layer of the network's inputs, whose units are the input's elements. */
export const INPUT_LAYER = -1;

/** The units of one layer in a value. A value behind a residual Add has a term for every layer that writes to it. */
export interface UnitTerm {
  /** Layer number, or `INPUT_LAYER`. */
  readonly source: number;
  readonly map: PositionMap;
  /** Whether the value is still on the layer's own path: nothing was added and nobody else reads on the way. */
  readonly isOwn: boolean;
  readonly isActivated: boolean;
  /** Whether the units were summed away: the value depends on them, but no position holds one (the map has none). */
  readonly isPooled: boolean;
  /** What an activation function tends to for large sums; null where it has no limit or it is not known. */
  readonly limit: number | null;
}

/** Whether some position holds a unit of the term. */
export const holdsUnits = ({ map }: UnitTerm): boolean => map.index.some((unit) => unit >= 0);

/** What a value holds: units of layers, or nothing that can be followed (no terms). */
export type Flow = readonly UnitTerm[];

/** A weight-bearing node whose outputs are units. */
export interface WeightNode {
  readonly node: number;
  readonly operator: "Conv" | "Gemm" | "MatMul";
  /** Value that the node makes, and the axis of that value along which the units lie. */
  readonly output: string;
  readonly unitAxis: number;
  readonly units: number;
  /** Name of the constant that holds the kernel, and how to read it as outputs x inputs x taps. */
  readonly kernel: {
    readonly name: string;
    readonly layout: "outputs-first" | "inputs-first";
    readonly inputs: number;
    readonly taps: number;
    /** Groups of a convolution; output o reads the inputs of its group only. */
    readonly groups: number;
    /** Constant factor on the whole kernel (Gemm's alpha). */
    readonly factor: number;
  };
  /** Product of |gamma| / sqrt(var + eps) of the batch norms in front of the activation function; null = 1. */
  incomingScale: Float64Array | null;
}

/** Units of `source` as they enter the inputs of a weight-bearing node. */
export interface FlowConnection {
  readonly source: number;
  readonly target: number;
  /** Unit of the source at each input channel or feature (before grouping); -1 where none. */
  readonly index: Int32Array;
  readonly scale: Float64Array | null;
}

/** Something that could not be followed, and why. */
export interface SkippedNode {
  readonly node: string;
  readonly operator: string;
  readonly reason: string;
}

/** Everything that following the data flow tells. */
export interface UnitFlow {
  readonly layers: readonly WeightNode[];
  readonly connections: readonly FlowConnection[];
  readonly skipped: readonly SkippedNode[];
  /** Flow of every value that holds units. */
  readonly flows: ReadonlyMap<string, Flow>;
  /** Role of every followed node, by its number. */
  readonly roles: ReadonlyMap<number, NodeRole>;
}

/** What an operator's rule may look at and add to. */
export interface FlowState {
  readonly graph: ModelGraph;
  readonly probe: Probe;
  readonly layers: WeightNode[];
  readonly connections: FlowConnection[];
  readonly flows: Map<string, Flow>;
  readonly roles: Map<number, NodeRole>;
  /** Notes that a node is not followed. */
  skip(node: NodeProto, reason: string): void;
}

/** Part a node can play on a layer's own path; "mixing" ends the path. */
export type NodeRole = "affine" | "activation" | "spatial" | "shape" | "mixing";

/** Outcome of a rule: a flow for each output, or the reason why the units cannot be followed. */
export type RuleResult =
  | { readonly flows: readonly Flow[]; readonly role: NodeRole }
  | { readonly problem: string };

/** What one operator does to the units in its inputs. */
export type Rule = (view: NodeView) => RuleResult;

/** A node with its inputs' flows, as rules see it. */
export interface NodeView {
  readonly state: FlowState;
  readonly node: NodeProto;
  readonly number: number;
  /** Flow of input i, empty for constants and for what cannot be followed. */
  flow(i: number): Flow;
  isComputed(i: number): boolean;
  shape(i: number): readonly number[];
  batchAxis(i: number): number;
  outputShape(i?: number): readonly number[];
}

/** A node's name, or the name of its first output where it has none (contract: layer names). */
export function nodeName(node: NodeProto): string {
  return node.name !== "" ? node.name : (node.output.find((name) => name !== "") ?? "");
}

/** Operator with its domain where that is not ONNX's own. */
export function operatorName(node: NodeProto): string {
  return node.domain === "" || node.domain === "ai.onnx" ? node.opType : `${node.domain}.${node.opType}`;
}
