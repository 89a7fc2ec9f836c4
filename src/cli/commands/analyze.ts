import { join } from "node:path";
import { type Analysis, analyzeNetwork } from "../../analyze.ts";
import type { Dataset } from "../../data/dataset.ts";
import { BrodmannError } from "../../errors.ts";
import { type Csr, toCsr } from "../../graph/csr.ts";
import { writeGraph } from "../../graph/graph-file.ts";
import type { Network } from "../../network/network.ts";
import { clustersOfNodes, formatPartition } from "../../partition/partition-file.ts";
import { formatScores, formatSubclusterTable } from "../../scores/scores-file.ts";
import { formatUnitTable } from "../../scores/unit-table.ts";
import type { CommandContext } from "../commands.ts";
import { checkScores, openCompute, openInputs, requireData } from "../inputs.ts";
import { prepareFolder, printResult, writeText } from "../output.ts";
import { PartialScores } from "../partial-scores.ts";
import { formatImportance } from "../results.ts";
import { formatRun, hashFile } from "../run-file.ts";
import { describePartition } from "./partition.ts";

/** `brodmann analyze MODEL --data D --out DIR`. */
export async function run(context: CommandContext): Promise<void> {
  const { flags, positionals, terminal } = context;
  const [model = ""] = positionals;
  if (flags.out === undefined) {
    throw new BrodmannError("E_USAGE_OUT", "analyze: found no --out, expected a folder", {
      hint: "Add --out run.",
    });
  }
  const { network, data } = await openInputs(model, flags, terminal);
  await analyzeInto(context, network, requireData(data, "analyze"), model, flags.out);
}

/**
 * Analyses a network and prints the scores; with a folder it writes every file of the contract as soon as it is
 * known, so that an interrupted run keeps what is done.
 */
export async function analyzeInto(
  { flags, terminal, signal }: CommandContext,
  network: Network,
  data: Dataset,
  modelPath: string,
  folder: string | null,
): Promise<void> {
  checkScores(flags);
  const startMs = performance.now();
  if (folder !== null) await prepareFolder(folder);
  const write = async (name: string, text: string) => {
    if (folder !== null) await writeText(join(folder, name), text);
  };
  const compute = await openCompute(flags, terminal);
  let csr: Csr | undefined;
  const partial = new PartialScores(folder === null ? null : join(folder, "scores.json"), terminal);
  try {
    const analysis: Analysis = await partial.keepOnInterrupt(() =>
      analyzeNetwork(network, data, compute, {
        kind: flags.graph,
        scope: flags.scope,
        norm: flags.norm,
        correlation: flags.correlation,
        samples: flags.samples,
        partition: { method: flags.method ?? "spectral", k: flags.k, resolution: flags.resolution },
        protocol: flags.protocol,
        shuffles: flags.shuffles,
        seed: flags.seed,
        signal,
        onProgress: terminal.progress,
        onLayer: partial.add,
        onGraph: async (graph) => {
          terminal.say(
            `graph: ${graph.matrix.size} nodes of ${graph.layers.length} layers (${graph.kind}, ${graph.scope})`,
          );
          if (folder === null) return;
          csr = toCsr(graph.matrix);
          await writeGraph(join(folder, "graph.npz"), graph, { csr });
        },
        onPartition: async (partition, graph) => {
          terminal.say(describePartition(partition));
          await write("partition.json", formatPartition(partition, { kind: graph.kind, scope: graph.scope }));
          if (folder === null) return;
          const { droppedEdges } = await writeGraph(join(folder, "graph.gexf"), graph, {
            csr,
            clusters: clustersOfNodes(partition, graph),
          });
          if (droppedEdges > 0)
            terminal.say(`graph.gexf: ${droppedEdges} lighter edges left out; graph.npz has them all`);
        },
      }),
    );
    const scores = formatScores(analysis.importance);
    await write("scores.json", scores);
    await write("subclusters.csv", formatSubclusterTable(analysis.importance));
    await write(
      "units.csv",
      formatUnitTable(analysis.partition, analysis.graph, await compute.degrees(analysis.graph.matrix)),
    );
    const inputs = { model: { path: modelPath, sha256: await hashFile(modelPath) }, data: data.source };
    await write(
      "run.json",
      await formatRun({ inputs, device: compute.device, skipped: network.skipped }, startMs),
    );
    await printResult(flags.json ? scores : formatImportance(analysis.importance, data.classNames));
    if (folder !== null) terminal.say(`written: ${folder}`);
  } finally {
    await compute.dispose();
  }
}
