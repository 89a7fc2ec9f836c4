/** The files of populations in the folder of a run. */
import { join } from "node:path";
import type { LabelledInputs } from "../network/outcomes.ts";
import { formatPartition } from "../partition/partition-file.ts";
import { mapInputs } from "../populations/input-map.ts";
import { drawInputMap, formatInputMap, mapPanels } from "../populations/input-map-picture.ts";
import type { Populations } from "../populations/population-settings.ts";
import {
  formatPopulations,
  formatPopulationTable,
  formatRelations,
} from "../populations/populations-file.ts";
import { removeFile, writeText } from "./output.ts";
import type { Terminal } from "./terminal.ts";

/** Some only where there is a model, or more than one kind of population. */
export const POPULATION_FILES = [
  "populations.json",
  "populations.csv",
  "relations.csv",
  "co-response.json",
  "co-impact.json",
  "input-map.svg",
  "input-map.csv",
] as const;

type FileName = (typeof POPULATION_FILES)[number];

interface WriteOptions {
  readonly terminal: Terminal;
  readonly classNames: readonly string[] | null;
  readonly signal: AbortSignal;
}

/**
 * Writes what was found, and with the `inputs` that units were lesioned on a map of them. Files of an earlier run that this
 * one does not have are removed. Gives the names of what is there.
 */
export async function writePopulations(
  folder: string,
  found: Populations,
  inputs: LabelledInputs | null,
  { terminal, classNames, signal }: WriteOptions,
): Promise<string[]> {
  const { impact, coResponse } = found;
  const graph = { kind: "activations", scope: "local" } as const;
  const written = new Set<FileName>();
  const write = async (name: FileName, text: string): Promise<void> => {
    await writeText(join(folder, name), text);
    written.add(name);
  };
  await write("populations.json", formatPopulations(found));
  await write("populations.csv", formatPopulationTable(found));
  await write("co-response.json", formatPartition(coResponse, graph));
  if (impact !== null) {
    await write("relations.csv", formatRelations(impact.relations));
    await write("co-impact.json", formatPartition(impact.coImpact, graph));
  }
  if (impact !== null && inputs !== null) {
    const map = await mapInputs(inputs, found.settings.seed, { signal, onProgress: terminal.progress });
    if (map === null) terminal.say("map: found fewer than four different inputs, so there is none");
    else {
      if (map.inputs.length < inputs.count) {
        terminal.say(`map: ${map.inputs.length} of ${inputs.count} inputs, drawn at random`);
      }
      const panels = mapPanels(impact);
      await write("input-map.svg", drawInputMap(map, inputs.labels, panels, classNames));
      await write("input-map.csv", formatInputMap(map, inputs.labels, impact));
    }
  }
  for (const name of POPULATION_FILES) if (!written.has(name)) await removeFile(join(folder, name));
  return POPULATION_FILES.filter((name) => written.has(name));
}
