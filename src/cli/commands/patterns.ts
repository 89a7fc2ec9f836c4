import { basename, join } from "node:path";
import { loadActivations } from "../../data/activations.ts";
import { loadDataset } from "../../data/dataset.ts";
import { loadLabels } from "../../data/load-labels.ts";
import type { Dataset } from "../../data/parse-dataset.ts";
import type { Engine } from "../../engine.ts";
import { BrodmannError } from "../../errors.ts";
import { flowOf, type PatternRun, type Patterns } from "../../patterns/find-patterns.ts";
import type { LayerPatterns } from "../../patterns/layer-patterns.ts";
import type { PatternOptions } from "../../patterns/pattern-settings.ts";
import { formatPatterns, labelOf } from "../../patterns/patterns-file.ts";
import { clusterOf } from "../cluster-names.ts";
import type { CommandContext } from "../command-context.ts";
import { openDevice } from "../device.ts";
import type { FlagName, Flags } from "../flags.ts";
import { openInputs } from "../inputs.ts";
import { prepareFolder, printResult, writeText } from "../output.ts";
import {
  layoutOf,
  PATTERN_FILES,
  type PatternSource,
  pictureWords,
  writePatterns,
} from "../pattern-files.ts";
import { formatPatternResults } from "../pattern-results.ts";
import { readPartition } from "../read-partition.ts";
import { formatRun, hashFile } from "../run-file.ts";
import { KEEP_HINT, namingKept } from "../score-journal.ts";

/** What patterns are made of, and what is told of it. */
interface Source extends PatternSource {
  /** For `run.json`. */
  readonly described: Readonly<Record<string, unknown>>;
  find(engine: Engine, options: PatternOptions): Promise<Patterns>;
}

/** `brodmann patterns MODEL --data D` and `brodmann patterns --activations FILE`. */
export async function run(context: CommandContext): Promise<void> {
  const startMs = performance.now();
  const { flags, terminal, signal } = context;
  checkSource(context);
  const { out } = flags;
  if (out !== undefined) await prepareFolder(out, [...PATTERN_FILES, "run.json"]);
  const engine = await openDevice(flags, terminal);
  try {
    const source = await (flags.activations === undefined ? openNetworkSource : openRecordedSource)(context);
    const done: LayerPatterns[] = [];
    let common: PatternRun | null = null;
    const options: PatternOptions = {
      ...settingsOf(flags),
      signal,
      onProgress: terminal.progress,
      onLayer: (found, run) => {
        done.push(found);
        common = run;
        const { layer, cluster, patterns, noise } = found;
        const where = cluster === null ? layer : `${layer} cluster ${labelOf(cluster, source.facts)}`;
        terminal.say(
          `${where}: ${patterns.length} patterns, ${(100 * noise).toFixed(1)} % of the inputs in none`,
        );
      },
    };
    const kept: string[] = [];
    const find = async (): Promise<Patterns> => {
      try {
        return await source.find(engine, options);
      } catch (error) {
        const isInterrupted = error instanceof BrodmannError && error.code === "E_INTERRUPTED";
        if (isInterrupted && out !== undefined && common !== null) {
          const run: PatternRun = common;
          const flow = flowOf(run, done, flags.cluster !== undefined);
          kept.push(...(await writePatterns(out, { ...run, layers: done, flow }, source, flags, terminal)));
        }
        throw error;
      }
    };
    const found = await namingKept(
      kept,
      out === undefined ? KEEP_HINT : "The files have the layers that are done.",
      find,
    );
    const written: string[] = [];
    if (out !== undefined) {
      written.push(...(await writePatterns(out, found, source, flags, terminal)));
      const facts = { inputs: source.described, device: engine.device, ...engine.facts };
      await writeText(join(out, "run.json"), await formatRun(facts, startMs));
    }
    terminal.endProgress();
    await printResult(
      flags.json ? formatPatterns(found, source.facts) : formatPatternResults(found, source.facts),
    );
    if (out !== undefined)
      terminal.say(
        `written: ${out} (${[...PATTERN_FILES, "run.json", ...pictureWords(written)].join(", ")})`,
      );
  } finally {
    await engine.dispose();
  }
}

/** Patterns come from a model with data, or from recorded activations, and then some flags are of no use. */
function checkSource({ flags, positionals }: CommandContext): void {
  const hasModel = positionals.length > 0;
  if (hasModel === (flags.activations !== undefined)) {
    throw new BrodmannError(
      "E_USAGE_ARGUMENTS",
      `patterns: found ${hasModel ? "both" : "neither"}, expected either MODEL or --activations FILE`,
      { hint: "See brodmann patterns --help." },
    );
  }
  if (flags.cluster !== undefined && flags.partition === undefined) {
    throw new BrodmannError("E_USAGE_PARTITION", "--cluster: found no partition, expected --partition", {
      hint: "Add --partition p.json, made by brodmann partition.",
    });
  }
  if (hasModel && flags.data === undefined) {
    throw new BrodmannError("E_USAGE_DATA", "patterns: found no inputs, expected --data", {
      hint: "Pass inputs: --data inputs.npz.",
    });
  }
  if (hasModel) return;
  const ofModels: readonly FlagName[] = ["layer", "partition", "aggregate", "noise"];
  const ofInputs: readonly FlagName[] = ["skip", "take", "mean", "std", "image-shape"];
  const idle = [...ofModels, ...(flags.data === undefined ? ofInputs : [])].find(
    (name) => flags[name] !== undefined,
  );
  if (idle === undefined) return;
  const expected = ofModels.includes(idle) ? "a model" : "--data";
  throw new BrodmannError(
    "E_USAGE_ARGUMENTS",
    `patterns: found --${idle} with --activations, expected ${expected}`,
    {
      hint: `Leave --${idle} out, or pass ${ofModels.includes(idle) ? "the network's ONNX file" : expected}.`,
    },
  );
}

function settingsOf(flags: Flags): PatternOptions {
  const { aggregate, metric, selection, epsilon, samples, nulls, shuffles, noise, seed, layer } = flags;
  return {
    aggregate,
    scale: flags["unit-scale"],
    metric,
    selection,
    minSamples: flags["min-samples"],
    minClusterSize: flags["min-cluster-size"],
    epsilon,
    samples,
    nulls,
    shuffles,
    splits: flags.stability,
    noise,
    seed,
    layers: layer,
  };
}

async function openNetworkSource({ flags, positionals, terminal }: CommandContext): Promise<Source> {
  const [model = ""] = positionals;
  const { network, data, storedShape } = await openInputs(model, flags, terminal);
  // `checkSource` has seen --data.
  const inputs = data as Dataset;
  const file = flags.partition === undefined ? null : await readPartition(flags.partition);
  const cluster =
    flags.cluster === undefined
      ? undefined
      : clusterOf(flags.cluster, file?.fileLabels ?? [], flags.partition ?? "");
  const layout = layoutOf(network.inputShape, storedShape, flags, network.name, terminal);
  return {
    facts: {
      model: network.name,
      classNames: inputs.classNames,
      clusterLabels: file?.fileLabels ?? null,
    },
    pictures: layout && { data: inputs, layout },
    described: { model: { path: model, sha256: await hashFile(model) }, data: inputs.source },
    find: (engine, options) =>
      engine.patterns(network, inputs, { ...options, partition: file?.partition, cluster }),
  };
}

async function openRecordedSource({ flags, terminal }: CommandContext): Promise<Source> {
  const path = flags.activations ?? "";
  const { samples, units, values } = await loadActivations(path);
  const name = "activations";
  const alone = flags.data === undefined ? null : await loadLabels(flags.data);
  let data: Dataset | null = null;
  if (flags.data !== undefined && alone === null) {
    const { skip, take, mean, std } = flags;
    data = await loadDataset(flags.data, { skip, take, mean, std });
  }
  const labels = alone ?? data?.labels ?? null;
  const count = alone?.length ?? data?.count ?? samples;
  if (count !== samples) {
    throw new BrodmannError(
      "E_INPUT_COUNT",
      `${flags.data}: found ${count} inputs, expected ${samples}, one for each sample of ${path}`,
      { hint: "Pass the inputs or labels that the activations were recorded with." },
    );
  }
  const layout = data && layoutOf(data.inputShape, data.inputShape, flags, path, terminal);
  return {
    facts: { model: basename(path), classNames: data?.classNames ?? null, clusterLabels: null },
    pictures: layout && data && { data, layout },
    described: {
      activations: { path, sha256: await hashFile(path) },
      data: data?.source ?? flags.data ?? null,
    },
    find: (engine, options) =>
      engine.activationPatterns(
        { name, samples, units, values, labels: labels?.length === samples ? labels : null },
        options,
      ),
  };
}
