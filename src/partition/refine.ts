/**
 * Refinement of the Leiden method (Traag, Waltman & van Eck 2019, doi:10.1038/s41598-019-41695-z, algorithm A.3): within
 * each cluster single nodes merge into well-connected parts of it, at random in proportion to exp(gain / theta). What
 * comes out is connected, and is what the next level's nodes are made of.
 */
import type { Rng } from "../statistics/rng.ts";
import type { LevelGraph } from "./level-graph.ts";
import type { MoveScratch } from "./move-nodes.ts";

/** Weights below exp(-40) of the largest are never drawn. */
const NEGLIGIBLE = 40;

/** Scratch memory of `refine` for graphs of up to as many nodes as `moveScratch` was made for. */
export interface RefineScratch extends Pick<MoveScratch, "queue" | "touched"> {
  /** Weight from a node to each part; all 0 between nodes. */
  readonly weightTo: Float64Array;
  /** Theta in units of weight. */
  readonly temperature: number;
  /** Gain of each touched part. */
  readonly gain: Float64Array;
  readonly partMass: Float64Array;
  /** Weight from each part to the rest of its cluster. */
  readonly partCut: Float64Array;
  /** Where each node's neighbours of its own cluster end, which are the first of its row. */
  readonly nearEnd: Int32Array;
  /** 1 where a part has several nodes. */
  readonly isJoined: Uint8Array;
}

/** Shares what both steps need with the scratch memory of `moveNodes`. */
export function refineScratch({ queue, touched }: MoveScratch, temperature: number): RefineScratch {
  const size = queue.length;
  return {
    queue,
    touched,
    temperature,
    weightTo: new Float64Array(size),
    gain: new Float64Array(size),
    partMass: new Float64Array(size),
    partCut: new Float64Array(size),
    nearEnd: new Int32Array(size),
    isJoined: new Uint8Array(size),
  };
}

/**
 * Writes to `parts` a part (0 ... size - 1, not dense) for every node. Nodes are looked at in the order of
 * `scratch.queue`; `clusterMass` are the masses of `clusters`. Changes the order of the entries of each row.
 */
export function refine(
  graph: LevelGraph,
  clusters: Int32Array,
  clusterMass: Float64Array,
  resolution: number,
  parts: Int32Array,
  scratch: RefineScratch,
  random: Rng,
): void {
  const { size, rowStart, column, weight, mass } = graph;
  const { queue, weightTo, touched, gain, partMass, partCut, nearEnd, isJoined, temperature } = scratch;
  startAlone(graph, clusters, parts, scratch);
  for (let i = 0; i < size; i++) {
    const node = queue[i] as number;
    if (isJoined[node] !== 0) continue;
    const cluster = clusters[node] as number;
    const wholeMass = clusterMass[cluster] as number;
    const nodeMass = mass[node] as number;
    const factor = resolution * nodeMass;
    if ((partCut[node] as number) < factor * (wholeMass - nodeMass)) continue;
    const start = rowStart[node] as number;
    const near = (nearEnd[node] as number) - start;
    for (let j = 0; j < near; j++) touched[j] = parts[column[start + j] as number] as number;
    let count = 0;
    for (let j = 0; j < near; j++) {
      const part = touched[j] as number;
      const sum = weightTo[part] as number;
      touched[count] = part;
      count += Number(sum === 0);
      weightTo[part] = sum + (weight[start + j] as number);
    }
    // Staying alone gains 0 and is the first of the choices.
    let highest = 0;
    for (let j = 0; j < count; j++) {
      const part = touched[j] as number;
      const other = partMass[part] as number;
      const isWellConnected = (partCut[part] as number) >= resolution * other * (wholeMass - other);
      const value = isWellConnected ? (weightTo[part] as number) - factor * other : -1;
      gain[j] = value;
      if (value > highest) highest = value;
    }
    const chosen = draw(gain, count, highest, temperature, random);
    if (chosen >= 0) {
      const part = touched[chosen] as number;
      parts[node] = part;
      isJoined[node] = 1;
      isJoined[part] = 1;
      partMass[part] = (partMass[part] as number) + nodeMass;
      partCut[part] = (partCut[part] as number) + (partCut[node] as number) - 2 * (weightTo[part] as number);
    }
    for (let j = 0; j < count; j++) weightTo[touched[j] as number] = 0;
  }
}

/**
 * Every node its own part. Puts the neighbours of a node's own cluster in front of its row: whoever reads a neighbour's
 * cluster waits for memory, so that is done once.
 */
function startAlone(
  graph: LevelGraph,
  clusters: Int32Array,
  parts: Int32Array,
  scratch: RefineScratch,
): void {
  const { size, rowStart, column, weight, mass } = graph;
  const { partMass, partCut, nearEnd, isJoined } = scratch;
  isJoined.fill(0, 0, size);
  for (let node = 0; node < size; node++) {
    parts[node] = node;
    partMass[node] = mass[node] as number;
    const cluster = clusters[node] as number;
    const end = rowStart[node + 1] as number;
    let near = rowStart[node] as number;
    let sum = 0;
    for (let at = near; at < end; at++) {
      const neighbour = column[at] as number;
      const value = weight[at] as number;
      const isNear = Number(clusters[neighbour] === cluster);
      // Changes places with the first of another cluster in any case: no processor foresees which are near.
      column[at] = column[near] as number;
      weight[at] = weight[near] as number;
      column[near] = neighbour;
      weight[near] = value;
      near += isNear;
      sum += isNear * value;
    }
    nearEnd[node] = near;
    partCut[node] = sum;
  }
}

/** A choice in proportion to exp(gain / temperature) among gains from 0 and staying alone (-1), which gains 0. */
function draw(gain: Float64Array, count: number, highest: number, temperature: number, random: Rng): number {
  const limit = highest - NEGLIGIBLE * temperature;
  let candidates = limit <= 0 ? 1 : 0;
  let last = -1;
  for (let j = 0; j < count; j++) {
    const value = gain[j] as number;
    if (value < 0 || value < limit) continue;
    candidates++;
    last = j;
  }
  if (candidates <= 1) return last;
  let total = limit <= 0 ? Math.exp(-highest / temperature) : 0;
  for (let j = 0; j < count; j++) {
    const value = gain[j] as number;
    if (value >= 0 && value >= limit) total += Math.exp((value - highest) / temperature);
  }
  let left = random.uniform() * total;
  if (limit <= 0) {
    left -= Math.exp(-highest / temperature);
    if (left < 0) return -1;
  }
  for (let j = 0; j < count; j++) {
    const value = gain[j] as number;
    if (value < 0 || value < limit) continue;
    left -= Math.exp((value - highest) / temperature);
    if (left < 0) return j;
  }
  return last;
}
