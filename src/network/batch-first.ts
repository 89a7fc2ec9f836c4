/** A value with the axis of the inputs in front, whatever its layout. */
import { openDims } from "./backward/gradient-view.ts";
import type { ConstantSource } from "./constants.ts";
import type { Emitter } from "./emitter.ts";
import { type PositionMap, transposeMap } from "./position-map.ts";
import type { UnitSite } from "./unit-sites.ts";

export interface BatchFirst {
  readonly value: string;
  /** Sizes for a batch of one input. */
  readonly sizes: readonly number[];
  readonly map: PositionMap;
}

/**
 * Adds what brings a site's value to the form [inputs, ...]: tokens folded into the batch's axis get axes of their own
 * again, in front of the batch and behind it, and the batch's axis goes first. `value` may be another value of the same
 * shape, as the site's gradient is. A value in which no axis follows the batch stays as it is.
 */
export function batchFirst(
  emitter: Emitter,
  { probe }: ConstantSource,
  site: UnitSite,
  value: string = site.value,
): BatchFirst {
  const probed = probe.values.get(site.value);
  let { map } = site;
  let { shape: sizes = [], batchAxis = 0 } = probed ?? {};
  const { rowsPerInput = 1, rowsBefore = 1 } = probed ?? {};
  let made = value;
  if (rowsPerInput > 1 && rowsBefore !== null) {
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
    const order = [batchAxis, ...sizes.flatMap((_, axis) => (axis === batchAxis ? [] : [axis]))];
    made = emitter.add("Transpose", [made], { perm: order.map(BigInt) });
    map = transposeMap(map, order);
    sizes = order.map((axis) => sizes[axis] as number);
  }
  return { value: made, sizes, map };
}
