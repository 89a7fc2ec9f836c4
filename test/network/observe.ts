/** Oracles for connections and sites: ONNX Runtime shows what changes with a unit when all else stays. */
import { encodePart, partOf, readsOf } from "../../src/network/model-graph.ts";
import type { Layer, Network } from "../../src/network/network.ts";
import { expandTo } from "../../src/network/position-map.ts";
import { makeNode, makeUntypedValueInfo, makeValueInfo } from "../../src/runtime/onnx.ts";
import { floatTensor, floatValues, Session } from "../../src/runtime/session.ts";
import { rng } from "../../src/statistics/rng.ts";

const sizeOf = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);
const shapeOf = (network: Network, name: string) => network.probe.values.get(name)?.shape ?? [];

/**
 * Cuts the network behind every weight-bearing node, changes one unit of one layer at a time, and tells of each
 * watched value which of its elements change.
 */
async function watchUnits(
  network: Network,
  watched: readonly string[],
  visit: (layer: Layer, unit: number, value: number, hasChanged: Uint8Array) => void,
): Promise<void> {
  const { graph, probe, layers } = network;
  const sources = layers.map(({ weights }) => weights.output);
  const part = partOf(graph, watched, new Set([probe.input, ...sources]));
  const given = [...new Set([probe.input, ...sources])];
  const model = encodePart(graph, {
    nodes: [...part.nodes, ...watched.map((name, i) => makeNode("Identity", [name], [`seen${i}`]))],
    initializers: part.initializers,
    inputs: given.map((name) => makeValueInfo(name, shapeOf(network, name))),
    outputs: watched.map((_, i) => makeUntypedValueInfo(`seen${i}`)),
  });
  const random = rng(0, "observe");
  const draw = (name: string) =>
    Float32Array.from({ length: sizeOf(shapeOf(network, name)) }, () => 2 * random.normal());
  const base = new Map(given.map((name) => [name, draw(name)]));
  const session = await Session.create(model, { label: "observed", threads: 1, isOneShot: true });
  const run = async (values: ReadonlyMap<string, Float32Array>): Promise<Float32Array[]> => {
    const inputs = [...values].map(([name, data]) => [name, floatTensor(data, shapeOf(network, name))]);
    const outputs = await session.run(Object.fromEntries(inputs));
    return watched.map((name, i) => floatValues(outputs[`seen${i}`], name));
  };
  try {
    const before = await run(base);
    for (const layer of layers) {
      const { output, unitAxis } = layer.weights;
      const inner = sizeOf(shapeOf(network, output).slice(unitAxis + 1));
      for (let unit = 0; unit < layer.units; unit++) {
        const changes = before.map((values) => new Uint8Array(values.length));
        // A rectified unit may not show a change at once.
        for (let attempt = 0; attempt < 4; attempt++) {
          const fresh = draw(output);
          const changed = (base.get(output) as Float32Array).map((old, i) =>
            Math.floor(i / inner) % layer.units === unit ? (fresh[i] as number) : old,
          );
          const after = await run(new Map([...base, [output, changed]]));
          after.forEach((values, i) => {
            values.forEach((value, at) => {
              if (value !== before[i]?.[at]) (changes[i] as Uint8Array)[at] = 1;
            });
          });
        }
        changes.forEach((hasChanged, i) => {
          visit(layer, unit, i, hasChanged);
        });
      }
    }
  } finally {
    await session.dispose();
  }
}

/** The value that a layer sums over, and the axis of its channels. */
function dataOf(network: Network, layer: Layer): { readonly value: string; readonly axis: number } {
  const node = network.graph.nodes[layer.weights.node];
  const inputs = node === undefined ? [] : readsOf(node).slice(0, 2);
  const side = network.graph.constants.has(inputs[0] ?? "") ? 1 : 0;
  const value = inputs[side] ?? "";
  const rank = shapeOf(network, value).length;
  const matMulAxis = side === 0 ? rank - 1 : rank - 2;
  return { value, axis: layer.operator === "MatMul" ? matMulAxis : 1 };
}

/** "source>target: channel<unit" for every unit that changes an input channel with no other layer in between. */
export type Influences = readonly string[];

/** Which input channels of a layer change with a unit of another. */
export async function observeInfluences(network: Network): Promise<Influences> {
  const data = network.layers.map((layer) => dataOf(network, layer));
  const found = new Set<string>();
  const names = data.map(({ value }) => value);
  await watchUnits(network, names, (layer, unit, target, hasChanged) => {
    const { value, axis } = data[target] as { value: string; axis: number };
    const shape = shapeOf(network, value);
    const stride = sizeOf(shape.slice(axis + 1));
    hasChanged.forEach((flag, at) => {
      if (!flag) return;
      const channel = Math.floor(at / stride) % (shape[axis] as number);
      found.add(`${layer.name}>${network.layers[target]?.name}: ${channel}<${unit}`);
    });
  });
  return [...found].sort();
}

/** The same, as the network's connections claim it. */
export function claimedInfluences({ layers, connections }: Network): Influences {
  const claims = new Set<string>();
  for (const { source, target, index } of connections) {
    const name = layers[source]?.name;
    if (name === undefined) continue;
    index.forEach((unit, channel) => {
      if (unit >= 0) claims.add(`${name}>${layers[target]?.name}: ${channel}<${unit}`);
    });
  }
  return [...claims].sort();
}

/**
 * What is wrong with the layers' sites: a position that changes with another unit than the one it is said to
 * hold, or a unit that changes none of its own positions.
 */
export async function observeWrongSites(network: Network): Promise<string[]> {
  const sites = network.layers.flatMap((layer) =>
    [layer.preActivation, layer.output].map((site) => ({ layer, site })),
  );
  const units = sites.map(({ site }) => expandTo(site.map, shapeOf(network, site.value)).index);
  const wrong: string[] = [];
  const names = sites.map(({ site }) => site.value);
  await watchUnits(network, names, (layer, unit, number, hasChanged) => {
    const held = units[number] as Int32Array;
    const { layer: owner, site } = sites[number] as (typeof sites)[number];
    const isOwn = owner === layer;
    const strays = hasChanged.findIndex((flag, at) => flag === 1 && !(isOwn && held[at] === unit));
    if (strays >= 0) wrong.push(`${layer.name}:${unit} changes position ${strays} of ${site.value}`);
    const isMute = isOwn && !hasChanged.some((flag, at) => flag === 1 && held[at] === unit);
    if (isMute) wrong.push(`${layer.name}:${unit} changes nothing of its own in ${site.value}`);
  });
  return wrong;
}
