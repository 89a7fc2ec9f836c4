/**
 * What a report shows, as plain JSON: made from the files of an analysis (`read-run.ts`) or from an analysis in memory, and
 * drawn by the page (`src/report/page`). Names in it come from model files and labels: they are data, never markup.
 */
import type { GraphLayer } from "../graph/unit-graph.ts";
import type { PartitionQuality } from "../partition/partition.ts";
import type { ScoresDocument } from "./scores-document.ts";
import type { UnitMap } from "./unit-map.ts";

export const REPORT_SCHEMA = "brodmann/report/1";

export interface ReportData {
  readonly schema: typeof REPORT_SCHEMA;
  /** What was analysed: the model's file name. */
  readonly name: string;
  readonly graph: {
    readonly kind: "weights" | "activations";
    readonly scope: "global" | "local";
    readonly layers: readonly GraphLayer[];
    /** What else is known of it: norm, kind of correlation, samples, ... */
    readonly facts: Readonly<Record<string, unknown>>;
  };
  readonly map: UnitMap;
  readonly partition: {
    readonly clusters: number;
    /** Name, seed and settings of the partitioner. */
    readonly method: Readonly<Record<string, unknown>>;
    /** NaN is null here, as everywhere in the document. */
    readonly quality: PartitionQuality | null;
    /** Co-assignment below this is unstable; by layer, then unit. Null where stability was not measured. */
    readonly coAssignment: readonly (readonly (number | null)[])[] | null;
  };
  /** The content of scores.json; null where nothing was scored. */
  readonly scores: ScoresDocument | null;
  /** Names of the classes, in the order of their numbers; null where they have none. */
  readonly classNames: readonly string[] | null;
  readonly pictures: ReportPictures;
  /** The content of run.json; null where there is none. */
  readonly run: Readonly<Record<string, unknown>> | null;
  /** Files that lie beside the report; empty where it was not made from a folder. */
  readonly files: readonly { readonly name: string; readonly sizeBytes: number }[];
  /** The content of patterns.json and populations.json, where these were computed. */
  readonly patterns: Readonly<Record<string, unknown>> | null;
  readonly populations: Readonly<Record<string, unknown>> | null;
}

/** Pictures as data: addresses (PNG). */
export interface ReportPictures {
  /** Of the inputs that drive subclusters most, by number of the input. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Images optimised for subclusters, and beside them those of random sets. */
  readonly subclusters: readonly {
    readonly layer: string;
    readonly cluster: number;
    readonly image: string;
    readonly random: readonly string[];
  }[];
}

export const NO_PICTURES: ReportPictures = { inputs: {}, subclusters: [] };
