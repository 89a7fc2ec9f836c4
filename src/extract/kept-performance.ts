/**
 * What a network does with nothing but some units of its layers, beside random groups of the same sizes. Random groups
 * run as lesions of the whole network, which gives the same numbers as a file of each.
 */
import { type JointLesion, runJointLesions } from "../network/joint-lesions.ts";
import type { Layer, Network } from "../network/network.ts";
import { classCount, countClasses, type LabelledInputs, type Outcome } from "../network/outcomes.ts";
import { withTask } from "../network/task.ts";
import type { RunOptions } from "../progress.ts";
import { othersOf } from "../scores/keep-only.ts";
import { rng } from "../statistics/rng.ts";

/** A cluster's units of one layer, and the units with a label, which random groups are drawn from. */
export interface ClusterUnits {
  readonly layer: Layer;
  readonly units: Int32Array;
  readonly eligible: Int32Array;
}

/** A number of the sub-network beside that of the intact network and those of random groups. */
export interface KeptNumber {
  readonly intact: number;
  readonly kept: number;
  /** Over random groups; null without any. */
  readonly random: { readonly mean: number; readonly least: number; readonly most: number } | null;
  /** (1 + random groups at least as good) / (1 + random groups); null without any. */
  readonly p: number | null;
}

export interface KeptPerformance {
  readonly inputs: number;
  readonly shuffles: number;
  readonly loss: KeptNumber;
  /** Share of right answers; null for a regression. */
  readonly accuracy: KeptNumber | null;
  /** The same for each class; null for classes without inputs. */
  readonly classAccuracy: readonly (KeptNumber | null)[];
}

/** Runs the network with nothing but the groups' units of their layers, and with random ones. */
export async function measureKept(
  network: Network,
  groups: readonly ClusterUnits[],
  means: ReadonlyMap<string, Float32Array>,
  data: LabelledInputs,
  options: { readonly shuffles: number; readonly seed: number } & RunOptions,
): Promise<KeptPerformance> {
  const { shuffles, seed, signal, onProgress } = options;
  const keep = (units: readonly Int32Array[]): JointLesion =>
    groups.map(({ layer }, i) => ({ layer, units: othersOf(units[i] as Int32Array, layer.units) }));
  const random = Array.from({ length: shuffles }, (_, draw) =>
    groups.map(({ layer, units, eligible }) => {
      const shuffled = rng(seed, "extract", layer.name, draw).shuffle(eligible.slice());
      return shuffled.subarray(0, units.length);
    }),
  );
  const sets = [groups.map(({ units }) => units), ...random];
  const { outcomes } = await runJointLesions(network, [[], ...sets.map(keep)], data, {
    lesion: "mean",
    means,
    phase: "kept groups",
    signal,
    onProgress,
  });
  const counts = countClasses(data.labels, classCount(withTask(network, data)));
  const sum = (values: Int32Array) => values.reduce((total, value) => total + value, 0);
  const answers = sum(counts);
  return {
    inputs: data.count,
    shuffles,
    loss: compare(
      outcomes.map(({ loss }) => loss),
      -1,
    ),
    accuracy:
      answers === 0
        ? null
        : compare(
            outcomes.map(({ correct }) => sum(correct) / answers),
            1,
          ),
    classAccuracy: Array.from(counts, (count, c) =>
      count === 0
        ? null
        : compare(
            outcomes.map(({ correct }: Outcome) => (correct[c] as number) / count),
            1,
          ),
    ),
  };
}

/** Of the intact network, the group and random ones; `sign` is 1 where more is better. */
function compare([intact = 0, kept = 0, ...random]: readonly number[], sign: 1 | -1): KeptNumber {
  if (random.length === 0) return { intact, kept, random: null, p: null };
  const hits = random.filter((value) => sign * value >= sign * kept).length;
  const mean = random.reduce((total, value) => total + value, 0) / random.length;
  return {
    intact,
    kept,
    random: { mean, least: Math.min(...random), most: Math.max(...random) },
    p: (1 + hits) / (1 + random.length),
  };
}
