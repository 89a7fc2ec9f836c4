import type { ModelGraph } from "./model-graph.ts";
import type { Probe } from "./probe.ts";
import { dimsOf, floatsOf, integersOf, isFloatTensor } from "./tensor-values.ts";

/** A constant array of the network. */
export interface ConstantArray {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** Constants of a network, whether stored or computed by nodes from stored ones. */
export interface ConstantSource {
  readonly graph: ModelGraph;
  readonly probe: Probe;
}

/** A floating-point constant, or null where `name` is none. */
export function constantFloats(source: ConstantSource, name: string): ConstantArray | null {
  const tensor = source.graph.initializers.get(name);
  if (tensor) return isFloatTensor(tensor) ? { dims: dimsOf(tensor), values: floatsOf(tensor) } : null;
  const computed = source.probe.constants.get(name);
  if (computed?.data instanceof Float32Array) return { dims: computed.dims, values: computed.data };
  if (computed?.data instanceof Float64Array) {
    return { dims: computed.dims, values: Float32Array.from(computed.data) };
  }
  return null;
}

/** An integer constant (axes, shapes, indices), or null where `name` is none. */
export function constantIntegers(source: ConstantSource, name: string): number[] | null {
  const tensor = source.graph.initializers.get(name);
  if (tensor) return isFloatTensor(tensor) ? null : integersOf(tensor);
  const data = source.probe.constants.get(name)?.data;
  if (data instanceof BigInt64Array) return Array.from(data, Number);
  return data instanceof Int32Array ? Array.from(data) : null;
}
