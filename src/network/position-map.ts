/**
 * Which unit each position of a value holds, and with what factor. Axes along which neither changes (the batch,
 * most spatial axes) are kept at size 1, so a map of a [N, C, H, W] value has dims [1, C, 1, 1].
 */
export interface PositionMap {
  /** One entry per axis of the value: its size, or 1. */
  readonly dims: readonly number[];
  /** Unit at each position (row-major over `dims`); -1 where the position holds none of these units. */
  readonly index: Int32Array;
  /** Factor at each position; null = 1 everywhere. */
  readonly scale: Float64Array | null;
}

const product = (sizes: readonly number[]): number => sizes.reduce((total, size) => total * size, 1);

/** Units 0 ... count - 1 along one axis. */
export function unitsAlong(axis: number, count: number, rank: number): PositionMap {
  const dims = Array.from({ length: rank }, (_, other) => (other === axis ? count : 1));
  return { dims, index: Int32Array.from({ length: count }, (_, unit) => unit), scale: null };
}

/** The map of a value in which no position holds a unit that could be told. */
export function noUnits(rank: number): PositionMap {
  return { dims: new Array<number>(rank).fill(1), index: Int32Array.of(-1), scale: null };
}

/** A map whose position i is the given map's position `from[i]`, or no unit where that is -1. */
function pick(map: PositionMap, dims: readonly number[], from: (position: number) => number): PositionMap {
  const size = product(dims);
  const index = new Int32Array(size);
  const scale = map.scale === null ? null : new Float64Array(size);
  for (let position = 0; position < size; position++) {
    const source = from(position);
    index[position] = source < 0 ? -1 : (map.index[source] as number);
    if (scale && map.scale) scale[position] = source < 0 ? 1 : (map.scale[source] as number);
  }
  return { dims, index, scale };
}

/** Reads every position of `dims` at mapped coordinates: `coordinate(axis, i)` gives the source coordinate or -1. */
function pickByAxis(
  map: PositionMap,
  dims: readonly number[],
  sourceAxis: (axis: number) => number,
  coordinate: (axis: number, i: number) => number,
): PositionMap {
  const strides = stridesOf(map.dims);
  const targetStrides = stridesOf(dims);
  return pick(map, dims, (position) => {
    let source = 0;
    for (let axis = 0; axis < dims.length; axis++) {
      const i = Math.floor(position / (targetStrides[axis] as number)) % (dims[axis] as number);
      const at = coordinate(axis, i);
      if (at < 0) return -1;
      const from = sourceAxis(axis);
      if (from >= 0 && (map.dims[from] as number) > 1) source += at * (strides[from] as number);
    }
    return source;
  });
}

function stridesOf(dims: readonly number[]): number[] {
  const strides = new Array<number>(dims.length);
  let stride = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= dims[axis] as number;
  }
  return strides;
}

/** The same map with some axes written out at full size. */
export function expandTo(map: PositionMap, dims: readonly number[]): PositionMap {
  if (dims.every((size, axis) => size === map.dims[axis])) return map;
  return pickByAxis(
    map,
    dims,
    (axis) => axis,
    (_, i) => i,
  );
}

/** The map of a value broadcast to a higher rank: axes of size 1 are put in front. */
export function alignRank(map: PositionMap, rank: number): PositionMap {
  const missing = rank - map.dims.length;
  return missing <= 0 ? map : { ...map, dims: [...new Array<number>(missing).fill(1), ...map.dims] };
}

export function transposeMap(map: PositionMap, permutation: readonly number[]): PositionMap {
  const dims = permutation.map((axis) => map.dims[axis] as number);
  return pickByAxis(
    map,
    dims,
    (axis) => permutation[axis] as number,
    (_, i) => i,
  );
}

/** The positions along `axis` chosen by `from`; -1 puts a position without units. */
export function gatherMap(
  map: PositionMap,
  axis: number,
  size: number,
  from: readonly number[],
): PositionMap {
  if (map.dims[axis] === 1 && from.every((i) => i >= 0) && size !== 1) return map;
  const full = expandTo(
    map,
    map.dims.map((extent, other) => (other === axis ? size : extent)),
  );
  const dims = full.dims.map((extent, other) => (other === axis ? from.length : extent));
  return pickByAxis(
    full,
    dims,
    (other) => other,
    (other, i) => (other === axis ? (from[i] as number) : i),
  );
}

/**
 * The map after axes are summed or averaged away; null when units lie along one of them. Positions without a unit
 * (a class token) do not count; where factors differ along the axes, the largest one stays.
 */
export function reduceMap(map: PositionMap, axes: readonly number[], keepsAxes: boolean): PositionMap | null {
  const dims = map.dims.map((size, axis) => (axes.includes(axis) ? 1 : size));
  const index = new Int32Array(product(dims)).fill(-1);
  const scale = map.scale === null ? null : new Float64Array(index.length).fill(1);
  const [strides, reducedStrides] = [stridesOf(map.dims), stridesOf(dims)];
  for (let position = 0; position < map.index.length; position++) {
    const unit = map.index[position] as number;
    if (unit < 0) continue;
    let at = 0;
    dims.forEach((size, axis) => {
      if (size > 1)
        at += (Math.floor(position / (strides[axis] as number)) % size) * (reducedStrides[axis] as number);
    });
    const known = index[at] as number;
    if (known >= 0 && known !== unit) return null;
    const factor = map.scale?.[position] ?? 1;
    if (scale) scale[at] = known < 0 ? factor : Math.max(factor, scale[at] as number);
    index[at] = unit;
  }
  return { dims: keepsAxes ? dims : dims.filter((_, axis) => !axes.includes(axis)), index, scale };
}

/**
 * The map after a reshape from one shape to another (shapes of the whole value, batch axis included).
 * Null when the reshape folds the batch and units into one axis.
 */
export function reshapeMap(
  map: PositionMap,
  from: readonly number[],
  to: readonly number[],
  batchAxis: number,
): PositionMap | null {
  const expanded = [...map.dims];
  const dims = new Array<number>(to.length).fill(1);
  for (const group of alignAxes(from, to)) {
    const isVarying = group.from.some((axis) => (map.dims[axis] as number) > 1);
    if (!isVarying) continue;
    if (group.from.includes(batchAxis)) return null;
    for (const axis of group.from) expanded[axis] = from[axis] as number;
    for (const axis of group.to) dims[axis] = to[axis] as number;
  }
  return collapse({ ...expandTo(map, expanded), dims });
}

/** The map with axes along which it does not vary at size 1: what was written out for a reshape may be folded again. */
function collapse(map: PositionMap): PositionMap {
  const strides = stridesOf(map.dims);
  return map.dims.reduce<PositionMap>((folded, size, axis) => {
    const stride = strides[axis] as number;
    const isSame = (values: Int32Array | Float64Array) =>
      values.every((value, position) => {
        const at = Math.floor(position / stride) % size;
        return value === values[position - at * stride];
      });
    if (size === 1 || !isSame(map.index) || (map.scale !== null && !isSame(map.scale))) return folded;
    return gatherFirst(folded, axis);
  }, map);
}

function gatherFirst(map: PositionMap, axis: number): PositionMap {
  const dims = map.dims.map((size, other) => (other === axis ? 1 : size));
  return pickByAxis(
    map,
    dims,
    (other) => other,
    (_, i) => i,
  );
}

/** Splits two shapes of equal size into the shortest runs of axes that hold the same number of elements. */
function alignAxes(from: readonly number[], to: readonly number[]): { from: number[]; to: number[] }[] {
  const groups: { from: number[]; to: number[] }[] = [];
  let f = 0;
  let t = 0;
  while (f < from.length || t < to.length) {
    const group = { from: [] as number[], to: [] as number[] };
    let fromSize = 1;
    let toSize = 1;
    do {
      if (t >= to.length || (f < from.length && fromSize <= toSize)) {
        fromSize *= from[f] as number;
        group.from.push(f++);
      } else {
        toSize *= to[t] as number;
        group.to.push(t++);
      }
    } while (fromSize !== toSize && (f < from.length || t < to.length));
    groups.push(group);
  }
  return groups;
}

/** The map with its factors multiplied by `factor(position)`, null where that is 1 everywhere. */
export function scaleMap(map: PositionMap, factor: (position: number) => number): PositionMap {
  const scale = Float64Array.from(
    map.index,
    (_, position) => (map.scale?.[position] ?? 1) * factor(position),
  );
  return { ...map, scale: scale.every((value) => value === 1) ? null : scale };
}

/** The only axis along which the map varies, -1 for a map of one position, null when there are several. */
export function soleAxis(map: PositionMap): number | null {
  const axes = map.dims.flatMap((size, axis) => (size > 1 ? [axis] : []));
  if (axes.length > 1) return null;
  return axes[0] ?? -1;
}
