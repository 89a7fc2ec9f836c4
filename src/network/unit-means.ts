/** Nodes that bring a value with units down to one number for each input and unit. */
import { BrodmannError } from "../errors.ts";
import type { NodeProto, TensorProto } from "../runtime/onnx.ts";
import { reduce } from "./backward/gradient-view.ts";
import { batchFirst } from "./batch-first.ts";
import type { ConstantSource } from "./constants.ts";
import { createEmitter } from "./emitter.ts";
import type { UnitSite } from "./unit-sites.ts";

/** Nodes, their constants, and the value that they end in. */
export interface UnitMeans {
  readonly value: string;
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
}

/**
 * The mean of every unit over its positions, as a value [inputs, units]: of the site's own value, or of `value`, which
 * has the same shape (its gradient).
 */
export function unitMeans(
  source: ConstantSource,
  site: UnitSite,
  units: number,
  prefix: string,
  value: string = site.value,
): UnitMeans {
  const { batchAxis = -1, rowsBefore = 1 } = source.probe.values.get(site.value) ?? {};
  if (batchAxis < 0 || rowsBefore === null)
    throw new BrodmannError("E_NETWORK_LAYER", `${site.value}: found inputs that cannot be told apart`, {
      hint: "Export the network with a dynamic batch axis.",
    });
  const emitter = createEmitter(source.graph.opset, prefix);
  const { sizes, map, value: batched } = batchFirst(emitter, source, site, value);
  let made = batched;
  const positions = sizes.flatMap((size, axis) =>
    axis > 0 && size > 1 && (map.dims[axis] ?? 1) === 1 ? [axis] : [],
  );
  if (positions.length > 0) made = reduce(emitter, "ReduceMean", made, positions);
  made = emitter.add("Reshape", [made, emitter.ints([-1, map.index.length])]);
  if (map.index.length !== units || map.index.some((unit, at) => unit !== at)) {
    const counts = new Float64Array(units);
    for (const unit of map.index) if (unit >= 0) counts[unit] = (counts[unit] as number) + 1;
    const shares = new Float32Array(map.index.length * units);
    map.index.forEach((unit, at) => {
      if (unit >= 0) shares[at * units + unit] = 1 / (counts[unit] as number);
    });
    made = emitter.add("MatMul", [made, emitter.floats([map.index.length, units], shares)]);
  }
  return { value: made, nodes: emitter.nodes, initializers: emitter.initializers };
}
