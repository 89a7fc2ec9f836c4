/** The kernels of k-means and their layouts. */
import type { ShaderKernel } from "./shader-kernel.ts";

export const KMEANS_PICK: ShaderKernel<
  "count" | "dimensions" | "clusters" | "restarts" | "cluster" | "points_per_run",
  "points" | "nearest" | "draws" | "chosen" | "centres"
> = {
  name: "kmeans-pick",
  params: {
    count: "u32",
    dimensions: "u32",
    clusters: "u32",
    restarts: "u32",
    cluster: "u32",
    points_per_run: "u32",
  },
  bindings: { points: "read", nearest: "read", draws: "read", chosen: "read_write", centres: "read_write" },
};

export const KMEANS_NEAREST: ShaderKernel<
  "count" | "quadruples" | "restarts" | "points_per_run" | "is_first",
  "points" | "chosen" | "nearest" | "sums"
> = {
  name: "kmeans-nearest",
  params: { count: "u32", quadruples: "u32", restarts: "u32", points_per_run: "u32", is_first: "u32" },
  bindings: { points: "read", chosen: "read", nearest: "read_write", sums: "read_write" },
};

export const KMEANS_ASSIGN: ShaderKernel<
  "count" | "quadruples" | "clusters" | "slots" | "is_first",
  "points" | "centres" | "moving" | "labels" | "moves"
> = {
  name: "kmeans-assign",
  params: { count: "u32", quadruples: "u32", clusters: "u32", slots: "u32", is_first: "u32" },
  bindings: { points: "read", centres: "read", moving: "read", labels: "read_write", moves: "read_write" },
};

export const KMEANS_ACCUMULATE: ShaderKernel<
  "count" | "dimensions" | "clusters" | "slots" | "points_per_run",
  "points" | "moving" | "labels" | "moves" | "partials"
> = {
  name: "kmeans-accumulate",
  params: { count: "u32", dimensions: "u32", clusters: "u32", slots: "u32", points_per_run: "u32" },
  bindings: { points: "read", moving: "read", labels: "read", moves: "read", partials: "read_write" },
};

export const KMEANS_TOTAL: ShaderKernel<"columns" | "slots" | "runs", "partials" | "totals"> = {
  name: "kmeans-total",
  params: { columns: "u32", slots: "u32", runs: "u32" },
  bindings: { partials: "read", totals: "read_write" },
};

export const KMEANS_MOVE: ShaderKernel<
  "dimensions" | "clusters" | "slots",
  "totals" | "moving" | "centres" | "moved" | "facts"
> = {
  name: "kmeans-move",
  params: { dimensions: "u32", clusters: "u32", slots: "u32" },
  bindings: { totals: "read", moving: "read", centres: "read", moved: "read_write", facts: "read_write" },
};
