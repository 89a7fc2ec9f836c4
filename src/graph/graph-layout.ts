import { colourOf } from "./cluster-colours.ts";
import type { UnitGraph } from "./unit-graph.ts";

/** How nodes are drawn: layers as columns from left to right, their units stacked and centred. */
export interface GraphLayout {
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** #rrggbb. */
  readonly colour: readonly string[];
}

const UNIT_GAP = 10;

/**
 * Positions and colours of all nodes. Colours tell the clusters apart where `clusters` (an id per node, -1 = none) is
 * given, else the layers. A unit that is a node of several parts gets a column in each.
 */
export function layOut(graph: UnitGraph, clusters: Int32Array | undefined): GraphLayout {
  const size = graph.layer.length;
  const x = new Float64Array(size);
  const y = new Float64Array(size);
  const widest = Math.max(1, ...graph.layers.map((layer) => layer.units));
  // About as wide as high, whatever the network.
  const columnGap = (UNIT_GAP * Math.max(widest, 10)) / Math.max(1, graph.layers.length - 1);
  let columns = 0;
  for (const { nodeStart, nodeCount } of graph.parts) {
    const columnOf = new Map<number, number>();
    for (let node = nodeStart; node < nodeStart + nodeCount; node++) {
      const layer = graph.layer[node] as number;
      const column = columnOf.get(layer) ?? columns++;
      columnOf.set(layer, column);
      const units = graph.layers[layer]?.units ?? 1;
      x[node] = column * columnGap;
      // Upwards is positive: the first unit is on top.
      y[node] = ((units - 1) / 2 - (graph.unit[node] as number)) * UNIT_GAP;
    }
  }
  const colour = Array.from(clusters ?? graph.layer, colourOf);
  return { x, y, colour };
}
