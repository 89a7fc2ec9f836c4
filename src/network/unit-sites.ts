import type { ConstantSource } from "./constants.ts";
import { type ModelGraph, readersOf, readsOf } from "./model-graph.ts";
import type { PositionMap } from "./position-map.ts";
import type { NodeRole, UnitFlow, WeightNode } from "./unit-flow.ts";

/** A value in which a layer's units can be read or replaced, and where they lie in it. */
export interface UnitSite {
  readonly value: string;
  readonly map: PositionMap;
}

/** The two sites of a layer. */
export interface LayerSites {
  /** Behind bias and batch norm, in front of the activation function. */
  readonly preActivation: UnitSite;
  /** Where lesions act: behind activation, pooling and per-unit normalisation (contract, "What a lesion replaces"). */
  readonly output: UnitSite;
}

/** A network whose units were followed. */
export interface FlowSource extends ConstantSource {
  readonly flow: UnitFlow;
}

/**
 * Walks forward from a weight-bearing node along the layer's own path. The path goes on through every node that
 * treats units apart and reads nothing but the path; an activation function written as several nodes
 * (x * sigmoid(x)) forks and joins again, so the walk keeps the set of values still to be read ("live") and
 * has a site whenever that set is a single value. It ends at the first node that mixes units, reads another
 * computed value, or is a network output.
 */
export function findSites(followed: FlowSource, source: number): LayerSites {
  const { graph, flow } = followed;
  const layer = flow.layers[source] as WeightNode;
  const inside = new Set([layer.output]);
  const absorbed = new Set<number>();
  let live = new Set([layer.output]);
  let output = layer.output;
  let preActivation = layer.output;
  let isAffine = true;
  for (;;) {
    const next = nextReader(graph, live, absorbed);
    if (next === null || [...live].some((name) => graph.outputs.includes(name))) break;
    const node = graph.nodes[next];
    const role = flow.roles.get(next);
    const [made, ...others] = node?.output ?? [];
    if (node === undefined || role === undefined || made === undefined || !isPerUnit(role)) break;
    const readsOnlyPath = readsOf(node).every(
      (name) => graph.constants.has(name) || graph.sizes.has(name) || inside.has(name),
    );
    const isForked = others.some((name) => graph.consumers.has(name) || graph.outputs.includes(name));
    if (!readsOnlyPath || isForked || siteAt(followed, source, made) === null) break;
    absorbed.add(next);
    inside.add(made);
    live.add(made);
    live = new Set([...live].filter((name) => name === made || hasUnreadConsumer(graph, name, absorbed)));
    if (role !== "affine") isAffine = false;
    if (live.size !== 1) {
      isAffine = false;
      continue;
    }
    output = made;
    if (isAffine) preActivation = made;
  }
  return {
    preActivation: siteAt(followed, source, preActivation) as UnitSite,
    output: siteAt(followed, source, output) as UnitSite,
  };
}

const isPerUnit = (role: NodeRole): boolean => role !== "mixing";

/** The first node in order that reads a live value and was not passed yet. */
function nextReader(
  graph: ModelGraph,
  live: ReadonlySet<string>,
  absorbed: ReadonlySet<number>,
): number | null {
  let next: number | null = null;
  for (const name of live) {
    for (const reader of readersOf(graph, name)) {
      if (!absorbed.has(reader) && (next === null || reader < next)) next = reader;
    }
  }
  return next;
}

function hasUnreadConsumer(graph: ModelGraph, name: string, absorbed: ReadonlySet<number>): boolean {
  return readersOf(graph, name).some((reader) => !absorbed.has(reader));
}

/** The value as a site of the layer, or null when it does not hold exactly this layer's units. */
function siteAt({ flow, probe }: FlowSource, source: number, value: string): UnitSite | null {
  const terms = flow.flows.get(value) ?? [];
  const [term] = terms;
  if (terms.length !== 1 || term?.source !== source || term.isPooled) return null;
  const { batchAxis = -1, rowsBefore = 1 } = probe.values.get(value) ?? {};
  // Where units share the batch's axis, or inputs cannot be told apart in it, nothing can be put in their place.
  const isClear = batchAxis < 0 || (term.map.dims[batchAxis] === 1 && rowsBefore !== null);
  return isClear ? { value, map: term.map } : null;
}
