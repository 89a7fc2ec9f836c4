import { INPUT_LAYER } from "../../network/unit-flow.ts";
import type { CommandContext } from "../command-context.ts";
import { openInputs } from "../inputs.ts";
import { printResult } from "../output.ts";
import { formatTable } from "../terminal.ts";

/** `brodmann inspect MODEL`. */
export async function run({ flags, positionals, terminal }: CommandContext): Promise<void> {
  const { network } = await openInputs(positionals[0] ?? "", flags, terminal);
  const nameOf = (source: number) =>
    source === INPUT_LAYER ? network.probe.input : (network.layers[source]?.name ?? "");
  const connections = network.connections.map(({ source, target }) => ({
    from: nameOf(source),
    to: nameOf(target),
  }));
  const layers = network.layers.map((layer) => ({
    name: layer.name,
    operator: layer.operator,
    units: layer.units,
    weights: layer.units * layer.weights.kernel.inputs * layer.weights.kernel.taps,
    isLogits: layer.isLogits,
    preActivation: layer.preActivation.value,
    output: layer.output.value,
  }));
  if (flags.json) {
    const { name, inputShape, logits, skipped } = network;
    const input = { name: network.probe.input, shape: inputShape };
    await printResult(
      JSON.stringify({
        schema: "brodmann/network/1",
        model: name,
        opset: network.graph.opset,
        input,
        logits,
        layers,
        connections,
        skipped,
      }),
    );
    return;
  }
  const rows = layers.map(({ name, operator, units, weights, isLogits, output }) => [
    name,
    operator,
    String(units),
    String(weights),
    isLogits ? "logits" : output,
    connections
      .filter(({ to }) => to === name)
      .map(({ from }) => from)
      .join(" "),
  ]);
  const units = layers.reduce((total, layer) => total + layer.units, 0);
  const skipped = network.skipped.map(
    ({ node, operator, reason }) => `not followed: ${node} (${operator}): ${reason}`,
  );
  const summary = [
    `${network.name}: opset ${network.graph.opset}, input ${network.probe.input} ${network.inputShape.join("x")}`,
    `${layers.length} layers, ${units} units, ${connections.length} connections`,
  ];
  const header = ["layer", "operator", "units", "weights", "lesions act at", "reads"];
  await printResult([...summary, "", formatTable(header, rows), ...skipped].join("\n"));
}
