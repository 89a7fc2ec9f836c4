/**
 * Populations: units of a layer that act alike (co-response), or whose lesions hurt alike (co-impact); by the usual partitioners
 * on graphs of similarity (populations note, FP-3 and FP-4).
 */
import { BrodmannError } from "../errors.ts";
import type { UnitGraph } from "../graph/unit-graph.ts";
import type { Partition } from "../partition/partition.ts";
import type { Partitioner, PartitionSettings } from "../partition/partition-graph.ts";
import type { RunOptions } from "../progress.ts";
import type { UnitLesions } from "./unit-lesions.ts";
import { ward } from "./ward.ts";

/**
 * Leiden unless something else is asked for: like Louvain it needs no number of populations, which nothing tells beforehand,
 * and unlike it no population of its falls into parts that are joined by nothing.
 */
export const DEFAULT_METHOD: PartitionSettings["method"] = "leiden";

/** Units for each population, at the least, where nothing else tells how many a layer has. */
const UNITS_PER_POPULATION = 4;
const MOST_POPULATIONS = 16;

/** The populations of every layer of a graph; layers whose units have nothing in common get none (-1). */
export async function partitionLayers(
  partitioner: Partitioner,
  graph: UnitGraph,
  settings: PartitionSettings,
  options: RunOptions = {},
): Promise<Partition> {
  const linked = graph.parts.map(({ nodeStart, nodeCount }) => countLinked(graph, nodeStart, nodeCount));
  if (linked.every((count) => count === 0)) {
    return {
      layers: graph.layers.map(({ name, units }) => ({ name, labels: new Int32Array(units).fill(-1) })),
      clusters: 0,
      method: { name: settings.method, seed: settings.seed ?? 0 },
      quality: null,
    };
  }
  return partitioner.partition(graph, { ...settings, ...numbersOf(graph, linked, settings) }, options);
}

/** Numbers of populations by layer for the partitioners that need them, never more than a layer has units with edges. */
function numbersOf(
  { layers }: UnitGraph,
  linked: readonly number[],
  { method, k }: PartitionSettings,
): Pick<PartitionSettings, "kPerLayer"> {
  if (typeof k === "string" || method === "leiden" || method === "louvain") return {};
  const numberOf = (units: number) =>
    k ?? Math.max(2, Math.min(MOST_POPULATIONS, Math.floor(units / UNITS_PER_POPULATION)));
  const entries = layers.map(({ name }, number) => {
    const units = linked[number] as number;
    return [name, Math.min(units, numberOf(units))] as const;
  });
  return { kPerLayer: new Map(entries) };
}

/** Numbers of clusters for another graph's layers: as many as there are populations, where the partitioner needs a number. */
export function numbersLike(
  populations: Partition,
  { layers }: UnitGraph,
  { method, k }: PartitionSettings,
): Pick<PartitionSettings, "kPerLayer"> {
  if (typeof k === "string" || method === "leiden" || method === "louvain") return {};
  const known = new Map(
    populations.layers.map(({ name, labels }) => [name, new Set(labels.filter((label) => label >= 0)).size]),
  );
  return { kPerLayer: new Map(layers.map(({ name }) => [name, known.get(name) ?? 2])) };
}

/** Nodes of a part that have an edge. */
function countLinked({ matrix }: UnitGraph, start: number, count: number): number {
  const block = matrix.blocks.find((candidate) => candidate.shape === "within" && candidate.start === start);
  if (count === 0 || block?.shape !== "within") return 0;
  let linked = 0;
  for (let node = 0; node < count; node++) {
    if (block.values.subarray(node * count, (node + 1) * count).some((weight) => weight > 0)) linked++;
  }
  return linked;
}

/** What impacts are compared by: falls of the class accuracies, or rises of the class losses. */
export const IMPACTS = ["loss", "accuracy"] as const;
export type Impact = (typeof IMPACTS)[number];

/** J of every unit, units x classes. */
export function impactProfiles(lesions: UnitLesions, impact: Impact): Float64Array {
  return impact === "loss" ? lesions.lossProfile : lesions.accuracyProfile;
}

/** Groups by Ward's method of the units that have an impact, as many as another partition has in the layer; -1 for others. */
export function wardGroups(profiles: Float64Array, units: number, groups: number): Int32Array {
  const width = profiles.length / units;
  const rowOf = (unit: number) => profiles.subarray(unit * width, (unit + 1) * width);
  const some = Array.from({ length: units }, (_, unit) => unit).filter((unit) =>
    rowOf(unit).some((value) => value !== 0),
  );
  const labels = new Int32Array(units).fill(-1);
  if (some.length === 0 || groups === 0) return labels;
  if (some.length > MOST_WARD) return labels;
  const values = new Float64Array(some.length * width);
  some.forEach((unit, row) => {
    values.set(rowOf(unit), row * width);
  });
  ward(values, some.length, groups).forEach((label, row) => {
    labels[some[row] as number] = label;
  });
  return labels;
}

/** Units that Ward's method takes: it holds the square of their number. */
const MOST_WARD = 8192;

/** Members of each cluster of labels, the clusters by their label. */
export function membersOf(labels: Int32Array): Map<number, number[]> {
  const members = new Map<number, number[]>();
  labels.forEach((label, unit) => {
    if (label < 0) return;
    const units = members.get(label);
    if (units) units.push(unit);
    else members.set(label, [unit]);
  });
  return new Map([...members].sort(([a], [b]) => a - b));
}

/** Throws `E_USAGE_K` where a rule for the number of clusters is asked of a method that has none. */
export function checkMethod({ method, k }: Pick<PartitionSettings, "method" | "k">): void {
  if (k === undefined || method === "spectral" || (method === "random" && typeof k === "number")) return;
  throw new BrodmannError("E_USAGE_K", `--k: found the method ${method}, expected spectral or random`, {
    hint: "Add --method spectral, or set --resolution of louvain and leiden.",
  });
}
