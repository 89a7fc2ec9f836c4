import { join } from "node:path";
import { type Analysis, analyzeNetwork, otherKind } from "../../analyze.ts";
import { BrodmannError, messageOf } from "../../errors.ts";
import { type Csr, toCsr } from "../../graph/csr.ts";
import type { Journal } from "../../journal/journal-file.ts";
import { zeroWeightShare } from "../../network/network.ts";
import { clustersOfNodes, formatPartition } from "../../partition/partition-file.ts";
import { drivingInputs, joinInputs } from "../../report/input-pictures.ts";
import { readRun } from "../../report/read-run.ts";
import { renderReport } from "../../report/render-report.ts";
import { VISUAL_FOLDER } from "../../report/run-pictures.ts";
import { formatScores, formatSubclusterTable } from "../../scores/scores-file.ts";
import { formatUnitTable } from "../../scores/unit-table.ts";
import { maybeImageInput } from "../../visualize/image-input.ts";
import type { CommandContext } from "../command-context.ts";
import { describePartition, describeQuality } from "../describe-partition.ts";
import { openDevice } from "../device.ts";
import { checkFurther, FURTHER_FILES, NO_FINDINGS, writeFurther } from "../further-findings.ts";
import { checkScoreFlags, openInputs, requireLabelled, scoreNames, scoreSettings } from "../inputs.ts";
import { prepareFolder, printResult, removeFile, writeText } from "../output.ts";
import { formatRun, hashFile } from "../run-file.ts";
import { journalPath, KEEP_HINT, namingKept, openScoreJournal, RESUME_HINT } from "../score-journal.ts";
import { formatScoreTables } from "../score-tables.ts";
import type { Terminal } from "../terminal.ts";
import { listPictures, removePictures, writeInputs, writeSheet } from "../visual-sheets.ts";
import { writeGraphFile } from "../write-graph-file.ts";

/** What an analysis writes, in this order. */
const FILES = [
  "graph.npz",
  "partition.json",
  "graph.gexf",
  "scores.json",
  "subclusters.csv",
  "units.csv",
  "run.json",
  "report.html",
] as const;

/** The partition of the graph of the other kind, where `--agreement` asks for it. */
const OTHER_FILES = ["partition-weights.json", "partition-activations.json"] as const;

/** `brodmann analyze MODEL --data D --out DIR`. */
export async function run(context: CommandContext): Promise<void> {
  const { flags, positionals } = context;
  const [model = ""] = positionals;
  if (flags.out === undefined) {
    throw new BrodmannError("E_USAGE_OUT", "analyze: found no --out, expected a folder", {
      hint: "Add --out run.",
    });
  }
  await analyzeInto(context, model, flags.out);
}

/**
 * Analyses a network and prints the scores; with a folder it writes every file of the contract as soon as it is
 * known, so that an interrupted run keeps what is done.
 */
export async function analyzeInto(
  context: CommandContext,
  modelPath: string,
  folder: string | null,
): Promise<void> {
  const { flags, terminal, signal } = context;
  const startMs = performance.now();
  checkFurther(flags, folder);
  checkScoreFlags(flags);
  if (flags.resume && folder === null) {
    throw new BrodmannError(
      "E_USAGE_RESUME",
      "--resume: found no --out, expected that of the run to continue",
      {
        hint: "Add --out run.",
      },
    );
  }
  const engine = await openDevice(flags, terminal);
  let journal: Journal | undefined;
  try {
    if (folder !== null) await prepareFolder(folder, [...FILES, ...OTHER_FILES, ...FURTHER_FILES]);
    const inputs = await openInputs(modelPath, flags, terminal);
    const data = requireLabelled(inputs, "analyze");
    const { network } = inputs;
    const settings = scoreSettings(flags);
    const names = scoreNames(flags);
    const { visual } = settings;
    // Refuses a shape that does not fit before the long work.
    const imageInput =
      names.includes("coherence") || flags.patterns
        ? maybeImageInput(network, visual?.imageShape, visual)
        : null;
    const place = (name: (typeof FILES)[number] | (typeof OTHER_FILES)[number]) => join(folder ?? "", name);
    const kept: string[] = [];
    let csr: Csr | undefined;
    const analysis: Analysis = await namingKept(kept, folder === null ? KEEP_HINT : RESUME_HINT, () =>
      analyzeNetwork(network, data, engine, {
        kind: flags.graph,
        scope: flags.scope,
        norm: flags.norm,
        correlation: flags.correlation,
        samples: flags.samples,
        topK: flags["top-k"],
        partition: {
          method: flags.method ?? "spectral",
          k: flags.k,
          resolution: flags.resolution,
          quality: flags.quality,
        },
        nulls: flags.nulls,
        stability: flags.stability,
        agreement: flags.agreement,
        ...settings,
        scores: names,
        signal,
        onProgress: terminal.progress,
        onGraph: async (graph) => {
          const { matrix, layers, kind, scope } = graph;
          terminal.say(`graph: ${matrix.size} nodes of ${layers.length} layers (${kind}, ${scope})`);
          if (folder === null) return;
          // Results of an earlier run must not stand beside those of this one, should it be interrupted.
          for (const name of [...FILES, ...OTHER_FILES, ...FURTHER_FILES])
            await removeFile(join(folder, name));
          csr = toCsr(matrix);
          await writeGraphFile(place("graph.npz"), graph, { csr });
          kept.push(place("graph.npz"));
        },
        onPartition: async (partition, graph, otherPartition) => {
          for (const line of [...describePartition(partition), ...describeQuality(partition)]) {
            terminal.say(line);
          }
          if (folder === null) return;
          const { kind, scope } = graph;
          await writeText(place("partition.json"), formatPartition(partition, { kind, scope }));
          kept.push(place("partition.json"));
          if (otherPartition !== null) {
            const kind = otherKind(graph.kind);
            const path = place(`partition-${kind}.json`);
            await writeText(path, formatPartition(otherPartition, { kind, scope }));
            kept.push(path);
          }
          const clusters = clustersOfNodes(partition, graph);
          const { droppedEdges } = await writeGraphFile(place("graph.gexf"), graph, { csr, clusters });
          kept.push(place("graph.gexf"));
          csr = undefined;
          if (droppedEdges > 0) {
            terminal.say(
              `graph.gexf: without the ${droppedEdges} lightest edges, which graph.npz has as well`,
            );
          }
        },
        onImages: (images) => {
          if (folder !== null) writeSheet(folder, images);
        },
        openRecords: async (partition) => {
          if (folder === null) return {};
          const run = {
            modelPath,
            network,
            data,
            partition: formatPartition(partition),
            clusters: null,
            engine,
            settings,
            scores: names,
            shard: null,
          };
          journal = await openScoreJournal(journalPath(place("scores.json"), null), run, flags, terminal);
          kept.push(journal.path);
          // A run that goes on has the pictures of the layers that it passes over.
          removePictures(folder, typeof journal.found === "object" && journal.found !== null);
          return { earlier: journal.earlier, onRecord: journal.onRecord };
        },
      }),
    );
    const { importance, coherence } = analysis;
    for (const reason of coherence?.notMeasured ?? []) terminal.say(`not measured: ${reason}`);
    const scores = formatScores(importance, coherence);
    if (folder !== null) {
      const degrees = await engine.degrees(analysis.graph);
      await writeText(place("scores.json"), scores);
      await writeText(place("subclusters.csv"), formatSubclusterTable(importance, coherence));
      await writeText(place("units.csv"), formatUnitTable(analysis.partition, analysis.graph, degrees));
      const model = { path: modelPath, sha256: await hashFile(modelPath) };
      const facts = {
        inputs: { model, data: { ...data.source, classNames: data.classNames } },
        device: engine.device,
        ...engine.facts,
        graph: { kind: analysis.graph.kind, scope: analysis.graph.scope },
        zeroWeightShare: zeroWeightShare(network),
        skipped: network.skipped,
      };
      await writeText(place("run.json"), await formatRun(facts, startMs));
      kept.push(...(["scores.json", "subclusters.csv", "units.csv", "run.json"] as const).map(place));
    }
    const subject = { network, data, storedShape: inputs.storedShape, partition: analysis.partition };
    const {
      tables,
      files: further,
      shown,
    } = folder === null
      ? NO_FINDINGS
      : await namingKept(kept, RESUME_HINT, () => writeFurther(context, engine, folder, subject));
    if (folder !== null && imageInput !== null) {
      const driving = coherence === null ? [] : drivingInputs(coherence);
      writeInputs(folder, joinInputs(driving, shown), data, imageInput);
    }
    terminal.endProgress();
    const text = [formatScoreTables(analysis, data.classNames), ...tables].join("\n\n");
    await printResult(flags.json ? scores : text);
    // All that it holds is in the scores now.
    await journal?.remove();
    if (folder !== null) {
      const hasReport = await writeReport(folder, place("report.html"), terminal);
      const others = flags.agreement ? [`partition-${otherKind(analysis.graph.kind)}.json`] : [];
      const files = [...FILES.filter((name) => hasReport || name !== "report.html"), ...others, ...further];
      const pictures = listPictures(folder).length;
      if (pictures > 0) {
        files.push(`${pictures === 1 ? "a picture" : `${pictures} pictures`} in ${VISUAL_FOLDER}`);
      }
      terminal.say(`written: ${folder} (${files.join(", ")})`);
    }
  } finally {
    journal?.close();
    await engine.dispose();
  }
}

/** Renders the report of what is written. All else is safe by then, so that a failure is told and no more. */
async function writeReport(folder: string, path: string, terminal: Terminal): Promise<boolean> {
  try {
    await writeText(path, await renderReport(await readRun(folder)));
    return true;
  } catch (error) {
    terminal.warn(`report.html is not written: ${messageOf(error)}. Once more: brodmann report ${folder}`);
    return false;
  }
}
