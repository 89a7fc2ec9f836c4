import type { KernelBench } from "../kernel-bench.ts";
import { CORRELATION } from "./correlation.ts";
import { GRAM } from "./gram.ts";
import { KMEANS_ASSIGNMENT, KMEANS_UPDATE } from "./kmeans.ts";
import { CLUSTER_WEIGHTS, DEGREES } from "./node-weights.ts";
import { BLOCK_PRODUCTS } from "./operator.ts";
import { COMBINE, ORTHONORMALISE } from "./panels.ts";
import { RANKS } from "./ranks.ts";
import { CORRELATION_GRAPH, DISTANCES, KMEANS, SPECTRAL_EMBEDDING, SPECTRAL_PARTITION } from "./stages.ts";
import { STANDARDISED_ROWS } from "./standardise.ts";
import { TOP_K } from "./top-k.ts";
import { WEIGHT_NORMS } from "./weight-norms.ts";

/** All kernels and stages, in the order of the pipeline. */
export const KERNEL_BENCHES: readonly KernelBench[] = [
  WEIGHT_NORMS,
  RANKS,
  STANDARDISED_ROWS,
  CORRELATION,
  TOP_K,
  DEGREES,
  CLUSTER_WEIGHTS,
  BLOCK_PRODUCTS,
  GRAM,
  COMBINE,
  ORTHONORMALISE,
  KMEANS_ASSIGNMENT,
  KMEANS_UPDATE,
  CORRELATION_GRAPH,
  DISTANCES,
  SPECTRAL_EMBEDDING,
  KMEANS,
  SPECTRAL_PARTITION,
];
