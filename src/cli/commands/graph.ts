import { buildUnitGraph } from "../../analyze.ts";
import { loadActivations } from "../../data/activations.ts";
import { BrodmannError } from "../../errors.ts";
import { correlateUnits } from "../../graph/activation-graph.ts";
import { assertGraphPath, writeGraph } from "../../graph/graph-file.ts";
import type { UnitGraph } from "../../graph/unit-graph.ts";
import type { CommandContext } from "../commands.ts";
import { openCompute, openInputs } from "../inputs.ts";
import { prepareFile, printResult } from "../output.ts";

/** `brodmann graph MODEL | --activations FILE`. */
export async function run(context: CommandContext): Promise<void> {
  const { flags, terminal } = context;
  if (flags.out === undefined) {
    throw new BrodmannError("E_USAGE_OUT", "graph: found no --out, expected a graph file", {
      hint: "Add --out graph.npz.",
    });
  }
  assertGraphPath(flags.out);
  await prepareFile(flags.out);
  const graph = await buildGraph(context);
  const { edges, droppedEdges } = await writeGraph(flags.out, graph);
  terminal.say(`${flags.out}: ${graph.matrix.size} nodes, ${edges} edges of ${graph.layers.length} layers`);
  if (droppedEdges > 0)
    terminal.say(`${flags.out}: ${droppedEdges} lighter edges left out; graph.npz has them all`);
  if (!flags.json) return;
  const { kind, scope, layers, facts } = graph;
  await printResult(
    JSON.stringify({
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

async function buildGraph({ flags, positionals, terminal, signal }: CommandContext): Promise<UnitGraph> {
  const options = {
    kind: flags.graph,
    scope: flags.scope,
    norm: flags.norm,
    correlation: flags.correlation,
    samples: flags.samples,
    seed: flags.seed,
    signal,
    onProgress: terminal.progress,
  };
  const [model] = positionals;
  if ((model === undefined) === (flags.activations === undefined)) {
    const found = model === undefined ? "neither" : "both";
    throw new BrodmannError(
      "E_USAGE_ARGUMENTS",
      `graph: found ${found}, expected either MODEL or --activations FILE`,
      {
        hint: "See brodmann graph --help.",
      },
    );
  }
  if (flags.activations !== undefined && flags.graph === "weights") {
    throw new BrodmannError(
      "E_USAGE_ARGUMENTS",
      "graph: found --graph weights with --activations, expected a model",
      {
        hint: "Leave --graph out, or pass the network's ONNX file.",
      },
    );
  }
  const compute = await openCompute(flags, terminal);
  try {
    if (model !== undefined) {
      const { network, data } = await openInputs(model, flags, terminal);
      return await buildUnitGraph(network, data, compute, options);
    }
    const path = flags.activations ?? "";
    const { samples, units, values } = await loadActivations(path);
    const byUnit = new Float32Array(values.length);
    for (let unit = 0; unit < units; unit++) {
      for (let sample = 0; sample < samples; sample++) {
        byUnit[unit * samples + sample] = values[sample * units + unit] as number;
      }
    }
    return await correlateUnits(
      [{ name: "activations", units }],
      byUnit,
      samples,
      compute,
      { activations: path },
      options,
    );
  } finally {
    await compute.dispose();
  }
}
