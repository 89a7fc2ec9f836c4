/** What populations are found by, and what was found: settings with their defaults, checked once. */
import type { CorrelationMethod } from "../compute/compute.ts";
import { BrodmannError } from "../errors.ts";
import { type Layer, layerNamed, type Network } from "../network/network.ts";
import type { LabelledInputs, Outcome } from "../network/outcomes.ts";
import type { LesionKind } from "../network/replacement.ts";
import type { Partition } from "../partition/partition.ts";
import type { PartitionSettings } from "../partition/partition-graph.ts";
import type { RunOptions } from "../progress.ts";
import { type InputClasses, inputClasses } from "../scores/input-classes.ts";
import { checkMethod, DEFAULT_METHOD, type Impact } from "./find-populations.ts";
import type { PopulationLesion } from "./group-lesions.ts";
import type { PairLesion, UnitPair } from "./pair-lesions.ts";
import type { NamedAgreement, Relation, UnitFacts } from "./relations.ts";
import type { Edges } from "./unit-similarity.ts";

/** What co-response compares: the units over all inputs, or their class means. */
export const RESPONSES = ["correlation", "profile"] as const;

/** How populations are found; all of it has defaults. */
export interface PopulationSettings {
  /** What units are compared by; default `correlation`. */
  readonly response?: (typeof RESPONSES)[number] | undefined;
  /** Default `pearson`. */
  readonly correlation?: CorrelationMethod | undefined;
  /** What similarities become as edges of the graph of responses; default `absolute`. */
  readonly edges?: Edges | undefined;
  /** Default `loss`: the accuracy of a wide layer's classes seldom depends on a single unit. */
  readonly impact?: Impact | undefined;
  /** Partitioner; default leiden. */
  readonly partition?: Omit<PartitionSettings, "seed" | "kPerLayer"> | undefined;
  readonly seed?: number | undefined;
}

export interface PopulationOptions extends PopulationSettings, RunOptions {
  /** Names of the layers; default all but the logits. */
  readonly layers?: readonly string[] | undefined;
  /** What a unit with several positions counts by; default its mean. */
  readonly aggregate?: "mean" | "max" | undefined;
  /** Kinds of lesion; populations of impact, and lesions of populations and pairs, go by the first. Default zero and mean. */
  readonly lesions?: readonly LesionKind[] | undefined;
  /** A partition to compare with; default one of the graph of weights, made in the same way. */
  readonly other?: Partition | undefined;
  /** Random sets of each population; default 199, the least but for 0, which leaves them out. */
  readonly shuffles?: number | undefined;
  /** Inputs that random sets are lesioned on at the most; default 1000. */
  readonly nullInputs?: number | undefined;
  /** Pairs to lesion; default those of each layer that interact most among some that are likely to. */
  readonly pairs?: readonly { readonly layer: string; readonly units: UnitPair }[] | undefined;
}

export const DEFAULT_LESIONS: readonly LesionKind[] = ["zero", "mean"];
export const DEFAULT_NULL_SETS = 199;
export const DEFAULT_NULL_INPUTS = 1000;

/** Names of the partitions that are compared. */
export type PopulationKind = "co-response" | "co-impact";

/** What lesions tell; there is none of it without a network. */
export interface ImpactFindings {
  readonly kinds: readonly LesionKind[];
  readonly baseline: Outcome;
  /** Units by their impact, and by Ward's method on the same impacts. */
  readonly coImpact: Partition;
  readonly ward: Partition;
  /** What is compared with: a partition that was given, or one of the graph of weights; null where there is none. */
  readonly other: { readonly name: string; readonly partition: Partition } | null;
  readonly relations: readonly Relation[];
  readonly agreements: readonly NamedAgreement[];
  /** Populations lesioned as wholes, of both kinds. */
  readonly groups: readonly (PopulationLesion & { readonly kind: PopulationKind })[];
  readonly shuffles: number;
  readonly nullInputs: number;
  readonly pairs: readonly PairLesion[];
}

/** How populations were found. */
export interface FoundBy {
  readonly response: (typeof RESPONSES)[number];
  readonly correlation: CorrelationMethod;
  readonly edges: Edges;
  readonly impact: Impact;
  readonly aggregate: "mean" | "max";
  readonly seed: number;
}

export interface Populations {
  readonly settings: FoundBy;
  readonly inputs: number;
  /** Inputs of each class. */
  readonly classCounts: Int32Array;
  /** Units by layer. */
  readonly layers: readonly UnitFacts[];
  readonly coResponse: Partition;
  readonly impact: ImpactFindings | null;
}

/** All settings, with their defaults. */
export interface Settled extends FoundBy {
  readonly kinds: readonly LesionKind[];
  readonly shuffles: number;
  readonly partition: PartitionSettings;
}

export function settledOptions(options: PopulationOptions): Settled {
  const { response = "correlation", correlation = "pearson", edges = "absolute", seed = 0 } = options;
  const { impact = "loss", aggregate = "mean", shuffles = DEFAULT_NULL_SETS } = options;
  const partition = { ...options.partition, method: options.partition?.method ?? DEFAULT_METHOD, seed };
  checkMethod(partition);
  checkNullSets(shuffles);
  const kinds = [...new Set(options.lesions ?? DEFAULT_LESIONS)];
  return { response, correlation, edges, impact, seed, aggregate, kinds, shuffles, partition };
}

export function publicSettings({ response, correlation, edges, impact, seed, aggregate }: Settled): FoundBy {
  return { response, correlation, edges, impact, seed, aggregate };
}

/** Throws `E_USAGE_SHUFFLES` for fewer random sets than a p-value needs. */
export function checkNullSets(shuffles: number): void {
  if (shuffles === 0 || (Number.isSafeInteger(shuffles) && shuffles >= DEFAULT_NULL_SETS)) return;
  throw new BrodmannError(
    "E_USAGE_SHUFFLES",
    `--shuffles: found ${shuffles}, expected a whole number from ${DEFAULT_NULL_SETS}, or 0`,
    { hint: "0 leaves random sets out." },
  );
}

export function requireClasses(network: Network, data: LabelledInputs): InputClasses {
  const classes = inputClasses(network, data);
  if (classes !== null) return classes;
  throw new BrodmannError(
    "E_NETWORK_TASK",
    `${network.name}: found outputs that put no input into a class, expected a classifier with one class for each input`,
    { hint: "Populations go by what units answer to classes; for other networks use brodmann score." },
  );
}

/** Classes of labels that no network knows. */
export function countLabels(labels: Int32Array, inputs: number): InputClasses {
  const hint = "Give one class number for every sample, of several classes.";
  if (labels.length !== inputs) {
    throw new BrodmannError(
      "E_INPUT_LABELS",
      `labels: found ${labels.length}, expected ${inputs}, one for each sample`,
      { hint },
    );
  }
  const counts = new Int32Array(labels.reduce((most, label) => Math.max(most, label), -1) + 1);
  for (const label of labels) counts[label] = (counts[label] as number) + 1;
  if (counts.filter((count) => count > 0).length < 2) {
    throw new BrodmannError("E_INPUT_LABELS", "labels: found samples of one class, expected several", {
      hint,
    });
  }
  return { labels, counts };
}

export function chosenLayers(network: Network, names: readonly string[] | undefined): Layer[] {
  const layers = names ? [...new Set(names)].map((name) => layerNamed(network, name)) : network.layers;
  const hidden = layers.filter(({ isLogits }) => !isLogits);
  if (hidden.length > 0 && (names === undefined || hidden.length === layers.length)) {
    return network.layers.filter((layer) => hidden.includes(layer));
  }
  throw new BrodmannError(
    "E_NETWORK_LAYER",
    `${network.name}: found ${names === undefined ? "no hidden layer" : "the layer of the logits"}, expected hidden layers`,
    { hint: "The logits are never lesioned; `brodmann inspect` lists the layers." },
  );
}

/** Pairs by layer; null where none are asked for. Throws `E_USAGE_PAIRS` for a layer that is not studied. */
export function requestedPairs(
  network: Network,
  layers: readonly Layer[],
  pairs: PopulationOptions["pairs"],
): ReadonlyMap<string, readonly UnitPair[]> | null {
  if (pairs === undefined) return null;
  const byLayer = new Map<string, UnitPair[]>(layers.map(({ name }) => [name, []]));
  for (const { layer, units } of pairs) {
    const own = byLayer.get(layer);
    const isFit =
      own !== undefined && units[0] !== units[1] && units.every((unit) => isUnit(network, layer, unit));
    if (!isFit) {
      throw new BrodmannError(
        "E_USAGE_PAIRS",
        `--pairs: found ${layer}:${units.join(",")}, expected two units of one of ${layers.map(({ name }) => name).join(", ")}`,
        { hint: "Write --pairs LAYER:1,5, several parted by a semicolon." },
      );
    }
    own.push([Math.min(...units), Math.max(...units)]);
  }
  return byLayer;
}

function isUnit(network: Network, layer: string, unit: number): boolean {
  return Number.isInteger(unit) && unit >= 0 && unit < layerNamed(network, layer).units;
}
