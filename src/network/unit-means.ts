/** Nodes that bring a value with units down to one number for each input and unit. */
import { BrodmannError } from "../errors.ts";
import type { NodeProto, TensorProto } from "../runtime/onnx.ts";
import { createEmitter } from "./backward/build-backward.ts";
import { openDims, reduce } from "./backward/gradient-view.ts";
import type { ConstantSource } from "./constants.ts";
import { transposeMap } from "./position-map.ts";
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
  { graph, probe }: ConstantSource,
  site: UnitSite,
  units: number,
  prefix: string,
  value: string = site.value,
): UnitMeans {
  const probed = probe.values.get(site.value);
  let { map } = site;
  let { shape: sizes = [], batchAxis = -1 } = probed ?? {};
  const { rowsPerInput = 1, rowsBefore = 1 } = probed ?? {};
  if (batchAxis < 0 || rowsBefore === null)
    throw new BrodmannError("E_NETWORK_LAYER", `${site.value}: found inputs that cannot be told apart`, {
      hint: "Export the network with a dynamic batch axis.",
    });
  const emitter = createEmitter(graph.opset, prefix);
  let made = value;
  if (rowsPerInput > 1) {
    // Tokens folded into the batch's axis get axes of their own, in front of the batch and behind it.
    const unfold = <T>(list: readonly T[], middle: readonly T[]) => [
      ...list.slice(0, batchAxis),
      ...middle,
      ...list.slice(batchAxis + 1),
    ];
    sizes = unfold(sizes, [rowsBefore, 1, rowsPerInput / rowsBefore]);
    map = { ...map, dims: unfold(map.dims, [1, 1, 1]) };
    batchAxis += 1;
    made = emitter.add("Reshape", [made, emitter.ints(openDims({ sizes, batchAxis }))]);
  }
  if (batchAxis > 0) {
    const batchFirst = [batchAxis, ...sizes.flatMap((_, axis) => (axis === batchAxis ? [] : [axis]))];
    made = emitter.add("Transpose", [made], { perm: batchFirst.map(BigInt) });
    map = transposeMap(map, batchFirst);
    sizes = batchFirst.map((axis) => sizes[axis] as number);
  }
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
