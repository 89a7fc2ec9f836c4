/**
 * Sums of a matrix's weights by node, of which degrees, cluster weights and volumes are made. The sums over rows are
 * float32 on the device, those over nodes float64 here.
 */
import type { DeviceMatrix } from "./device-matrix.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { dispatch, type ShaderKernel, type Step } from "./shader-kernel.ts";
import { readFloats } from "./transfer.ts";

type DenseParam = "rows" | "columns" | "row_start" | "column_start";
const DENSE = {
  params: { rows: "u32", columns: "u32", row_start: "u32", column_start: "u32" },
  bindings: { values: "read", labels: "read", sums: "read_write" },
} as const;

export const NODE_WEIGHTS_ROWS: ShaderKernel<DenseParam, "values" | "labels" | "sums"> = {
  name: "node-weights-rows",
  ...DENSE,
};
export const NODE_WEIGHTS_COLUMNS: ShaderKernel<DenseParam, "values" | "labels" | "sums"> = {
  name: "node-weights-columns",
  ...DENSE,
};
export const NODE_WEIGHTS_SPARSE: ShaderKernel<
  "rows" | "row_start" | "column_start",
  "row_ends" | "columns" | "weights" | "labels" | "sums"
> = {
  name: "node-weights-sparse",
  params: { rows: "u32", row_start: "u32", column_start: "u32" },
  bindings: { row_ends: "read", columns: "read", weights: "read", labels: "read", sums: "read_write" },
};

/** Constants of kernels that go down columns: columns of a workgroup, and lanes, several of which share a column. */
export function columnConstants(device: GpuDevice): { COLUMNS: number; WORKGROUP_SIZE: number } {
  const lanes = device.cooperatingLanes;
  if (lanes <= 32) return { COLUMNS: lanes, WORKGROUP_SIZE: lanes };
  // Of 4096 columns come no more than 128 workgroups, so they are large ones.
  return { COLUMNS: 32, WORKGROUP_SIZE: Math.min(256, device.limits.workgroupInvocations) };
}

const ROWS_PER_GROUP = 64;

/**
 * For each node the weight (times the matrix's factor) to nodes of its own label and that to all labelled nodes, as size pairs; rows of nodes
 * without a label (-1) mean nothing.
 */
export async function nodeWeights(
  device: GpuDevice,
  matrix: DeviceMatrix,
  nodeLabels: Int32Array,
): Promise<Float32Array> {
  const { size } = matrix;
  if (size === 0) return new Float32Array(0);
  using labels = device.upload("node-weights/labels", nodeLabels);
  using sums = device.buffer("node-weights/sums", 8 * size);
  const steps: Step[] = [{ kind: "clear", target: sums }];
  for (const piece of matrix.pieces) {
    const place = { rows: piece.rows, row_start: piece.rowStart, column_start: piece.columnStart };
    if (piece.shape === "sparse") {
      const { rowEnds, columns, weights } = piece;
      steps.push(
        dispatch(NODE_WEIGHTS_SPARSE, {
          groups: Math.ceil(piece.rows / ROWS_PER_GROUP),
          params: place,
          buffers: { row_ends: rowEnds, columns, weights, labels, sums },
        }),
      );
      continue;
    }
    const call = {
      params: { ...place, columns: piece.columns },
      buffers: { values: piece.values, labels, sums },
    };
    steps.push(
      dispatch(NODE_WEIGHTS_ROWS, {
        groups: piece.rows,
        constants: { WORKGROUP_SIZE: device.cooperatingLanes },
        ...call,
      }),
    );
    if (!piece.isMirrored) continue;
    const constants = columnConstants(device);
    const groups = Math.ceil(piece.columns / constants.COLUMNS);
    steps.push(dispatch(NODE_WEIGHTS_COLUMNS, { groups, constants, ...call }));
  }
  await device.submit("node-weights", steps);
  return readFloats(device, sums);
}

/** Row sums. */
export async function degrees(device: GpuDevice, matrix: DeviceMatrix): Promise<Float64Array> {
  const sums = await nodeWeights(device, matrix, new Int32Array(matrix.size));
  return Float64Array.from(
    { length: matrix.size },
    (_, node) => (sums[2 * node + 1] as number) / matrix.factor,
  );
}

/** See `Compute.clusterWeights`. */
export async function clusterWeights(
  device: GpuDevice,
  matrix: DeviceMatrix,
  labels: Int32Array,
  clusters: number,
): Promise<{ inside: Float64Array; volume: Float64Array }> {
  const sums = await nodeWeights(device, matrix, labels);
  const inside = new Float64Array(clusters);
  const volume = new Float64Array(clusters);
  for (let node = 0; node < matrix.size; node++) {
    const label = labels[node] as number;
    if (label < 0) continue;
    inside[label] = (inside[label] as number) + (sums[2 * node] as number) / matrix.factor;
    volume[label] = (volume[label] as number) + (sums[2 * node + 1] as number) / matrix.factor;
  }
  return { inside, volume };
}
