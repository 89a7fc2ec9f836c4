import { join } from "node:path";
import { byUnit, loadActivations } from "../../data/activations.ts";
import { loadDataset } from "../../data/dataset.ts";
import { loadLabels } from "../../data/load-labels.ts";
import { sha256 } from "../../data/read-bytes.ts";
import { BrodmannError } from "../../errors.ts";
import type { LabelledInputs } from "../../network/outcomes.ts";
import type { PopulationOptions, Populations } from "../../populations/population-settings.ts";
import { checkNullSets } from "../../populations/population-settings.ts";
import { responsePopulations } from "../../populations/populations.ts";
import { formatPopulations } from "../../populations/populations-file.ts";
import type { RunOptions } from "../../progress.ts";
import type { CommandContext } from "../command-context.ts";
import { openDevice } from "../device.ts";
import type { Flags } from "../flags.ts";
import { openInputs, readLesions, requireLabelled } from "../inputs.ts";
import { prepareFolder, printResult, writeText } from "../output.ts";
import { POPULATION_FILES, writePopulations } from "../population-files.ts";
import { formatPopulationResults } from "../population-results.ts";
import { readPartition } from "../read-partition.ts";
import { formatRun, hashFile } from "../run-file.ts";
import { readUnitPairs } from "../unit-sets.ts";

/** What was found, and for people where it came from. */
interface Source {
  readonly found: Populations;
  readonly inputs: LabelledInputs | null;
  readonly classNames: readonly string[] | null;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** `brodmann populations MODEL --data D` and `brodmann populations --activations FILE --data labels.npy`. */
export async function run(context: CommandContext): Promise<void> {
  const { flags, terminal, signal } = context;
  const startMs = performance.now();
  const { out } = flags;
  if (out === undefined) {
    throw new BrodmannError("E_USAGE_OUT", "populations: found no --out, expected a folder", {
      hint: "Add --out populations.",
    });
  }
  checkSource(context);
  const settings = populationSettings(flags);
  await prepareFolder(out, [...POPULATION_FILES, "run.json"]);
  const options = { ...settings, signal, onProgress: terminal.progress };
  const source =
    flags.activations === undefined
      ? await ofNetwork(context, options)
      : await ofActivations(context, flags.activations, options);
  const { found, inputs, classNames, facts } = source;
  const written = await writePopulations(out, found, inputs, { terminal, classNames, signal });
  await writeText(join(out, "run.json"), await formatRun(facts, startMs));
  terminal.endProgress();
  await printResult(flags.json ? formatPopulations(found) : formatPopulationResults(found, classNames));
  terminal.say(`written: ${out} (${[...written, "run.json"].join(", ")})`);
}

async function ofNetwork(
  { flags, positionals, terminal }: CommandContext,
  options: PopulationOptions & RunOptions,
): Promise<Source> {
  const [model = ""] = positionals;
  const other = flags.partition === undefined ? undefined : (await readPartition(flags.partition)).partition;
  const opened = await openInputs(model, flags, terminal);
  const data = requireLabelled(opened, "populations");
  const pairs = flags.pairs === undefined ? undefined : readUnitPairs(flags.pairs, opened.network);
  const engine = await openDevice(flags, terminal);
  try {
    const found = await engine.populations(opened.network, data, { ...options, other, pairs });
    const facts = {
      inputs: { model: { path: model, sha256: await hashFile(model) }, data: data.source },
      device: engine.device,
      ...engine.facts,
      skipped: opened.network.skipped,
    };
    return { found, inputs: data, classNames: data.classNames, facts };
  } finally {
    await engine.dispose();
  }
}

async function ofActivations(
  { flags, terminal }: CommandContext,
  path: string,
  options: PopulationOptions & RunOptions,
): Promise<Source> {
  const { samples, units, values } = await loadActivations(path);
  const labels = await labelsOf(flags);
  const engine = await openDevice(flags, terminal);
  try {
    const rows = { units, inputs: samples, values: byUnit(values, samples, units) };
    const found = await responsePopulations({ name: "activations", rows }, labels, engine, options);
    const facts = {
      inputs: {
        activations: { path, sha256: await hashFile(path) },
        labels: { sha256: sha256(bytesOf(labels)) },
      },
      device: engine.device,
      ...engine.facts,
    };
    return { found, inputs: null, classNames: null, facts };
  } finally {
    await engine.dispose();
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Int32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Labels of recorded samples: a file of nothing else, or those of labelled inputs. */
async function labelsOf({ data, skip, take }: Flags): Promise<Int32Array> {
  if (data === undefined) {
    throw new BrodmannError("E_USAGE_DATA", "populations: found no labels, expected --data", {
      hint: "Pass the class of every sample: --data labels.npy, or the labelled inputs themselves.",
    });
  }
  const alone = await loadLabels(data);
  if (alone === null) return (await loadDataset(data, { skip, take })).labels;
  const from = skip ?? 0;
  return alone.slice(from, take === undefined ? undefined : from + take);
}

/** A model or recorded activations, and then nothing that needs the other. */
function checkSource({ flags, positionals }: CommandContext): void {
  const hasModel = positionals.length > 0;
  if (hasModel === (flags.activations !== undefined)) {
    throw new BrodmannError(
      "E_USAGE_ARGUMENTS",
      `populations: found ${hasModel ? "both" : "neither"}, expected either MODEL or --activations FILE`,
      { hint: "See brodmann populations --help." },
    );
  }
  if (hasModel) return;
  const needsModel = [
    ...(["layer", "partition", "lesion", "aggregate", "impact", "pairs", "shuffles"] as const),
    ...(["null-inputs", "mean", "std"] as const),
  ];
  const idle = needsModel.find((name) => flags[name] !== undefined);
  if (idle === undefined) return;
  throw new BrodmannError(
    "E_USAGE_ARGUMENTS",
    `populations: found --${idle} with --activations, expected a model`,
    { hint: `Leave --${idle} out, or pass the network's ONNX file.` },
  );
}

/** How populations are found, as the flags say; all that needs no network is checked. */
function populationSettings(flags: Flags): PopulationOptions {
  const { layer, aggregate, response, correlation, edges, impact, method, k, resolution, quality } = flags;
  if (aggregate !== undefined && aggregate !== "mean" && aggregate !== "max") {
    throw new BrodmannError("E_USAGE_FLAG", `--aggregate: found "${aggregate}", expected mean or max`, {
      hint: "Write --aggregate mean|max: a unit has one number for an input here.",
    });
  }
  const { shuffles, seed } = flags;
  if (shuffles !== undefined) checkNullSets(shuffles);
  return {
    layers: layer,
    aggregate,
    response,
    correlation,
    edges,
    impact,
    lesions: flags.lesion === undefined ? undefined : readLesions(flags.lesion),
    partition: { method: method ?? "leiden", k, resolution, quality },
    shuffles,
    nullInputs: flags["null-inputs"],
    seed,
  };
}
