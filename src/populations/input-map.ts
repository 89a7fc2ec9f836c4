/**
 * A map of the inputs in two dimensions, on which the inputs that a lesion takes can be seen as regions (after Meyes et al. 2019,
 * arXiv 1901.08644, who drew t-SNE maps). By UMAP (McInnes, Healy & Melville 2018, arXiv 1802.03426) of the inputs themselves.
 * A picture only: nothing is ever derived from its coordinates. The only file that imports `umap-js`.
 */
import { UMAP } from "umap-js";
import type { InputSource } from "../network/outcomes.ts";
import { type RunOptions, StepCounter } from "../progress.ts";
import { rng } from "../statistics/rng.ts";
import { principalComponents } from "./principal-components.ts";

/** Inputs on the map at the most: more would hide each other, and take minutes. */
export const MAPPED_INPUTS = 2000;
/** Fewer inputs have no neighbourhoods to draw. */
const LEAST_INPUTS = 4;
const NEIGHBOURS = 15;
/** Inputs wider than this go through so many principal components first. */
const WIDE = 50;
const COMPONENTS = 30;
/** Rounds of the layout; more move points but no regions. */
const EPOCHS = 200;
/** Steps of the layout between two looks at the signal. */
const STEPS_AT_ONCE = 10;

export interface InputMap {
  /** Numbers of the mapped inputs, ascending. */
  readonly inputs: Int32Array;
  /** Coordinates of each of them, from 0 to 1. */
  readonly x: Float64Array;
  readonly y: Float64Array;
}

/**
 * Maps at most `most` inputs (default 2000), drawn at random where there are more; null for fewer than four, and where all are
 * the same.
 *
 * @example
 * const map = await mapInputs(digits, 0);
 */
export async function mapInputs(
  data: InputSource,
  seed: number,
  { most = MAPPED_INPUTS, ...options }: RunOptions & { readonly most?: number | undefined } = {},
): Promise<InputMap | null> {
  const inputs = drawInputs(data.count, most, seed);
  const count = inputs.length;
  if (count < LEAST_INPUTS) return null;
  const points = await pointsOf(data, inputs, seed);
  const neighbours = Math.min(NEIGHBOURS, count - 1);
  const nearest = nearestOf(points, neighbours);
  if (nearest.distances.every((row) => row.every((distance) => distance === 0))) return null;
  const random = rng(seed, "input map");
  const umap = new UMAP({ nComponents: 2, nNeighbors: neighbours, nEpochs: EPOCHS, random: random.uniform });
  umap.setPrecomputedKNN(nearest.indices, nearest.distances);
  const epochs = umap.initializeFit(points);
  const counter = new StepCounter("map of inputs", epochs, options);
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step();
    if ((epoch + 1) % STEPS_AT_ONCE > 0) continue;
    counter.advance(STEPS_AT_ONCE);
    await new Promise((resolve) => setTimeout(resolve));
  }
  const embedding = umap.getEmbedding();
  return { inputs, x: axisOf(embedding, 0), y: axisOf(embedding, 1) };
}

function drawInputs(count: number, most: number, seed: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, input) => input);
  if (count <= most) return order;
  return rng(seed, "mapped inputs").shuffle(order).slice(0, most).sort();
}

/** The inputs as points: as they are, or by their principal components. */
async function pointsOf(data: InputSource, inputs: Int32Array, seed: number): Promise<number[][]> {
  const rows = Array.from(inputs, (input) => data.batch(input, 1));
  const width = rows[0]?.length ?? 0;
  if (width <= WIDE) return rows.map((row) => Array.from(row));
  const values = new Float32Array(rows.length * width);
  rows.forEach((row, number) => {
    values.set(row, number * width);
  });
  const { coordinates, count } = await principalComponents(
    values,
    rows.length,
    COMPONENTS,
    rng(seed, "components"),
  );
  return rows.map((_, row) => Array.from(coordinates.subarray(row * count, (row + 1) * count)));
}

/** The nearest points of each, itself first; of equally near ones the first. */
function nearestOf(
  points: readonly (readonly number[])[],
  neighbours: number,
): { readonly indices: number[][]; readonly distances: number[][] } {
  const indices: number[][] = [];
  const distances: number[][] = [];
  points.forEach((point, own) => {
    const nearest = [own];
    const squares = [0];
    points.forEach((other, number) => {
      if (number === own) return;
      let sum = 0;
      for (let i = 0; i < point.length; i++) sum += ((point[i] as number) - (other[i] as number)) ** 2;
      if (nearest.length === neighbours && !(sum < (squares.at(-1) as number))) return;
      let at = nearest.length;
      while (at > 1 && (squares[at - 1] as number) > sum) at--;
      nearest.splice(at, 0, number);
      squares.splice(at, 0, sum);
      nearest.length = Math.min(nearest.length, neighbours);
      squares.length = nearest.length;
    });
    indices.push(nearest);
    distances.push(squares.map(Math.sqrt));
  });
  return { indices, distances };
}

/** One coordinate of all points, from 0 to 1. */
function axisOf(embedding: readonly (readonly number[])[], axis: number): Float64Array {
  const values = Float64Array.from(embedding, (point) => point[axis] as number);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return values.map((value) => (high > low ? (value - low) / (high - low) : 0.5));
}
