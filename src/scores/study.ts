/** What subclusters are scored by: the settings, and the layers with what is known of them before any measurement. */
import { BrodmannError } from "../errors.ts";
import { isReadBy, lesionSite } from "../network/consumer-site.ts";
import type { Shard } from "../network/lesions.ts";
import type { Layer, Network } from "../network/network.ts";
import type { LabelledInputs } from "../network/outcomes.ts";
import { hasInputAxis, type LesionKind } from "../network/replacement.ts";
import { withTask } from "../network/task.ts";
import type { Partition } from "../partition/partition.ts";
import { fitPartition } from "../partition/partition-file.ts";
import type { RunOptions } from "../progress.ts";
import type { RecordOptions } from "../records.ts";
import { type Match, matchBins } from "./matching.ts";
import type { Protocol } from "./nulls.ts";
import { findSubclusters, type LayerSubclusters, type Subcluster } from "./subclusters.ts";

/** What all scores take. */
export interface ScoreOptions extends RunOptions, RecordOptions {
  /** Default `strict`. */
  readonly protocol?: Protocol | undefined;
  /** Random sets per subcluster; default 199 (strict, at least 199) or 19 (paper). */
  readonly shuffles?: number | undefined;
  readonly seed?: number | undefined;
  /** What lesioned units become; default `zero`. */
  readonly lesion?: LesionKind | undefined;
  /** Lesions act on what this layer reads, and only layers that it reads are scored; default: on the layers' outputs. */
  readonly consumer?: string | undefined;
  /** What random sets share with their subcluster beside layer and size; default `size`, nothing more. */
  readonly match?: Match | undefined;
}

/** What single scores take beside. */
interface StudyOptions extends ScoreOptions {
  readonly compare?: readonly LesionKind[] | undefined;
  readonly isSequential?: boolean | undefined;
}

/** Random sets that protocol `paper` draws, and the least that `strict` accepts. */
export const DEFAULT_SHUFFLES: Readonly<Record<Protocol, number>> = { paper: 19, strict: 199 };

/** All that decides how subclusters are scored. */
export interface ScoreSettings {
  readonly protocol: Protocol;
  readonly shuffles: number;
  readonly seed: number;
  readonly lesion: LesionKind;
  readonly compare: readonly LesionKind[];
  readonly consumer: string | null;
  readonly isSequential: boolean;
  readonly match: Match;
}

/** The settings that options stand for. Throws `E_USAGE_SHUFFLES` and `E_USAGE_SEQUENTIAL`. */
export function settingsOf(options: StudyOptions = {}): ScoreSettings {
  const { protocol = "strict", seed = 0, lesion = "zero", match = "size", isSequential = false } = options;
  const shuffles = options.shuffles ?? DEFAULT_SHUFFLES[protocol];
  checkShuffles(protocol, shuffles);
  checkSequential(protocol, isSequential);
  const compare = [...new Set(options.compare ?? [])].filter((kind) => kind !== lesion);
  return {
    protocol,
    shuffles,
    seed,
    lesion,
    compare,
    consumer: options.consumer ?? null,
    isSequential,
    match,
  };
}

/** A network whose subclusters are scored. */
export interface Study {
  readonly network: Network;
  readonly data: LabelledInputs;
  readonly settings: ScoreSettings;
  readonly layers: readonly LayerSubclusters[];
}

export interface SurveyedLayer extends LayerSubclusters {
  /** The eligible units in bins of alike ones. */
  readonly bins: readonly Int32Array[];
  /** Whether its outputs have means over the inputs, as keeping a subcluster alone needs. */
  readonly hasMeans: boolean;
}

/** Layers with what can be told of them without a lesion. */
export async function surveyLayers({ network, data, settings, layers }: Study): Promise<SurveyedLayer[]> {
  const surveyed: SurveyedLayer[] = [];
  for (const layer of layers) {
    const target = network.layers[layer.layer] as Layer;
    const site = lesionSite(network, target, settings.consumer ?? undefined);
    const bins =
      layer.tested.length === 0 ? [] : await matchBins(settings.match, network, target, layer.eligible, data);
    surveyed.push({ ...layer, bins, hasMeans: hasInputAxis(site.network, site.layer) });
  }
  return surveyed;
}

/** A layer as plain data, for records. */
export interface PlainLayer extends Omit<SurveyedLayer, "eligible" | "bins" | "tested" | "filtered"> {
  readonly eligible: readonly number[];
  readonly bins: readonly (readonly number[])[];
  readonly tested: readonly PlainSubcluster[];
  readonly filtered: readonly PlainSubcluster[];
}

interface PlainSubcluster {
  readonly cluster: number;
  readonly units: readonly number[];
}

export function plainLayer(layer: SurveyedLayer): PlainLayer {
  const plain = ({ cluster, units }: Subcluster) => ({ cluster, units: Array.from(units) });
  return {
    ...layer,
    eligible: Array.from(layer.eligible),
    bins: layer.bins.map((bin) => Array.from(bin)),
    tested: layer.tested.map(plain),
    filtered: layer.filtered.map(plain),
  };
}

export function typedLayer(layer: PlainLayer): SurveyedLayer {
  const typed = ({ cluster, units }: PlainSubcluster) => ({ cluster, units: Int32Array.from(units) });
  return {
    ...layer,
    eligible: Int32Array.from(layer.eligible),
    bins: layer.bins.map((bin) => Int32Array.from(bin)),
    tested: layer.tested.map(typed),
    filtered: layer.filtered.map(typed),
  };
}

/** What a run is about: the settings, and the layers with subclusters. */
export function openStudy(
  given: Network,
  data: LabelledInputs,
  partition: Partition,
  options: StudyOptions,
): Study {
  const network = withTask(given, data);
  const settings = settingsOf(options);
  const { consumer } = settings;
  const layers = findSubclusters(network, fitPartition(partition, partitionLayers(network))).filter(
    ({ layer }) => consumer === null || isReadBy(network, network.layers[layer] as Layer, consumer),
  );
  if (layers.every(({ tested }) => tested.length === 0)) {
    throw new BrodmannError(
      "E_PARTITION_EMPTY",
      "partition: found no subcluster of 2 or more units that is not a whole layer",
      {
        hint: "Use another number of clusters (--k), or lesions at another place (--lesion-at).",
      },
    );
  }
  return { network, data, settings, layers };
}

/** Throws `E_USAGE_SHARD` for a part that does not exist, or of draws that cannot be divided. */
export function checkShard({ number, of }: Shard, isSequential: boolean = false): void {
  const areCounts = Number.isSafeInteger(number) && Number.isSafeInteger(of);
  if (!areCounts || number < 1 || number > of) {
    throw new BrodmannError(
      "E_USAGE_SHARD",
      `--shard: found ${number}/${of}, expected I/N with I from 1 to N`,
      {
        hint: "The three shards of a run are --shard 1/3, --shard 2/3 and --shard 3/3.",
      },
    );
  }
  if (!isSequential) return;
  throw new BrodmannError(
    "E_USAGE_SHARD",
    "--shard: found --sequential, expected a number of random sets that is fixed beforehand",
    {
      hint: "Leave out --sequential: which sets it draws depends on those before, so they cannot be divided.",
    },
  );
}

/** The layers a partition of the network may name: the network's own, and its inputs in dense networks. */
export function partitionLayers(network: Network): { name: string; units: number }[] {
  const units = network.inputShape.reduce((total, size) => total * size, 1);
  return [
    { name: network.probe.input, units },
    ...network.layers.map(({ name, units }) => ({ name, units })),
  ];
}

/** Throws `E_USAGE_SHUFFLES` for a number of random sets that the protocol does not take. */
export function checkShuffles(
  protocol: Protocol = "strict",
  shuffles: number = DEFAULT_SHUFFLES[protocol],
): void {
  const least = protocol === "strict" ? DEFAULT_SHUFFLES.strict : 1;
  if (Number.isInteger(shuffles) && shuffles >= least) return;
  throw new BrodmannError(
    "E_USAGE_SHUFFLES",
    `--shuffles: found ${shuffles}, expected a whole number from ${least} with protocol ${protocol}`,
    {
      hint:
        protocol === "strict"
          ? "Use --protocol paper for fewer random sets."
          : "Leave --shuffles out for 19 random sets.",
    },
  );
}

/** Refuses sequential draws where the protocol fixes their number. */
export function checkSequential(protocol: Protocol = "strict", isSequential: boolean = false): void {
  if (!isSequential || protocol === "strict") return;
  throw new BrodmannError(
    "E_USAGE_SEQUENTIAL",
    "--sequential: found protocol paper, expected strict (the published procedure draws all its sets)",
    { hint: "Leave --sequential out." },
  );
}
