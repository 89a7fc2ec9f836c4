/** What `analyze` finds beyond the scores, by option: populations, and patterns of every layer and subcluster. */
import type { Dataset } from "../data/parse-dataset.ts";
import type { Engine } from "../engine.ts";
import { BrodmannError } from "../errors.ts";
import type { Network } from "../network/network.ts";
import type { Partition } from "../partition/partition.ts";
import { patternInputs } from "../report/input-pictures.ts";
import type { CommandContext } from "./command-context.ts";
import type { Flags } from "./flags.ts";
import { layoutOf, PATTERN_FILES, pictureWords, writePatterns } from "./pattern-files.ts";
import { formatPatternResults } from "./pattern-results.ts";
import { POPULATION_FILES, writePopulations } from "./population-files.ts";
import { formatPopulationResults } from "./population-results.ts";

/** All that may be written; what an earlier run has left is no finding of this one. */
export const FURTHER_FILES: readonly string[] = [...POPULATION_FILES, ...PATTERN_FILES];

/** Throws `E_USAGE_OUT` where findings are asked for that there is no folder for. */
export function checkFurther({ populations, patterns }: Flags, folder: string | null): void {
  if (folder !== null || (!populations && !patterns)) return;
  throw new BrodmannError("E_USAGE_OUT", `--${populations ? "populations" : "patterns"}: found no --out`, {
    hint: "Add --out run, a folder for their files.",
  });
}

/** What was analysed. */
interface Subject {
  readonly network: Network;
  readonly data: Dataset;
  readonly storedShape: readonly number[] | null;
  readonly partition: Partition;
}

/** Findings as tables for people, and the names of their files. */
export interface FurtherFindings {
  readonly tables: readonly string[];
  readonly files: readonly string[];
  /** Inputs that a report shows of them. */
  readonly shown: readonly number[];
}

/** Nothing but the scores. */
export const NO_FINDINGS: FurtherFindings = { tables: [], files: [], shown: [] };

/** Finds and writes what the flags ask for, with default settings and the run's seed. */
export async function writeFurther(
  { flags, terminal, signal }: CommandContext,
  engine: Engine,
  folder: string,
  { network, data, storedShape, partition }: Subject,
): Promise<FurtherFindings> {
  const options = { seed: flags.seed, signal, onProgress: terminal.progress };
  const { classNames } = data;
  const tables: string[] = [];
  const files: string[] = [];
  const shown: number[] = [];
  if (flags.populations) {
    const found = await engine.populations(network, data, { ...options, other: partition });
    files.push(...(await writePopulations(folder, found, data, { terminal, classNames, signal })));
    tables.push(formatPopulationResults(found, classNames));
  }
  if (flags.patterns) {
    const found = await engine.patterns(network, data, { ...options, partition });
    const layout = layoutOf(network.inputShape, storedShape, flags, network.name, terminal);
    const facts = { model: network.name, classNames, clusterLabels: null };
    const source = { facts, pictures: layout && { data, layout } };
    const written = await writePatterns(folder, found, source, flags, terminal);
    files.push(...PATTERN_FILES, ...pictureWords(written));
    tables.push(formatPatternResults(found, facts));
    shown.push(...patternInputs(found));
  }
  return { tables, files, shown };
}
