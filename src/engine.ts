/**
 * Where an analysis runs: in this process, or in a browser. The steps are the same everywhere; callers never ask which
 * engine they have.
 */
import type { Compute } from "./compute/compute.ts";
import { correlateUnits } from "./graph/activation-graph.ts";
import { buildUnitGraph, type UnitGraphOptions } from "./graph/build-unit-graph.ts";
import type { GraphLayer, UnitGraph } from "./graph/unit-graph.ts";
import type { Shard } from "./network/lesions.ts";
import type { Network } from "./network/network.ts";
import type { InputSource, LabelledInputs } from "./network/outcomes.ts";
import type { Partition } from "./partition/partition.ts";
import { type PartitionSettings, partitionGraph } from "./partition/partition-graph.ts";
import {
  findActivationPatterns,
  findPatterns,
  type Patterns,
  type RecordedInputs,
} from "./patterns/find-patterns.ts";
import type { PatternOptions } from "./patterns/pattern-settings.ts";
import type { PopulationOptions, Populations } from "./populations/population-settings.ts";
import { findPopulations, type PopulationSteps } from "./populations/populations.ts";
import type { RunOptions } from "./progress.ts";
import {
  type Coherence,
  type CoherenceOptions,
  scoreCoherence,
  scoreCoherenceShard,
} from "./scores/coherence.ts";
import { type Importance, type ImportanceOptions, scoreImportance } from "./scores/importance.ts";
import { scoreImportanceShard } from "./scores/importance-shards.ts";
import { type Visualization, type VisualizeOptions, visualizeUnits } from "./visualize/visualize-units.ts";

/** The steps of an analysis on one device. Errors and options are those of the functions that the steps are named after. */
export interface Engine {
  readonly device: "cpu" | "webgpu" | "chrome";
  /** What `run.json` tells of the device beyond its name. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** The unit graph of the given kind and scope; activation graphs need inputs. */
  unitGraph(network: Network, data: InputSource | null, options?: UnitGraphOptions): Promise<UnitGraph>;
  /** The activation graph of recorded values, units x samples; these are scratch space. */
  correlate(
    layers: readonly GraphLayer[],
    values: Float32Array,
    samples: number,
    facts: Readonly<Record<string, unknown>>,
    options?: UnitGraphOptions,
  ): Promise<UnitGraph>;
  partition(graph: UnitGraph, settings: PartitionSettings, options?: RunOptions): Promise<Partition>;
  /** Sum of each node's weights. */
  degrees(graph: UnitGraph): Promise<Float64Array>;
  importance(
    network: Network,
    data: LabelledInputs,
    partition: Partition,
    options?: ImportanceOptions,
  ): Promise<Importance>;
  /** A part of the lesions; all that it finds is recorded. */
  importanceShard(
    network: Network,
    data: LabelledInputs,
    partition: Partition,
    shard: Shard,
    options?: ImportanceOptions,
  ): Promise<void>;
  /** Images optimised for sets of units of one layer. */
  visualize(
    network: Network,
    layer: string,
    sets: readonly ArrayLike<number>[],
    options?: VisualizeOptions,
  ): Promise<Visualization>;
  coherence(
    network: Network,
    data: LabelledInputs,
    partition: Partition,
    options?: CoherenceOptions,
  ): Promise<Coherence>;
  /** Some of the layers; all that it finds is recorded. */
  coherenceShard(
    network: Network,
    data: LabelledInputs,
    partition: Partition,
    shard: Shard,
    options?: CoherenceOptions,
  ): Promise<void>;
  /** Sets of inputs that layers, and clusters of their units, treat alike. */
  patterns(network: Network, data: LabelledInputs, options?: PatternOptions): Promise<Patterns>;
  /** The same for activations that were recorded elsewhere. */
  activationPatterns(recorded: RecordedInputs, options?: PatternOptions): Promise<Patterns>;
  /** Populations of units that act alike, or whose lesions hurt alike. */
  populations(network: Network, data: LabelledInputs, options?: PopulationOptions): Promise<Populations>;
  dispose(): Promise<void>;
}

/**
 * The engine of this process, with its kernels on `compute`; disposes of it.
 *
 * @example
 * const engine = localEngine(await createCpuCompute());
 */
export function localEngine(compute: Compute): Engine {
  const steps: PopulationSteps & Pick<Engine, "unitGraph"> = {
    unitGraph: (network, data, options) => buildUnitGraph(network, data, compute, options),
    partition: (graph, settings, options) => partitionGraph(compute, graph, settings, options),
  };
  return {
    device: compute.device,
    facts: {},
    ...steps,
    correlate: (layers, values, samples, facts, options) =>
      correlateUnits(layers, values, samples, compute, facts, options),
    degrees: ({ matrix }) => compute.degrees(matrix),
    importance: scoreImportance,
    importanceShard: scoreImportanceShard,
    visualize: visualizeUnits,
    coherence: scoreCoherence,
    coherenceShard: scoreCoherenceShard,
    patterns: (network, data, options) => findPatterns(compute, network, data, options),
    activationPatterns: (recorded, options) => findActivationPatterns(compute, recorded, options),
    populations: (network, data, options) => findPopulations(network, data, steps, options),
    dispose: () => compute.dispose(),
  };
}
