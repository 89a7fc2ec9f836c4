/** Parts of a graph that are added to a network's own. */
import {
  type AttributeValue,
  makeFloatTensor,
  makeIntTensor,
  makeNode,
  type NodeProto,
  type TensorProto,
} from "../runtime/onnx.ts";

/** Adds nodes and constants to a graph. */
export interface Emitter {
  readonly opset: number;
  /** Adds a node and gives the name of its first output. */
  add(
    opType: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, AttributeValue>>,
  ): string;
  ints(values: readonly number[]): string;
  scalar(value: number): string;
  floats(dims: readonly number[], values: Float32Array): string;
}

/** Collects nodes and constants under names of its own; equal small constants are stored once. */
export function createEmitter(
  opset: number,
  prefix: string,
): Emitter & { readonly nodes: NodeProto[]; readonly initializers: TensorProto[] } {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const known = new Map<string, string>();
  const remember = (key: string, make: (name: string) => TensorProto): string => {
    const old = known.get(key);
    if (old !== undefined) return old;
    const name = `${prefix}/constant${initializers.length}`;
    initializers.push(make(name));
    known.set(key, name);
    return name;
  };
  return {
    opset,
    nodes,
    initializers,
    add(opType, inputs, attributes = {}) {
      const output = `${prefix}/${nodes.length}`;
      nodes.push(makeNode(opType, inputs, [output], attributes));
      return output;
    },
    ints: (values) => remember(`ints ${values.join()}`, (name) => makeIntTensor(name, values)),
    scalar: (value) =>
      remember(`scalar ${value}`, (name) => makeFloatTensor(name, [], Float32Array.of(value))),
    floats(dims, values) {
      const name = `${prefix}/constant${initializers.length}`;
      initializers.push(makeFloatTensor(name, dims, values));
      return name;
    },
  };
}
