import {
  type AttributeProto,
  buildModel,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "../runtime/onnx.ts";
import { graphOf, opsetOf } from "./load-model.ts";

/** A model's data flow, indexed: who makes and who reads every value, and what does not depend on the input. */
export interface ModelGraph {
  readonly model: ModelProto;
  readonly opset: number;
  /** In topological order, as ONNX demands. */
  readonly nodes: readonly NodeProto[];
  /** Number of the node that makes a value. */
  readonly producer: ReadonlyMap<string, number>;
  /** Numbers of the nodes that read a value, ascending, each once. */
  readonly consumers: ReadonlyMap<string, readonly number[]>;
  readonly initializers: ReadonlyMap<string, TensorProto>;
  /** Graph inputs that are not initializers. */
  readonly inputs: readonly ValueInfoProto[];
  readonly outputs: readonly string[];
  /** Values that do not depend on any input: initializers and what is computed from them alone. */
  readonly constants: ReadonlySet<string>;
  /** Values that depend on the input's shape alone, not on what it holds: shape arithmetic. */
  readonly sizes: ReadonlySet<string>;
}

export function indexModel(model: ModelProto): ModelGraph {
  const graph = graphOf(model);
  const initializers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const producer = new Map<string, number>();
  const consumers = new Map<string, number[]>();
  const constants = new Set(initializers.keys());
  const sizes = new Set<string>();
  graph.node.forEach((node, number) => {
    const reads = readsOf(node);
    for (const name of new Set(reads)) {
      const list = consumers.get(name);
      if (list) list.push(number);
      else consumers.set(name, [number]);
    }
    const isConstant = reads.every((name) => constants.has(name)) && !isRandom(node);
    const isSize =
      asksSize(node) || (!isRandom(node) && reads.every((name) => constants.has(name) || sizes.has(name)));
    for (const name of node.output) {
      if (name === "") continue;
      producer.set(name, number);
      if (isConstant) constants.add(name);
      else if (isSize) sizes.add(name);
    }
  });
  return {
    model,
    opset: opsetOf(model),
    nodes: graph.node,
    producer,
    consumers,
    initializers,
    inputs: graph.input.filter(({ name }) => !initializers.has(name)),
    outputs: graph.output.map(({ name }) => name),
    constants,
    sizes,
  };
}

const asksSize = (node: NodeProto): boolean => node.opType === "Shape" || node.opType === "Size";

const isRandom = (node: NodeProto): boolean => /^(Random|Multinomial|Bernoulli)/.test(node.opType);

/** Names a node reads: its inputs and what its subgraphs (If, Loop, Scan) capture from outside. */
export function readsOf(node: NodeProto): string[] {
  const reads = node.input.filter((name) => name !== "");
  for (const attribute of node.attribute) {
    for (const subgraph of [...(attribute.g ? [attribute.g] : []), ...attribute.graphs]) {
      reads.push(...capturesOf(subgraph));
    }
  }
  return reads;
}

function capturesOf(graph: GraphProto): string[] {
  const inner = new Set([...graph.input, ...graph.initializer].map(({ name }) => name));
  const captures: string[] = [];
  for (const node of graph.node) {
    captures.push(...readsOf(node).filter((name) => !inner.has(name)));
    for (const name of node.output) inner.add(name);
  }
  captures.push(...graph.output.map(({ name }) => name).filter((name) => !inner.has(name)));
  return captures;
}

/**
 * Numbers of the nodes that read what a value holds. Consumers that only ask for its size (`x.view(x.size(0), -1)`
 * is written with a Shape of x) do not fork the data flow.
 */
export function readersOf(graph: ModelGraph, value: string): readonly number[] {
  const readers = graph.consumers.get(value) ?? [];
  return readers.filter((number) => !asksSize(graph.nodes[number] as NodeProto));
}

/** An attribute by name. */
export function attributeOf(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find((attribute) => attribute.name === name);
}

/** An integer attribute, or its default. */
export function integerAttribute(node: NodeProto, name: string, otherwise: number): number {
  const attribute = attributeOf(node, name);
  return attribute === undefined ? otherwise : Number(attribute.i);
}

/** A list of integers, or null where the attribute is absent. */
export function integersAttribute(node: NodeProto, name: string): number[] | null {
  return attributeOf(node, name)?.ints.map(Number) ?? null;
}

/** A part cut out of a model: its nodes in order and the initializers they read. */
export interface ModelPart {
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
}

/**
 * The nodes that compute `targets` from the values in `given` and constants.
 * Values outside `given` are traced back to the graph's inputs.
 */
export function partOf(graph: ModelGraph, targets: readonly string[], given: ReadonlySet<string>): ModelPart {
  const isNeeded = new Uint8Array(graph.nodes.length);
  const initializers = new Map<string, TensorProto>();
  const open = [...targets];
  const seen = new Set<string>();
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (given.has(name) || seen.has(name)) continue;
    seen.add(name);
    const tensor = graph.initializers.get(name);
    if (tensor) initializers.set(name, tensor);
    const number = graph.producer.get(name);
    if (number === undefined || isNeeded[number]) continue;
    isNeeded[number] = 1;
    open.push(...readsOf(graph.nodes[number] as NodeProto));
  }
  return {
    nodes: graph.nodes.filter((_, number) => isNeeded[number]),
    initializers: [...initializers.values()],
  };
}

/** Encodes a model made of a part and more nodes around it, in the operator sets of the whole model. */
export function encodePart(
  graph: ModelGraph,
  parts: {
    readonly nodes: readonly NodeProto[];
    readonly initializers: readonly TensorProto[];
    readonly inputs: readonly ValueInfoProto[];
    readonly outputs: readonly ValueInfoProto[];
  },
): Uint8Array {
  return buildModel({
    ...parts,
    opsets: new Map(graph.model.opsetImport.map(({ domain, version }) => [domain, Number(version)])),
    irVersion: Number(graph.model.irVersion),
    functions: graph.model.functions,
  });
}
