/**
 * Positions of units by their edges (ForceAtlas2, Jacomy et al. 2014, doi:10.1371/journal.pone.0098679). It moves from given
 * positions and draws nothing at random, so the same graph has the same layout. The only file that imports the layout.
 */
import { UndirectedGraph } from "graphology";
import forceAtlas2Module from "graphology-layout-forceatlas2";

// CommonJS: its types put the function under `default`, Node hands out the function itself.
const forceAtlas2 = forceAtlas2Module as unknown as typeof forceAtlas2Module.default;

/** Steps x units: a second or two. */
const WORK = 200_000;
const MOST_STEPS = 300;
const GOLDEN_ANGLE = Math.PI * (3 - Math.sqrt(5));

/** Coordinates from 0 to 1. */
export interface Positions {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** Lays out units of the given clusters (-1 = none). They begin with their cluster, side by side. */
export function layOutByForce(
  clusters: readonly number[],
  edges: {
    readonly source: readonly number[];
    readonly target: readonly number[];
    readonly weight: readonly number[];
  },
): Positions {
  const count = clusters.length;
  if (count === 0) return { x: [], y: [] };
  const graph = new UndirectedGraph();
  const start = startOf(clusters);
  for (let unit = 0; unit < count; unit++) graph.addNode(unit, { x: start.x[unit], y: start.y[unit] });
  const heaviest = Math.max(1e-30, ...edges.weight.slice(0, 1));
  edges.source.forEach((source, edge) => {
    const weight = (edges.weight[edge] as number) / heaviest;
    graph.addUndirectedEdge(source, edges.target[edge], { weight });
  });
  const iterations = Math.max(20, Math.min(MOST_STEPS, Math.floor(WORK / count)));
  const settings = { ...forceAtlas2.inferSettings(graph), barnesHutOptimize: count > 1000, linLogMode: true };
  const found = forceAtlas2(graph, { iterations, settings, getEdgeWeight: "weight" });
  const at = (axis: "x" | "y") => Array.from(clusters, (_, unit) => found[String(unit)]?.[axis] ?? 0);
  return { x: toUnitRange(at("x")), y: toUnitRange(at("y")) };
}

/** Clusters on a circle, the units of each on a spiral around its place. */
function startOf(clusters: readonly number[]): Positions {
  const most = Math.max(0, ...clusters) + 2;
  const counts = new Int32Array(most);
  const places = clusters.map((cluster) => {
    const number = (counts[cluster + 1] as number) + 1;
    counts[cluster + 1] = number;
    const angle = (2 * Math.PI * (cluster + 1)) / most;
    const radius = 2 * Math.sqrt(number);
    return [
      100 * Math.cos(angle) + radius * Math.cos(number * GOLDEN_ANGLE),
      100 * Math.sin(angle) + radius * Math.sin(number * GOLDEN_ANGLE),
    ] as const;
  });
  return { x: places.map(([x]) => x), y: places.map(([, y]) => y) };
}

/** Coordinates from 0 to 1, four digits. Far outliers (units without edges that drift off) are held at the rim. */
function toUnitRange(values: readonly number[]): number[] {
  const sorted = Float64Array.from(values).sort();
  const [low, high] = [
    sorted[Math.floor(0.005 * sorted.length)] as number,
    sorted[Math.ceil(0.995 * (sorted.length - 1))] as number,
  ];
  const spread = high - low || 1;
  return values.map((value) => Number(Math.min(1, Math.max(0, (value - low) / spread)).toFixed(4)));
}
