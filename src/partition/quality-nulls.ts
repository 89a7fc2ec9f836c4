/** Quality of a partition against that of partitions, made alike, of graphs without its structure (measures note P1). */
import type { UnitGraph } from "../graph/unit-graph.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import { rankP } from "../statistics/rank-p.ts";
import { type Rng, rng } from "../statistics/rng.ts";
import type { NullTest, Partition, QualityTest } from "./partition.ts";
import { type Partitioner, type PartitionSettings, settledSettings } from "./partition-graph.ts";

/** Makes a graph of a null from a random stream of its own. */
export type NullGraph = (random: Rng) => Promise<UnitGraph> | UnitGraph;

/**
 * z and p of a partition's n-cut (small is extreme) and modularity (large is extreme) among `draws` null graphs, each
 * partitioned with the same settings. p = (1 + draws at least as extreme) / (draws + 1), z by the draws' own standard
 * deviation (NaN where they do not differ).
 *
 * @example
 * const test = await testQuality(engine, partition, settings, "weights", 50, (random) => shuffleWeights(graph, random));
 */
export async function testQuality(
  engine: Partitioner,
  partition: Partition,
  settings: PartitionSettings,
  name: NullTest["null"],
  draws: number,
  nullGraph: NullGraph,
  options: RunOptions = {},
): Promise<NullTest> {
  const settled = settledSettings(settings, partition);
  const ncut = new Float64Array(draws);
  const modularity = new Float64Array(draws);
  const counter = new StepCounter(`null: ${name}`, draws, options);
  const quiet = { signal: options.signal };
  for (let draw = 0; draw < draws; draw++) {
    const graph = await nullGraph(rng(settings.seed ?? 0, "null graph", name, draw));
    const { quality } = await engine.partition(graph, settled, quiet);
    ncut[draw] = quality?.ncut ?? Number.NaN;
    modularity[draw] = quality?.modularity ?? Number.NaN;
    counter.advance(1);
  }
  const { quality } = partition;
  return {
    null: name,
    draws,
    ncut: against(quality?.ncut ?? Number.NaN, ncut, "lower"),
    modularity: against(quality?.modularity ?? Number.NaN, modularity, "upper"),
  };
}

function against(value: number, draws: Float64Array, tail: "lower" | "upper"): QualityTest {
  const mean = draws.reduce((sum, draw) => sum + draw, 0) / draws.length;
  const sd = Math.sqrt(draws.reduce((sum, draw) => sum + (draw - mean) ** 2, 0) / draws.length);
  const z = sd > 0 ? (value - mean) / sd : Number.NaN;
  return { mean, sd, z, p: rankP(value, draws, tail, "aware").p };
}
