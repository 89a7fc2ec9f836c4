/**
 * The sub-network of one cluster: what is left of a network when all other units of the partitioned layers are taken out
 * of the file and their means put in their place.
 */
import { BrodmannError } from "../errors.ts";
import { batchesOf } from "../network/batching.ts";
import { openLesionedLogits } from "../network/joint-lesions.ts";
import {
  countParameters,
  encodeNarrowed,
  type LayerForm,
  narrowNetwork,
} from "../network/narrow/narrow-network.ts";
import { loadNetworkBytes, type Network } from "../network/network.ts";
import { classCount, countClasses, type LabelledInputs } from "../network/outcomes.ts";
import { meanOutputs } from "../network/replacement.ts";
import { withTask } from "../network/task.ts";
import type { Partition } from "../partition/partition.ts";
import { fitPartition } from "../partition/partition-file.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import { othersOf } from "../scores/keep-only.ts";
import { partitionLayers } from "../scores/study.ts";
import { type ClusterUnits, type KeptPerformance, measureKept } from "./kept-performance.ts";

export interface ExtractOptions extends RunOptions {
  /** Random groups of the same sizes that the cluster is compared with; default 19. */
  readonly shuffles?: number | undefined;
  /** Seed of the random groups; default 0. */
  readonly seed?: number | undefined;
  /** File that the network came from, and its SHA-256, for the new file's metadata; default: the network's name. */
  readonly source?: { readonly name: string; readonly sha256: string } | undefined;
  /** What the cluster is called in the metadata; default: its number. */
  readonly label?: number | undefined;
  /** The program's version, for the new file. */
  readonly version?: string | undefined;
}

/** What became of a layer that the partition names. */
export interface ExtractedLayer {
  readonly layer: string;
  /** Units that were kept, ascending, of all. */
  readonly units: Int32Array;
  readonly layerUnits: number;
  readonly form: LayerForm;
  /** Nodes in front of which the layer's whole width is restored, constants in the gaps. */
  readonly restoredAt: readonly string[];
}

export interface Extraction {
  /** The sub-network as an ONNX file. */
  readonly bytes: Uint8Array;
  readonly layers: readonly ExtractedLayer[];
  /** Numbers in the weights and other constants of both networks. */
  readonly parameters: { readonly before: number; readonly after: number };
  readonly logits: {
    /** Largest difference from the network with all other units lesioned to their means, over all inputs. */
    readonly largestDifference: number;
    /** Largest logit of that network. */
    readonly largest: number;
  };
  readonly performance: KeptPerformance;
}

/**
 * Extracts a cluster: an ONNX file with the cluster's units of every layer that the partition names (the last layer and
 * layers that it does not name stay whole), whose logits are those of the network with all other units lesioned to their
 * means over `data`. `cluster` is the partition's number of it.
 *
 * Throws `E_PARTITION_CLUSTER` for clusters that the partition does not have, or without units in layers that can lose
 * any; `E_PARTITION_FIT` for a partition of another network; `E_INPUT_LABELS` for labels that do not fit; and
 * `E_NETWORK_UNSUPPORTED` where a layer's output has no axis for the inputs.
 *
 * @example
 * const { bytes, layers, performance } = await extractCluster(network, digits, partition, 3);
 * await writeFile("sub.onnx", bytes);
 * console.log(layers.map(({ layer, units }) => `${layer}: ${units.length}`), performance.accuracy?.kept);
 */
export async function extractCluster(
  network: Network,
  data: LabelledInputs,
  partition: Partition,
  cluster: number,
  options: ExtractOptions = {},
): Promise<Extraction> {
  const { shuffles = 19, seed = 0, source, label = cluster, version = "" } = options;
  const groups = clusterUnits(network, partition, cluster, label);
  // Labels that do not fit are told before the long work.
  countClasses(data.labels, classCount(withTask(network, data)));
  const layers = groups.map(({ layer }) => layer);
  const values = await meanOutputs(network, layers, data, options);
  const means = new Map(layers.map(({ name }, i) => [name, values[i] as Float32Array]));
  const narrowed = await narrowNetwork(network, groups, means);
  const bytes = encodeNarrowed(network, narrowed, {
    producer: { name: "brodmann", version },
    metadata: new Map([
      ["brodmann.source", source?.name ?? network.name],
      ["brodmann.cluster", String(label)],
      ...(source === undefined ? [] : ([["brodmann.source.sha256", source.sha256]] as const)),
    ]),
  });
  const logits = await compareLogits(network, groups, means, bytes, data, options);
  const performance = await measureKept(network, groups, means, data, { ...options, shuffles, seed });
  return {
    bytes,
    layers: groups.map(({ layer, units }, i) => ({
      layer: layer.name,
      units,
      layerUnits: layer.units,
      form: narrowed.layers[i]?.form ?? "whole",
      restoredAt: narrowed.layers[i]?.restoredAt ?? [],
    })),
    parameters: { before: countParameters(network.graph), after: countParameters(narrowed.graph) },
    logits,
    performance,
  };
}

/** The cluster's units in all layers that the partition names and that can lose units. */
function clusterUnits(
  network: Network,
  partition: Partition,
  cluster: number,
  label: number,
): ClusterUnits[] {
  fitPartition(partition, partitionLayers(network));
  const labelsOf = new Map(partition.layers.map(({ name, labels }) => [name, labels]));
  const unitsWhere = (labels: Int32Array, isMeant: (one: number) => boolean) =>
    Int32Array.from(labels.keys()).filter((unit) => isMeant(labels[unit] as number));
  const groups = network.layers.flatMap((layer) => {
    const labels = labelsOf.get(layer.name);
    if (labels === undefined || layer.isLogits) return [];
    const units = unitsWhere(labels, (one) => one === cluster);
    return [{ layer, units, eligible: unitsWhere(labels, (one) => one >= 0) }];
  });
  if (groups.some(({ units }) => units.length > 0)) return groups;
  const known = [...new Set(partition.layers.flatMap(({ labels }) => [...labels]))]
    .filter((other) => other >= 0)
    .sort((a, b) => a - b);
  const isKnown = known.includes(cluster);
  throw new BrodmannError(
    "E_PARTITION_CLUSTER",
    isKnown
      ? `partition: found no units of cluster ${label} but inputs and logits, expected units of a layer between them`
      : `partition: found no cluster ${label}, expected one of ${known.join(", ") || "some, but it has none"}`,
    { hint: "Name a cluster that has units in a layer between the inputs and the logits." },
  );
}

/** The file's logits beside those of the whole network with all other units lesioned. */
async function compareLogits(
  network: Network,
  groups: readonly ClusterUnits[],
  means: ReadonlyMap<string, Float32Array>,
  bytes: Uint8Array,
  data: LabelledInputs,
  options: RunOptions,
): Promise<Extraction["logits"]> {
  const lesion = groups.map(({ layer, units }) => ({ layer, units: othersOf(units, layer.units) }));
  const { inputShape } = network;
  const extracted = await loadNetworkBytes(bytes, `${network.name}, extracted`, { inputShape });
  const whole = await openLesionedLogits(network, lesion, means);
  const own = await openLesionedLogits(extracted, [], means);
  const counter = new StepCounter("logits", data.count, options);
  let [largest, largestDifference] = [0, 0];
  try {
    for (const { start, rows } of batchesOf(data.count, Math.min(whole.rowsAtOnce, own.rowsAtOnce))) {
      const expected = await whole.run(data, start, rows);
      const found = await own.run(data, start, rows);
      expected.forEach((value, i) => {
        largest = Math.max(largest, Math.abs(value));
        // Not a number where either is none: no agreement.
        largestDifference = Math.max(largestDifference, Math.abs((found[i] as number) - value));
      });
      counter.advance(rows);
    }
  } finally {
    await own.dispose();
    await whole.dispose();
  }
  return { largest, largestDifference };
}
