import { BrodmannError } from "../errors.ts";
import type { Aggregate } from "../network/record-activations.ts";
import type { Partition } from "../partition/partition.ts";
import type { RunOptions } from "../progress.ts";
import type { PatternRun } from "./find-patterns.ts";
import type { LayerPatterns } from "./layer-patterns.ts";
import type { ColumnScale } from "./scale-columns.ts";

/** How inputs are clustered and what their patterns are held against; every default is printed and recorded. */
export interface PatternSettings {
  /** What a unit's positions become (method note, section 2); default `mean`. */
  readonly aggregate: Aggregate;
  /** Default `abs-max`. */
  readonly scale: ColumnScale;
  /** Default `euclidean`. */
  readonly metric: "euclidean" | "arccos";
  /** Which clusters of the condensed tree are patterns; default `leaf`. */
  readonly selection: "leaf" | "eom";
  /** The neighbour that a core distance reaches to, the input itself not counted; default 5. */
  readonly minSamples: number;
  /** Inputs of the smallest pattern; default 5, or one in a thousand inputs where that is more. */
  readonly minClusterSize: number;
  /** Clusters that are born at a smaller distance are merged into what they come from; default 0. */
  readonly epsilon: number;
  /** Inputs at the most, a seeded sample with as many of each class; default 2000. */
  readonly samples: number;
  /** Draws with each unit's values permuted over the inputs; default 10. */
  readonly nulls: number;
  /** Random unit sets that a cluster is compared with; default 19. */
  readonly shuffles: number;
  /** Pairs of random halves that stability is measured with; default 5. */
  readonly splits: number;
  /** Gaussian noise on the inputs, as a share of the standard deviation of their values; default 0.1. */
  readonly noise: number;
  readonly seed: number;
}

/** Settings; those left out or undefined have their defaults. */
type GivenSettings = { readonly [Key in keyof PatternSettings]?: PatternSettings[Key] | undefined };

export interface PatternOptions extends GivenSettings, RunOptions {
  /** Names of layers; default all, the logits' too. */
  readonly layers?: readonly string[] | undefined;
  /** Takes its clusters' units apart as well, layer by layer. */
  readonly partition?: Partition | undefined;
  /** Id of a cluster of the partition: that one alone, and no whole layers. */
  readonly cluster?: number | undefined;
  /** Called with each layer, and each cluster of one, as soon as it is known. */
  readonly onLayer?: ((found: LayerPatterns, run: PatternRun) => void) | undefined;
}

const DEFAULTS: Omit<PatternSettings, "minClusterSize"> = {
  aggregate: "mean",
  scale: "abs-max",
  metric: "euclidean",
  selection: "leaf",
  minSamples: 5,
  epsilon: 0,
  samples: 2000,
  nulls: 10,
  shuffles: 19,
  splits: 5,
  noise: 0.1,
  seed: 0,
};

/** A matrix of their distances takes 1 GiB. */
const MOST_INPUTS = 16384;

/**
 * The settings that options stand for, with `count` inputs at hand; `inputs` are those that are used.
 * Throws `E_USAGE_PATTERNS` for numbers that make no sense, and `E_INPUT_COUNT` for too few inputs.
 */
export function patternSettings(
  options: PatternOptions,
  count: number,
): { readonly settings: PatternSettings; readonly inputs: number } {
  const given = Object.fromEntries(
    Object.keys(DEFAULTS).flatMap((key) => {
      const value = options[key as keyof typeof DEFAULTS];
      return value === undefined ? [] : [[key, value]];
    }),
  ) as Partial<PatternSettings>;
  const known = { ...DEFAULTS, ...given };
  const inputs = Math.min(count, known.samples);
  const minClusterSize = options.minClusterSize ?? Math.max(5, Math.ceil(inputs / 1000));
  const settings = { ...known, minClusterSize };
  requireNumber("samples", settings.samples, 1);
  requireNumber("min-samples", settings.minSamples, 1);
  requireNumber("min-cluster-size", minClusterSize, 2);
  requireNumber("nulls", settings.nulls, 0);
  requireNumber("shuffles", settings.shuffles, 0);
  requireNumber("stability", settings.splits, 0);
  for (const [name, value] of [
    ["epsilon", settings.epsilon],
    ["noise", settings.noise],
  ] as const) {
    if (value >= 0 && Number.isFinite(value)) continue;
    throw new BrodmannError("E_USAGE_PATTERNS", `--${name}: found ${value}, expected a number from 0`, {
      hint: `Write --${name} 0.1, or leave it out.`,
    });
  }
  if (inputs > MOST_INPUTS) {
    throw new BrodmannError(
      "E_USAGE_PATTERNS",
      `--samples: found ${inputs} inputs, expected ${MOST_INPUTS} at the most (their distances take 1 GiB)`,
      { hint: "Write --samples 10000; patterns grow in number with the inputs." },
    );
  }
  const least = leastInputs(settings);
  if (inputs < least) {
    throw new BrodmannError(
      "E_INPUT_COUNT",
      `patterns: found ${inputs} inputs, expected at least ${least} (--min-cluster-size ${minClusterSize}, --min-samples ${settings.minSamples})`,
      { hint: "Pass more inputs, or lower --min-cluster-size and --min-samples." },
    );
  }
  return { settings, inputs };
}

/** Fewer inputs than these have no pattern, or not the neighbours that core distances ask for. */
export function leastInputs({ minClusterSize, minSamples }: PatternSettings): number {
  return Math.max(minClusterSize, minSamples + 1);
}

function requireNumber(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new BrodmannError(
    "E_USAGE_PATTERNS",
    `--${name}: found ${value}, expected a whole number from ${least}`,
    { hint: `Write --${name} ${Math.max(least, 5)}, or leave it out.` },
  );
}
