import { byUnit, loadActivations } from "../../data/activations.ts";
import { BrodmannError } from "../../errors.ts";
import { assertGraphPath } from "../../graph/graph-file.ts";
import type { UnitGraph } from "../../graph/unit-graph.ts";
import type { CommandContext } from "../command-context.ts";
import { openDevice } from "../device.ts";
import { openInputs } from "../inputs.ts";
import { prepareFile, printResult } from "../output.ts";
import { writeGraphFile } from "../write-graph-file.ts";

/** `brodmann graph MODEL | --activations FILE`. */
export async function run(context: CommandContext): Promise<void> {
  const { flags, terminal } = context;
  if (flags.out === undefined) {
    throw new BrodmannError("E_USAGE_OUT", "graph: found no --out, expected a graph file", {
      hint: "Add --out graph.npz.",
    });
  }
  checkSource(context);
  assertGraphPath(flags.out);
  await prepareFile(flags.out, [context.positionals[0], flags.data, flags.activations]);
  const graph = await buildGraph(context);
  const { edges, droppedEdges } = await writeGraphFile(flags.out, graph);
  const { size } = graph.matrix;
  terminal.say(`written: ${flags.out} (${size} nodes of ${graph.layers.length} layers, ${edges} edges)`);
  if (droppedEdges > 0) {
    terminal.say(`${flags.out}: without the ${droppedEdges} lightest edges; a graph.npz has them all`);
  }
  if (!flags.json) return;
  const { kind, scope, layers, facts } = graph;
  await printResult(
    JSON.stringify({
      schema: "brodmann/written-graph/1",
      out: flags.out,
      kind,
      scope,
      nodes: graph.matrix.size,
      edges,
      droppedEdges,
      layers,
      facts,
    }),
  );
}

/** The graph comes from a model or from recorded activations, and then nothing else is of use. */
function checkSource({ flags, positionals }: CommandContext): void {
  const hasModel = positionals.length > 0;
  if (hasModel === (flags.activations !== undefined)) {
    throw new BrodmannError(
      "E_USAGE_ARGUMENTS",
      `graph: found ${hasModel ? "both" : "neither"}, expected either MODEL or --activations FILE`,
      { hint: "See brodmann graph --help." },
    );
  }
  if (hasModel) return;
  const idle = (["data", "skip", "take", "mean", "std", "samples", "norm"] as const).find(
    (name) => flags[name] !== undefined,
  );
  const found = flags.graph === "weights" ? "--graph weights" : idle && `--${idle}`;
  if (found === undefined) return;
  throw new BrodmannError("E_USAGE_ARGUMENTS", `graph: found ${found} with --activations, expected a model`, {
    hint: `Leave ${found} out, or pass the network's ONNX file.`,
  });
}

async function buildGraph({ flags, positionals, terminal, signal }: CommandContext): Promise<UnitGraph> {
  const options = {
    kind: flags.graph,
    scope: flags.scope,
    norm: flags.norm,
    correlation: flags.correlation,
    samples: flags.samples,
    topK: flags["top-k"],
    seed: flags.seed,
    signal,
    onProgress: terminal.progress,
  };
  const [model] = positionals;
  const engine = await openDevice(flags, terminal);
  try {
    if (model !== undefined) {
      const { network, data } = await openInputs(model, flags, terminal);
      return await engine.unitGraph(network, data, options);
    }
    const path = flags.activations ?? "";
    const { samples, units, values } = await loadActivations(path);
    return await engine.correlate(
      [{ name: "activations", units }],
      byUnit(values, samples, units),
      samples,
      { activations: path },
      options,
    );
  } finally {
    await engine.dispose();
  }
}
