/**
 * What a network with units at their means must give, found apart from the program's own lesions: the means are taken
 * in float64 from the network's recorded values, and written into a copy of the model as a product and a sum.
 */
import { graphOf } from "../../src/network/load-model.ts";
import type { Layer, Network } from "../../src/network/network.ts";
import { inputTensor } from "../../src/network/network-input.ts";
import { expandTo } from "../../src/network/position-map.ts";
import { encodeModel, makeFloatTensor, makeNode, makeUntypedValueInfo } from "../../src/runtime/onnx.ts";
import { floatValues, Session } from "../../src/runtime/session.ts";

export interface KeptUnits {
  readonly layer: Layer;
  readonly units: Int32Array;
}

/** Values by name, those of all batches one behind the other. */
export type Outputs = ReadonlyMap<string, Float32Array[]>;

/** All outputs of a model, by ONNX Runtime alone. */
export async function runOutputs(
  bytes: Uint8Array,
  network: Network,
  values: Float32Array,
  count: number,
): Promise<Outputs> {
  const { input, inputShape, inputType, fixedBatch } = network.probe;
  const batch = fixedBatch ?? count;
  const size = values.length / count;
  const session = await Session.create(bytes, { label: "oracle", threads: 1, isOneShot: true });
  const found = new Map<string, Float32Array[]>(session.outputNames.map((name) => [name, []]));
  try {
    for (let start = 0; start < count; start += batch) {
      const part = values.slice(start * size, (start + batch) * size);
      const outputs = await session.run({ [input]: inputTensor(part, [batch, ...inputShape], inputType) });
      for (const [name, list] of found) list.push(floatValues(outputs[name], name).slice());
    }
  } finally {
    await session.dispose();
  }
  return found;
}

/** The outputs with all units of some layers but the kept ones at their means over the inputs. */
export async function splicedOutputs(
  network: Network,
  kept: readonly KeptUnits[],
  values: Float32Array,
  count: number,
): Promise<Outputs> {
  const { model } = network.graph;
  const graph = graphOf(model);
  const batch = network.probe.fixedBatch ?? count;
  const sites = kept.map(({ layer }) => layer.output.value);
  const recording = { ...graph, output: sites.map(makeUntypedValueInfo) };
  const recorded = await runOutputs(encodeModel({ ...model, graph: recording }), network, values, count);
  const node = [...graph.node];
  const initializer = [...graph.initializer];
  for (const { layer, units } of kept) {
    const { value, map } = layer.output;
    const { shape = [], batchAxis = 0, rowsPerInput = 1, rowsBefore } = network.probe.values.get(value) ?? {};
    const full = shape.map((size, axis) => (axis === batchAxis ? batch * rowsPerInput : size));
    const before = rowsBefore ?? 1;
    const after = rowsPerInput / before;
    const inner = full.slice(batchAxis + 1).reduce((product, size) => product * size, 1);
    const run = batch * rowsPerInput * inner;
    const keyOf = (at: number) => {
      const row = Math.floor(at / inner) % (batch * rowsPerInput);
      const [b, i] = [Math.floor(row / (batch * after)), row % after];
      return ((Math.floor(at / run) * before + b) * after + i) * inner + (at % inner);
    };
    const parts = recorded.get(value) ?? [];
    const length = parts[0]?.length ?? 0;
    const sums = new Float64Array(length / batch);
    for (const part of parts) {
      part.forEach((number, at) => {
        sums[keyOf(at)] = (sums[keyOf(at)] as number) + number;
      });
    }
    const unitAt = expandTo(map, full).index;
    const isLost = (at: number) => (unitAt[at] as number) >= 0 && !units.includes(unitAt[at] as number);
    const factors = Float32Array.from({ length }, (_, at) => (isLost(at) ? 0 : 1));
    const means = Float32Array.from({ length }, (_, at) =>
      isLost(at) ? (sums[keyOf(at)] as number) / count : 0,
    );
    const number = node.findIndex(({ output }) => output.includes(value));
    const maker = node[number];
    if (maker === undefined) throw new Error(`nobody makes ${value}`);
    const output = maker.output.map((name) => (name === value ? `${value}.own` : name));
    node.splice(
      number,
      1,
      { ...maker, output },
      makeNode("Mul", [`${value}.own`, `${value}.factors`], [`${value}.left`]),
      makeNode("Add", [`${value}.left`, `${value}.means`], [value]),
    );
    initializer.push(makeFloatTensor(`${value}.factors`, full, factors));
    initializer.push(makeFloatTensor(`${value}.means`, full, means));
  }
  const whole = encodeModel({ ...model, graph: { ...graph, node, initializer } });
  return runOutputs(whole, network, values, count);
}

/** The largest difference of any output, as a share of the largest number where that is above 1. */
export function largestDifference(found: Outputs, expected: Outputs): number {
  let worst = 0;
  let most = 1;
  for (const [name, parts] of expected) {
    for (const [i, part] of parts.entries()) {
      const others = found.get(name)?.[i] ?? new Float32Array();
      if (others.length !== part.length) return Number.NaN;
      part.forEach((value, at) => {
        worst = Math.max(worst, Math.abs(value - (others[at] as number)));
        most = Math.max(most, Math.abs(value));
      });
    }
  }
  return worst / most;
}
