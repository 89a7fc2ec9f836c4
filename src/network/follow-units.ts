import { type ModelGraph, readsOf } from "./model-graph.ts";
import { applyOperator } from "./operators.ts";
import { type PositionMap, unitsAlong } from "./position-map.ts";
import type { Probe } from "./probe.ts";
import {
  type FlowState,
  INPUT_LAYER,
  nodeName,
  operatorName,
  type SkippedNode,
  type UnitFlow,
} from "./unit-flow.ts";

/**
 * Follows the units of every layer through the network, operator by operator, whatever its architecture.
 * What cannot be followed is skipped with its reason; the rest is analysed without that connection.
 */
export function followUnits(graph: ModelGraph, probe: Probe): UnitFlow {
  const skipped: SkippedNode[] = [];
  const inputRank = probe.inputShape.length + 1;
  const inputUnits = probe.inputShape.reduce((total, size) => total * size, 1);
  const inputMap: PositionMap = { ...unitsAlong(0, inputUnits, inputRank), dims: [1, ...probe.inputShape] };
  const state: FlowState = {
    graph,
    probe,
    layers: [],
    connections: [],
    flows: new Map([
      [probe.input, [{ source: INPUT_LAYER, map: inputMap, isOwn: false, isActivated: false }]],
    ]),
    roles: new Map(),
    skip: (node, reason) => skipped.push({ node: nodeName(node), operator: operatorName(node), reason }),
  };
  graph.nodes.forEach((node, number) => {
    const isOnPath = readsOf(node).some((name) => !graph.constants.has(name));
    if (isOnPath) applyOperator(state, node, number);
  });
  const { layers, connections, flows, roles } = state;
  return { layers, connections, skipped, flows, roles };
}
