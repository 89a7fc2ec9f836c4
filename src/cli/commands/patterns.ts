import { mkdir, readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { loadActivations } from "../../data/activations.ts";
import { loadDataset } from "../../data/dataset.ts";
import { loadLabels } from "../../data/load-labels.ts";
import type { Dataset } from "../../data/parse-dataset.ts";
import type { Engine } from "../../engine.ts";
import { BrodmannError } from "../../errors.ts";
import { flowOf, type PatternRun, type Patterns } from "../../patterns/find-patterns.ts";
import { type InputImages, inputImages } from "../../patterns/input-images.ts";
import type { LayerPatterns } from "../../patterns/layer-patterns.ts";
import type { PatternOptions } from "../../patterns/pattern-settings.ts";
import { MOST_ROWS, patternSheet } from "../../patterns/pattern-sheet.ts";
import {
  formatPatternInputs,
  formatPatterns,
  formatPatternTable,
  formatPatternUnits,
  labelOf,
  type PatternFacts,
} from "../../patterns/patterns-file.ts";
import { type ImageLayout, imageLayout } from "../../visualize/image-input.ts";
import { encodePng } from "../../visualize/png.ts";
import { clusterOf } from "../cluster-names.ts";
import type { CommandContext } from "../command-context.ts";
import { openDevice } from "../device.ts";
import type { FlagName, Flags } from "../flags.ts";
import { openInputs } from "../inputs.ts";
import { prepareFolder, printResult, removeFile, writeBytes, writeText } from "../output.ts";
import { formatPatternResults } from "../pattern-results.ts";
import { readPartition } from "../read-partition.ts";
import { formatRun, hashFile } from "../run-file.ts";
import { KEEP_HINT, namingKept } from "../score-journal.ts";
import type { Terminal } from "../terminal.ts";
import { sheetName } from "../visual-sheets.ts";

const FILES = [
  "patterns.json",
  "patterns.csv",
  "pattern-inputs.csv",
  "pattern-units.npz",
  "run.json",
] as const;
/** Folder of the pictures, and what they are called; other files there are not ours. */
const PICTURES = "pictures";
const PICTURE = /^\d+-[\w.-]*\.png$/;

/** What patterns are made of, and what is told of it. */
interface Source {
  readonly facts: PatternFacts;
  /** Inputs whose pictures can be shown, and how they are images; null where they are none. */
  readonly pictures: { readonly data: Dataset; readonly layout: ImageLayout } | null;
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
  if (out !== undefined) await prepareFolder(out, FILES);
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
      terminal.say(`written: ${out} (${[...FILES, ...pictureWords(written)].join(", ")})`);
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

/** How inputs are images, told by --image-shape, by their shape, or by the shape that they are stored in. */
function layoutOf(
  shape: readonly number[],
  stored: readonly number[] | null,
  flags: Flags,
  name: string,
  terminal: Terminal,
): ImageLayout | null {
  const given = flags["image-shape"];
  if (given !== undefined) return imageLayout(shape, given, name);
  for (const told of [undefined, stored ?? undefined]) {
    try {
      return imageLayout(shape, told, name);
    } catch (error) {
      if (!(error instanceof BrodmannError)) throw error;
    }
  }
  terminal.say("no pictures: the inputs are no images by their shape; --image-shape 28,28 tells if they are");
  return null;
}

/** Writes all files and gives their paths. */
async function writePatterns(
  folder: string,
  found: Patterns,
  { facts, pictures }: Source,
  flags: Flags,
  terminal: Terminal,
): Promise<string[]> {
  const place = (name: (typeof FILES)[number]) => join(folder, name);
  // Results of an earlier run must not stand beside those of this one.
  for (const name of FILES) await removeFile(place(name));
  await writeText(place("patterns.json"), formatPatterns(found, facts));
  await writeText(place("patterns.csv"), formatPatternTable(found, facts));
  await writeText(place("pattern-inputs.csv"), formatPatternInputs(found, facts));
  await writeBytes(place("pattern-units.npz"), formatPatternUnits(found));
  const written = FILES.filter((name) => name !== "run.json").map(place);
  const names = await readdir(join(folder, PICTURES)).catch(() => []);
  for (const name of names) if (PICTURE.test(name)) await rm(join(folder, PICTURES, name));
  if (pictures === null) return written;
  const { mean, std } = flags;
  const images = inputImages(pictures.data, pictures.layout, { mean, std }, found.inputs);
  return [...written, ...(await writePictures(join(folder, PICTURES), found, facts, images, terminal))];
}

async function writePictures(
  folder: string,
  { layers, inputs }: Patterns,
  facts: PatternFacts,
  images: InputImages,
  terminal: Terminal,
): Promise<string[]> {
  const written: string[] = [];
  for (const [number, found] of layers.entries()) {
    const sheet = patternSheet(found, inputs, images);
    if (sheet === null) continue;
    await mkdir(folder, { recursive: true });
    const { layer, cluster, patterns } = found;
    const name = cluster === null ? layer : `${layer} cluster ${labelOf(cluster, facts)}`;
    const path = join(folder, sheetName({ layer: name, number }));
    await writeBytes(path, encodePng(sheet));
    written.push(path);
    if (patterns.length > MOST_ROWS) {
      terminal.say(`${path}: the ${MOST_ROWS} most persistent of ${patterns.length} patterns`);
    }
  }
  return written;
}

function pictureWords(written: readonly string[]): string[] {
  const count = written.filter((path) => path.endsWith(".png")).length;
  return count === 0 ? [] : [`${count === 1 ? "a picture" : `${count} pictures`} in ${PICTURES}`];
}
