/**
 * What Node asks of the page, and in which form. Large things (networks, inputs, graphs) are held in the page under a key
 * and named by it from then on, so that each crosses once.
 */
import type { StoredInputs } from "../data/stored-inputs.ts";
import type { UnitGraphOptions } from "../graph/build-unit-graph.ts";
import type { GraphLayer, UnitGraph } from "../graph/unit-graph.ts";
import type { Shard } from "../network/lesions.ts";
import type { LabelledInputs } from "../network/outcomes.ts";
import type { Partition } from "../partition/partition.ts";
import type { PartitionSettings } from "../partition/partition-graph.ts";
import type { Patterns, RecordedInputs } from "../patterns/find-patterns.ts";
import type { PatternOptions } from "../patterns/pattern-settings.ts";
import type { PopulationOptions, Populations } from "../populations/population-settings.ts";
import type { Coherence, CoherenceOptions } from "../scores/coherence.ts";
import type { Importance, ImportanceOptions } from "../scores/importance.ts";
import type { Visualization, VisualizeOptions } from "../visualize/visualize-units.ts";

/** What runs networks in the page. */
export type NetworkProvider = "webgpu" | "wasm";

/** The adapter and the libraries that a page has found. */
export interface PageFacts {
  readonly adapter: {
    readonly name: string;
    readonly vendor: string;
    readonly type: "hardware" | "software";
    readonly bindingBytes: number;
    readonly features: readonly string[];
  };
  readonly runtime: {
    /** Version of onnxruntime-web. */
    readonly version: string;
    readonly networks: NetworkProvider;
    /** Threads of its CPU provider. */
    readonly threads: number;
  };
}

/** Every call of the page: its arguments and its result. Callbacks among the options are called in Node. */
export interface PageCalls {
  /**
   * Takes an adapter and sets ONNX Runtime up; null where there is no adapter. `networks` names the provider of networks;
   * without it, WebGPU on a hardware adapter and the CPU (WebAssembly) beside a software one, which is slower.
   */
  open(call: { readonly networks?: NetworkProvider | undefined }): PageFacts | null;
  holdNetwork(call: {
    readonly key: string;
    readonly name: string;
    readonly model: Uint8Array;
    readonly inputShape: readonly number[];
  }): void;
  holdInputs(call: {
    readonly key: string;
    readonly inputs: StoredInputs;
    /** What the inputs are to be answered with; null where they serve for activations only. */
    readonly answers: Pick<LabelledInputs, "labels" | "targets"> | null;
  }): void;
  holdGraph(call: { readonly key: string; readonly graph: UnitGraph }): void;
  release(call: { readonly key: string }): void;
  /** The graph stays in the page as well, under `key`. */
  unitGraph(call: {
    readonly key: string;
    readonly network: string;
    readonly inputs: string | null;
    readonly options: UnitGraphOptions;
  }): UnitGraph;
  correlate(call: {
    readonly key: string;
    readonly layers: readonly GraphLayer[];
    readonly values: Float32Array;
    readonly samples: number;
    readonly facts: Readonly<Record<string, unknown>>;
    readonly options: UnitGraphOptions;
  }): UnitGraph;
  partition(call: { readonly graph: string; readonly options: PartitionSettings }): Partition;
  degrees(call: { readonly graph: string }): Float64Array;
  importance(call: {
    readonly network: string;
    readonly inputs: string;
    readonly partition: Partition;
    readonly options: ImportanceOptions;
  }): Importance;
  importanceShard(call: {
    readonly network: string;
    readonly inputs: string;
    readonly partition: Partition;
    readonly shard: Shard;
    readonly options: ImportanceOptions;
  }): void;
  visualize(call: {
    readonly network: string;
    readonly layer: string;
    readonly sets: readonly ArrayLike<number>[];
    readonly options: VisualizeOptions;
  }): Visualization;
  coherence(call: {
    readonly network: string;
    readonly inputs: string;
    readonly partition: Partition;
    readonly options: CoherenceOptions;
  }): Coherence;
  coherenceShard(call: {
    readonly network: string;
    readonly inputs: string;
    readonly partition: Partition;
    readonly shard: Shard;
    readonly options: CoherenceOptions;
  }): void;
  patterns(call: {
    readonly network: string;
    readonly inputs: string;
    readonly options: PatternOptions;
  }): Patterns;
  activationPatterns(call: { readonly recorded: RecordedInputs; readonly options: PatternOptions }): Patterns;
  populations(call: {
    readonly network: string;
    readonly inputs: string;
    readonly options: PopulationOptions;
  }): Populations;
}

/** What the calls of a page are: those of `PageCalls`, or of another page of ours. */
export type PageMethods<Calls> = { readonly [Name in keyof Calls]: (call: never) => unknown };

/** A call on its way to the page. */
export interface CallMessage {
  readonly name: string;
  readonly argument: unknown;
  /** Names of the options that are functions in Node. */
  readonly callbacks: readonly string[];
}

/** A callback on its way to Node. */
export interface EventMessage {
  readonly callback: string;
  readonly values: readonly unknown[];
}

/** How a call ended. */
export type ResultMessage =
  | { readonly result: unknown }
  | {
      readonly error: {
        /** Empty where it is no `BrodmannError`. */
        readonly code: string;
        readonly message: string;
        readonly hint: string;
        readonly stack: string;
      };
    };
