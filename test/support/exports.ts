/** Networks as exporters write them, with what PyTorch makes of them (test/fixtures/networks/networks.py). */
import { readFileSync } from "node:fs";
import { constantFloats } from "../../src/network/constants.ts";
import { type Layer, loadNetworkBytes, type Network } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import { rng } from "../../src/statistics/rng.ts";
import { withWeights } from "./models.ts";

interface Reference {
  readonly x: number[];
  readonly shape: number[];
  readonly logits: number[];
  readonly logitShape: number[];
  readonly hidden?: number[];
  readonly attention?: number[];
  readonly degrees?: number[];
  readonly products?: number[];
}

const folder = new URL("../fixtures/networks/", import.meta.url);
const references: Readonly<Record<string, Reference>> = JSON.parse(
  readFileSync(new URL("networks.json", folder), "utf8"),
);

export const exportNames: readonly string[] = Object.keys(references);

export function referenceOf(name: string): Reference {
  const reference = references[name];
  if (reference === undefined) throw new Error(`no network ${name}`);
  return reference;
}

export const exportBytes = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(new URL(`${name}.onnx`, folder)));

export const loadExport = (name: string): Promise<Network> => loadNetworkBytes(exportBytes(name), name);

/** Seeded inputs like those of the reference: normal numbers, or tokens below 12. */
export function exportData(name: string, count: number, classes: number): LabelledInputs & ExportValues {
  const { shape, x } = referenceOf(name);
  const isTokens = shape.length === 2;
  const size = x.length / (shape[0] ?? 1);
  const random = rng(0, "export data", name);
  const values = Float32Array.from({ length: count * size }, () =>
    isTokens ? random.integer(12) : random.normal(),
  );
  const labels = Int32Array.from({ length: count }, (_, i) => i % classes);
  return { count, labels, values, batch: (start, rows) => values.slice(start * size, (start + rows) * size) };
}

interface ExportValues {
  readonly values: Float32Array;
}

/** The model with the slices of a reader's kernel at zero that read the given units of a layer. */
export function unreadBy(
  bytes: Uint8Array,
  network: Network,
  layer: Layer,
  reader: Layer,
  units: Int32Array,
): Uint8Array {
  const [source, target] = [network.layers.indexOf(layer), network.layers.indexOf(reader)];
  const connection = network.connections.find((one) => one.source === source && one.target === target);
  const { name, layout, inputs, taps, groups } = reader.weights.kernel;
  return withWeights(bytes, name, (at, old) => {
    const output = layout === "outputs-first" ? Math.floor(at / (inputs * taps)) : at % reader.units;
    const input = layout === "outputs-first" ? Math.floor(at / taps) % inputs : Math.floor(at / reader.units);
    const channel = Math.floor(output / (reader.units / groups)) * inputs + input;
    return units.includes(connection?.index[channel] ?? -1) ? 0 : old;
  });
}

/** The model with a layer's own kernel and bias at zero for the given units. */
export function silencedIn(bytes: Uint8Array, network: Network, layer: Layer, units: Int32Array): Uint8Array {
  const { name, layout, inputs, taps } = layer.weights.kernel;
  const silent = withWeights(bytes, name, (at, old) => {
    const output = layout === "outputs-first" ? Math.floor(at / (inputs * taps)) : at % layer.units;
    return units.includes(output) ? 0 : old;
  });
  const bias = biasOf(network, layer);
  return bias === null ? silent : withWeights(silent, bias, (at, old) => (units.includes(at) ? 0 : old));
}

/** The third input of Conv and Gemm, or the constant that is added to a MatMul's output. */
function biasOf({ graph, probe }: Network, { weights, operator }: Layer): string | null {
  if (operator !== "MatMul") return graph.nodes[weights.node]?.input[2] ?? null;
  const [next = -1] = graph.consumers.get(weights.output) ?? [];
  const node = graph.nodes[next];
  if (node?.opType !== "Add") return null;
  const bias = node.input.find((name) => constantFloats({ graph, probe }, name)?.dims.length === 1);
  return bias ?? null;
}
