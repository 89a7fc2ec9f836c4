/** What chance, other seeds and other inputs leave of a partition (measures note P1 and P3), as its quality holds it. */
import type { UnitGraph } from "../graph/unit-graph.ts";
import type { RunOptions } from "../progress.ts";
import type { Rng } from "../statistics/rng.ts";
import {
  type Correlator,
  permuteInputs,
  type RecordedUnits,
  resampleInputs,
  shuffleWeights,
} from "./null-graphs.ts";
import type { Partition } from "./partition.ts";
import type { Partitioner, PartitionSettings } from "./partition-graph.ts";
import { type NullGraph, testQuality } from "./quality-nulls.ts";
import { measureStability } from "./stability.ts";

/** What to find out about a partition. */
export interface Assessment {
  /** Graphs of each null that its quality is compared with. Default none. */
  readonly nulls?: number | undefined;
  /** Other seeds, and bootstraps where there are inputs, that it is compared with. Default none. */
  readonly stability?: number | undefined;
}

/**
 * The partition with nulls and stability in its quality, where these are asked for. `recorded` are the activations that an
 * activation graph was made of: with them inputs are permuted and resampled.
 *
 * @example
 * const assessed = await assessPartition(engine, graph, partition, { method: "leiden" }, { nulls: 50 }, null);
 */
export async function assessPartition(
  engine: Partitioner & Correlator,
  graph: UnitGraph,
  partition: Partition,
  settings: PartitionSettings,
  { nulls, stability }: Assessment,
  recorded: RecordedUnits | null,
  options: RunOptions = {},
): Promise<Partition> {
  let { quality } = partition;
  if (quality === null) return partition;
  if (nulls !== undefined) {
    const test = (name: "weights" | "inputs", nullGraph: NullGraph) =>
      testQuality(engine, partition, settings, name, nulls, nullGraph, options);
    const tests = [await test("weights", (random) => shuffleWeights(graph, random))];
    if (recorded) {
      tests.push(await test("inputs", (random) => permuteInputs(engine, graph, recorded, random, options)));
    }
    quality = { ...quality, nulls: tests };
  }
  if (stability !== undefined) {
    const resample =
      recorded === null
        ? undefined
        : (random: Rng) => resampleInputs(engine, graph, recorded, random, options);
    const found = await measureStability(engine, graph, partition, settings, stability, options, resample);
    quality = { ...quality, stability: found };
  }
  return { ...partition, quality };
}
