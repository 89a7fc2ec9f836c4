/** `partition.json`, schema "brodmann/partition/1" (contract.md "Files"). */
import { BrodmannError } from "../errors.ts";
import type { GraphLayer, UnitGraph } from "../graph/unit-graph.ts";
import type { LayerLabels, Partition } from "./partition.ts";
import { parseQuality } from "./quality-file.ts";

/** Version of the files that are written and read. */
export const PARTITION_SCHEMA = "brodmann/partition/1";

/** A partition from a file, and the label that each cluster id had there. */
export interface PartitionFile {
  readonly partition: Partition;
  /** By cluster id; equal to the ids where the file's labels were 0 ... clusters - 1. */
  readonly fileLabels: readonly number[];
  /** What the file says of its graph (kind, scope, ...), for `formatPartition`. */
  readonly graphFacts?: Readonly<Record<string, unknown>>;
}

/**
 * A partition as JSON, one line per layer; equal partitions give equal bytes. `graphFacts` (kind, scope, ...) are
 * added under `graph`.
 */
export function formatPartition(
  partition: Partition,
  graphFacts?: Readonly<Record<string, unknown>> | undefined,
): string {
  const layers = partition.layers.map(
    ({ name, labels }) => `    {"name":${JSON.stringify(name)},"labels":[${labels.join(",")}]}`,
  );
  const lines = [
    `  "schema": ${JSON.stringify(PARTITION_SCHEMA)}`,
    `  "layers": [\n${layers.join(",\n")}\n  ]`,
    `  "clusters": ${partition.clusters}`,
    `  "method": ${JSON.stringify(partition.method)}`,
    `  "quality": ${JSON.stringify(partition.quality, shortNumbers)}`,
    ...(graphFacts ? [`  "graph": ${JSON.stringify(graphFacts)}`] : []),
  ];
  return `{\n${lines.join(",\n")}\n}\n`;
}

/** Co-assignments are shares of a few runs: four digits say what they are, and a file of them stays readable. */
function shortNumbers(key: string, value: unknown): unknown {
  return key === "coAssignment" ? (value as number[]).map((share) => Math.round(share * 1e4) / 1e4) : value;
}

/**
 * Reads `partition.json`, also one made elsewhere: only `schema` and `layers` are required, labels may be any
 * integers, and -1 means none. Labels are renumbered to dense cluster ids in ascending order.
 * Throws `E_PARTITION_FORMAT`; `where` names the file.
 *
 * @example
 * const { partition } = parsePartition(await readFile("p.json", "utf8"), "p.json");
 */
export function parsePartition(text: string, where: string): PartitionFile {
  let file: unknown;
  try {
    // A byte-order mark is not JSON, but some editors write one.
    file = JSON.parse(text.replace(/^\ufeff/, ""));
  } catch (error) {
    return fail(where, "text that is not JSON", `a JSON object of schema ${PARTITION_SCHEMA}`, error);
  }
  if (!isRecord(file)) return fail(where, "no JSON object", `one of schema ${PARTITION_SCHEMA}`);
  if (file.schema !== PARTITION_SCHEMA) {
    return fail(where, `schema ${JSON.stringify(file.schema) ?? "(none)"}`, JSON.stringify(PARTITION_SCHEMA));
  }
  if (!Array.isArray(file.layers)) return fail(where, "no list of layers", '"layers":[{"name","labels"}]');
  const layers = file.layers.map((layer, at) => parseLayer(layer, `${where}: layers[${at}]`));
  const names = new Set<string>();
  for (const { name } of layers) {
    if (names.has(name)) fail(where, `layer ${name} twice`, "every layer once");
    names.add(name);
  }
  const fileLabels = [...new Set(layers.flatMap(({ labels }) => labels))]
    .filter((label) => label !== -1)
    .sort((a, b) => a - b);
  const ids = new Map(fileLabels.map((label, id) => [label, id]));
  return {
    partition: {
      layers: layers.map(({ name, labels }) => ({
        name,
        labels: Int32Array.from(labels, (label) => ids.get(label) ?? -1),
      })),
      clusters: fileLabels.length,
      method: isRecord(file.method) ? file.method : { name: "external" },
      quality: parseQuality(file.quality),
    },
    fileLabels,
    ...(isRecord(file.graph) ? { graphFacts: file.graph } : {}),
  };
}

/**
 * The partition for the given layers, in their order; layers that it does not name get -1 throughout.
 * Throws `E_PARTITION_FIT` when it names a layer that is not there, or has another number of labels than the layer
 * has units.
 */
export function fitPartition(partition: Partition, layers: readonly GraphLayer[]): Partition {
  const byName = new Map(partition.layers.map((layer) => [layer.name, layer]));
  for (const { name, labels } of partition.layers) {
    const layer = layers.find((candidate) => candidate.name === name);
    if (layer?.units === labels.length) continue;
    throw new BrodmannError(
      "E_PARTITION_FIT",
      layer
        ? `partition: found ${labels.length} labels for layer ${name}, expected ${layer.units}, one per unit`
        : `partition: found layer ${name}, expected layers named ${layers.map((known) => known.name).join(", ")}`,
      { hint: "Make the partition from a graph of this network; `brodmann inspect MODEL` lists its layers." },
    );
  }
  return {
    ...partition,
    layers: layers.map(
      ({ name, units }): LayerLabels => byName.get(name) ?? { name, labels: new Int32Array(units).fill(-1) },
    ),
  };
}

/**
 * Cluster id of every node of a graph; -1 where the partition has none. In a local graph a node carries its unit's
 * id only in the part that labels its layer. Throws `E_PARTITION_FIT` as `fitPartition` does.
 */
export function clustersOfNodes(partition: Partition, graph: UnitGraph): Int32Array {
  const { layers } = fitPartition(partition, graph.layers);
  const clusters = new Int32Array(graph.layer.length).fill(-1);
  for (const { nodeStart, nodeCount, keeps } of graph.parts) {
    for (let node = nodeStart; node < nodeStart + nodeCount; node++) {
      const layer = graph.layer[node] as number;
      if (!keeps.includes(layer)) continue;
      clusters[node] = layers[layer]?.labels[graph.unit[node] as number] ?? -1;
    }
  }
  return clusters;
}

function parseLayer(layer: unknown, where: string): { name: string; labels: number[] } {
  if (!isRecord(layer) || typeof layer.name !== "string" || !Array.isArray(layer.labels)) {
    return fail(
      where,
      JSON.stringify(layer)?.slice(0, 80) ?? "nothing",
      'an object with "name" and "labels"',
    );
  }
  const labels: unknown[] = layer.labels;
  const bad = labels.findIndex((label) => !Number.isSafeInteger(label));
  if (bad >= 0) fail(where, `label ${JSON.stringify(labels[bad])} at unit ${bad}`, "integers, -1 for none");
  return { name: layer.name, labels: labels as number[] };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fail(where: string, found: string, expected: string, cause?: unknown): never {
  throw new BrodmannError("E_PARTITION_FORMAT", `${where}: found ${found}, expected ${expected}`, {
    hint: "Write the partition with `brodmann partition`, or as the README shows.",
    cause,
  });
}
