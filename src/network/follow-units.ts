import { DataType, type NodeProto } from "../runtime/onnx.ts";
import { type ModelGraph, readsOf } from "./model-graph.ts";
import { applyOperator } from "./operators.ts";
import { noUnits, type PositionMap, unitsAlong } from "./position-map.ts";
import type { Probe } from "./probe.ts";
import {
  type FlowState,
  INPUT_LAYER,
  nodeName,
  operatorName,
  type SkippedNode,
  type UnitFlow,
  type UnitTerm,
} from "./unit-flow.ts";

/**
 * Follows the units of every layer through the network, operator by operator, whatever its architecture.
 * What cannot be followed is skipped with its reason; the rest is analysed without that connection. Behind the
 * logits (a final Softmax, an ArgMax) nothing is lost, so nothing is noted.
 */
export function followUnits(graph: ModelGraph, probe: Probe, logits: string): UnitFlow {
  const skipped: SkippedNode[] = [];
  const behindLogits = new Set([logits]);
  const isBehind = (node: NodeProto) =>
    readsOf(node).every((name) => graph.constants.has(name) || behindLogits.has(name));
  const inputRank = probe.inputShape.length + 1;
  const inputUnits = probe.inputShape.reduce((total, size) => total * size, 1);
  // Tokens are numbers of things, not amounts: none of them is a unit.
  const inputMap: PositionMap =
    probe.inputType === DataType.FLOAT
      ? { ...unitsAlong(0, inputUnits, inputRank), dims: [1, ...probe.inputShape] }
      : noUnits(inputRank);
  const input: UnitTerm = {
    source: INPUT_LAYER,
    map: inputMap,
    isOwn: false,
    isActivated: false,
    isPooled: false,
    limit: null,
  };
  const state: FlowState = {
    graph,
    probe,
    layers: [],
    connections: [],
    flows: new Map([[probe.input, [input]]]),
    roles: new Map(),
    skip(node, reason) {
      if (!isBehind(node)) skipped.push({ node: nodeName(node), operator: operatorName(node), reason });
    },
  };
  graph.nodes.forEach((node, number) => {
    const isOnPath = readsOf(node).some((name) => !graph.constants.has(name));
    if (!isOnPath) return;
    applyOperator(state, node, number);
    if (isBehind(node)) for (const name of node.output) behindLogits.add(name);
  });
  const { layers, connections, flows, roles } = state;
  return { layers, connections, skipped, flows, roles };
}
