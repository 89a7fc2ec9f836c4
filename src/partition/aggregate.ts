/** Steps from one level's graph to another: renumbering, grouping, reordering and aggregation by labels. */
import type { LevelGraph } from "./level-graph.ts";

/** Renumbers labels 0 ... labels.length - 1 in place to dense ones, by first appearance; returns how many there are. */
export function compactLabels(labels: Int32Array): number {
  const ids = new Int32Array(labels.length);
  let count = 0;
  for (let node = 0; node < labels.length; node++) {
    const label = labels[node] as number;
    // Ids are kept one up, so that 0 says "not seen yet".
    if (ids[label] === 0) ids[label] = ++count;
    labels[node] = (ids[label] as number) - 1;
  }
  return count;
}

/** Nodes by label, ascending within each (counting sort), and where each of the `count` labels starts among them. */
export function groupByLabel(labels: Int32Array, count: number): { start: Int32Array; nodes: Int32Array } {
  const start = new Int32Array(count + 1);
  for (let node = 0; node < labels.length; node++) {
    const next = (labels[node] as number) + 1;
    start[next] = (start[next] as number) + 1;
  }
  for (let label = 1; label <= count; label++) {
    start[label] = (start[label] as number) + (start[label - 1] as number);
  }
  const nodes = new Int32Array(labels.length);
  const cursor = start.slice(0, count);
  for (let node = 0; node < labels.length; node++) {
    const label = labels[node] as number;
    const at = cursor[label] as number;
    nodes[at] = node;
    cursor[label] = at + 1;
  }
  return { start, nodes };
}

/** Sums of the masses of the nodes of each label 0 ... count - 1. */
export function labelMasses({ size, mass }: LevelGraph, labels: Int32Array, count: number): Float64Array {
  const masses = new Float64Array(count);
  for (let node = 0; node < size; node++) {
    const label = labels[node] as number;
    masses[label] = (masses[label] as number) + (mass[node] as number);
  }
  return masses;
}

/** A graph in CSR, of a unit graph or of a level. */
export interface OrderedRows {
  readonly rowStart: Int32Array;
  readonly column: Int32Array;
  readonly weight: Float32Array | Float64Array;
}

/**
 * The graph with its nodes in another order: node i becomes what `order[i]` was. Nodes that are visited one after
 * another then lie one after another in memory, where a visit in random order waits for memory at every row.
 */
export function reorderNodes(
  rows: OrderedRows,
  mass: Float64Array,
  strength: Float64Array,
  order: Int32Array,
): LevelGraph {
  const { rowStart, column, weight } = rows;
  const size = order.length;
  const place = new Int32Array(size);
  for (let node = 0; node < size; node++) place[order[node] as number] = node;
  const newStart = new Int32Array(size + 1);
  for (let node = 0; node < size; node++) {
    const source = order[node] as number;
    newStart[node + 1] =
      (newStart[node] as number) + (rowStart[source + 1] as number) - (rowStart[source] as number);
  }
  const newColumn = new Int32Array(column.length);
  const newWeight = new Float64Array(column.length);
  const newMass = new Float64Array(size);
  // One array where they are one, as for modularity: every array is one more place in memory to fetch a row from.
  const newStrength = strength === mass ? newMass : new Float64Array(size);
  // Rows are read where they lie and written where they belong: a processor waits for what it reads, not for a write.
  for (let source = 0; source < size; source++) {
    const node = place[source] as number;
    const end = rowStart[source + 1] as number;
    let to = newStart[node] as number;
    for (let at = rowStart[source] as number; at < end; at++) {
      newColumn[to] = place[column[at] as number] as number;
      newWeight[to++] = weight[at] as number;
    }
    newMass[node] = mass[source] as number;
    newStrength[node] = strength[source] as number;
  }
  return {
    size,
    rowStart: newStart,
    column: newColumn,
    weight: newWeight,
    mass: newMass,
    strength: newStrength,
  };
}

/**
 * The graph whose nodes are the `count` labels (0 ... count - 1) of a graph's nodes, with the weights between them
 * summed. Edges inside a label are gone: no move from here on changes what they add.
 */
export function aggregate(graph: LevelGraph, labels: Int32Array, count: number): LevelGraph {
  const { rowStart, column, weight } = graph;
  const { start, nodes } = groupByLabel(labels, count);
  const newStart = new Int32Array(count + 1);
  const newColumn = new Int32Array(column.length);
  const newWeight = new Float64Array(column.length);
  const strength = new Float64Array(count);
  // Weight to each label from the one at hand; all 0 between labels.
  const weightTo = new Float64Array(count);
  let filled = 0;
  for (let label = 0; label < count; label++) {
    const first = filled;
    const lastNode = start[label + 1] as number;
    for (let i = start[label] as number; i < lastNode; i++) {
      const node = nodes[i] as number;
      const end = rowStart[node + 1] as number;
      for (let at = rowStart[node] as number; at < end; at++) {
        const other = labels[column[at] as number] as number;
        const sum = weightTo[other] as number;
        // No branch for what is new: which entries are follows no pattern that a processor could foresee.
        newColumn[filled] = other;
        filled += Number(sum === 0);
        weightTo[other] = sum + (weight[at] as number);
      }
    }
    const last = filled;
    filled = first;
    weightTo[label] = 0;
    let labelStrength = 0;
    for (let at = first; at < last; at++) {
      const other = newColumn[at] as number;
      const sum = weightTo[other] as number;
      newColumn[filled] = other;
      newWeight[filled] = sum;
      filled += Number(sum !== 0);
      labelStrength += sum;
      weightTo[other] = 0;
    }
    strength[label] = labelStrength;
    newStart[label + 1] = filled;
  }
  return {
    size: count,
    rowStart: newStart,
    column: newColumn.subarray(0, filled),
    weight: newWeight.subarray(0, filled),
    mass: labelMasses(graph, labels, count),
    strength,
  };
}
