/** What the explorer's page and its worker tell each other. */
import type { Progress } from "../progress.ts";
import type { ReportData } from "../report/report-data.ts";
import type { ScoreName } from "../scores/scores.ts";

export interface NamedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What the visitor has chosen. */
export interface ExplorerSettings {
  readonly graph: "weights" | "activations";
  readonly scope: "global" | "local";
  readonly method: "spectral" | "louvain" | "leiden";
  /** Clusters, for spectral. */
  readonly k: number;
  /** Inputs that are used, from the first. */
  readonly take: number;
  /** How many random sets there are follows from it: 199 (strict) or 19 (paper). */
  readonly protocol: "strict" | "paper";
  readonly isSequential: boolean;
  readonly scores: readonly ScoreName[];
  /** Whether images are optimised for subclusters. */
  readonly images: boolean;
  readonly seed: number;
}

export interface RunRequest {
  readonly model: NamedFile;
  readonly inputs: NamedFile;
  /** Null where the inputs' file holds them. */
  readonly labels: NamedFile | null;
  readonly settings: ExplorerSettings;
}

/** What the kernels and the networks run on. */
export interface DeviceFacts {
  /** Null: this browser has no WebGPU, and the CPU does everything. */
  readonly adapter: { readonly name: string; readonly type: string } | null;
  readonly networks: "webgpu" | "wasm";
  readonly threads: number;
}

export type WorkerMessage =
  | { readonly kind: "device"; readonly facts: DeviceFacts }
  | { readonly kind: "notice"; readonly message: string }
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "report"; readonly data: ReportData; readonly isFinal: boolean }
  | { readonly kind: "error"; readonly code: string; readonly message: string; readonly hint: string };
