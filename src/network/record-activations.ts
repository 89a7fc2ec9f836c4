/** What a layer answers to every input, its positions brought down to a few numbers for each unit. */
import { type RunOptions, StepCounter } from "../progress.ts";
import { makeUntypedValueInfo } from "../runtime/onnx.ts";
import { floatValues, Session } from "../runtime/session.ts";
import { batchFirst } from "./batch-first.ts";
import { batchesOf, padBatch, rowsPerRun } from "./batching.ts";
import { createEmitter } from "./emitter.ts";
import { encodePart, partOf } from "./model-graph.ts";
import type { Layer, Network } from "./network.ts";
import { inputFeed, inputInfo } from "./network-input.ts";
import type { InputSource } from "./outcomes.ts";
import { expandTo } from "./position-map.ts";

/** How the positions of a unit (a convolution's map, tokens) become columns (patterns note, section 2). */
export const AGGREGATES = ["mean", "mean_std", "max", "min_max", "none"] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/** What a column holds of its unit; `value` is the unit at one position. The standard deviation is that of the population. */
export type Statistic = "value" | "mean" | "std" | "max" | "min";

const STATISTICS: Readonly<Record<Aggregate, readonly Statistic[]>> = {
  mean: ["mean"],
  mean_std: ["mean", "std"],
  max: ["max"],
  min_max: ["min", "max"],
  none: ["value"],
};

/** A layer's activations over all inputs. */
export interface LayerActivations {
  readonly inputs: number;
  readonly columns: number;
  /** Inputs x columns, row-major. */
  readonly values: Float32Array;
  /** Unit of the layer that a column belongs to, and what it holds of it; all units for one statistic, then the next. */
  readonly columnUnit: Int32Array;
  readonly columnStatistic: readonly Statistic[];
}

/**
 * Records a layer's output (behind its activation function, as the following layers see it) over all inputs. Where a
 * unit has one position its value is the only column, whatever the aggregate; `none` keeps every position.
 * Memory is that of the result and one batch.
 *
 * @example
 * const { values, columns } = await recordActivations(network, layer, digits, "mean_std");
 */
export async function recordActivations(
  network: Network,
  layer: Layer,
  data: InputSource,
  aggregate: Aggregate,
  options: RunOptions = {},
): Promise<LayerActivations> {
  const { graph, probe } = network;
  const emitter = createEmitter(graph.opset, "brodmann/activations");
  const { value, sizes, map } = batchFirst(emitter, network, layer.output);
  const { index } = expandTo(
    map,
    sizes.map((size, axis) => (axis === 0 ? 1 : size)),
  );
  const plan = planColumns(index, layer.units, aggregate);
  const columns = plan.columnUnit.length;
  const values = new Float32Array(data.count * columns);
  const part = partOf(graph, [layer.output.value], new Set([probe.input]));
  const model = encodePart(graph, {
    nodes: [...part.nodes, ...emitter.nodes],
    initializers: [...part.initializers, ...emitter.initializers],
    inputs: [inputInfo(probe)],
    outputs: [makeUntypedValueInfo(value)],
  });
  const counter = new StepCounter(`recording ${layer.name}`, data.count, options);
  const session = await Session.create(model, { label: network.name });
  try {
    for (const { start, rows } of batchesOf(data.count, rowsPerRun(network, part.nodes))) {
      const size = probe.fixedBatch ?? rows;
      const inputs = padBatch(data.batch(start, rows), rows, size);
      const made = await session.run(inputFeed(probe, inputs, size));
      const outputs = floatValues(made[value], value);
      for (let row = 0; row < rows; row++) {
        const from = row * index.length;
        const to = (start + row) * columns;
        plan.fill(outputs.subarray(from, from + index.length), values.subarray(to, to + columns));
      }
      counter.advance(rows);
    }
  } finally {
    await session.dispose();
  }
  return { inputs: data.count, values, columns, ...plan };
}

interface ColumnPlan extends Pick<LayerActivations, "columnUnit" | "columnStatistic"> {
  /** The columns of one input from its values at all positions. */
  fill(positions: Float32Array, columns: Float32Array): void;
}

/** `index` gives the unit at each position, -1 where there is none. */
function planColumns(index: Int32Array, units: number, aggregate: Aggregate): ColumnPlan {
  const counts = new Int32Array(units);
  for (const unit of index) if (unit >= 0) counts[unit] = (counts[unit] as number) + 1;
  if (aggregate === "none" || counts.every((count) => count <= 1)) {
    const held = Array.from(index.keys()).filter((place) => (index[place] as number) >= 0);
    // By unit, its positions in their order, whatever the layout.
    const order = Int32Array.from(held.sort((a, b) => (index[a] as number) - (index[b] as number) || a - b));
    return {
      columnUnit: order.map((place) => index[place] as number),
      columnStatistic: Array.from(order, () => "value"),
      fill: (positions, columns) => {
        for (let column = 0; column < order.length; column++) {
          columns[column] = positions[order[column] as number] as number;
        }
      },
    };
  }
  const statistics = STATISTICS[aggregate];
  const scratch = new Float64Array(units);
  const means = new Float64Array(units);
  const fillers: Readonly<Record<Exclude<Statistic, "value">, (positions: Float32Array) => void>> = {
    mean: (positions) => sumByUnit(positions, index, counts, means, scratch),
    std: (positions) => spreadByUnit(positions, index, counts, means, scratch),
    max: (positions) => extremeByUnit(positions, index, scratch, 1),
    min: (positions) => extremeByUnit(positions, index, scratch, -1),
  };
  return {
    columnUnit: Int32Array.from({ length: units * statistics.length }, (_, column) => column % units),
    columnStatistic: statistics.flatMap((statistic) => new Array<Statistic>(units).fill(statistic)),
    fill: (positions, columns) => {
      statistics.forEach((statistic, number) => {
        if (statistic !== "value") fillers[statistic](positions);
        columns.set(scratch, number * units);
      });
    },
  };
}

/** Means of the units' positions, into both arrays. */
function sumByUnit(
  positions: Float32Array,
  index: Int32Array,
  counts: Int32Array,
  means: Float64Array,
  out: Float64Array,
): void {
  means.fill(0);
  for (let place = 0; place < index.length; place++) {
    const unit = index[place] as number;
    if (unit >= 0) means[unit] = (means[unit] as number) + (positions[place] as number);
  }
  for (let unit = 0; unit < means.length; unit++) {
    means[unit] = (means[unit] as number) / Math.max(1, counts[unit] as number);
  }
  out.set(means);
}

/** Standard deviations around the means that `sumByUnit` left: no difference of large sums. */
function spreadByUnit(
  positions: Float32Array,
  index: Int32Array,
  counts: Int32Array,
  means: Float64Array,
  out: Float64Array,
): void {
  out.fill(0);
  for (let place = 0; place < index.length; place++) {
    const unit = index[place] as number;
    if (unit < 0) continue;
    const difference = (positions[place] as number) - (means[unit] as number);
    out[unit] = (out[unit] as number) + difference * difference;
  }
  for (let unit = 0; unit < out.length; unit++) {
    out[unit] = Math.sqrt((out[unit] as number) / Math.max(1, counts[unit] as number));
  }
}

/** Largest (sign 1) or smallest (sign -1) values; 0 for a unit without positions. */
function extremeByUnit(positions: Float32Array, index: Int32Array, out: Float64Array, sign: 1 | -1): void {
  out.fill(Number.NEGATIVE_INFINITY);
  for (let place = 0; place < index.length; place++) {
    const unit = index[place] as number;
    const value = sign * (positions[place] as number);
    if (unit >= 0 && value > (out[unit] as number)) out[unit] = value;
  }
  for (let unit = 0; unit < out.length; unit++) {
    const found = out[unit] as number;
    out[unit] = found === Number.NEGATIVE_INFINITY ? 0 : sign * found;
  }
}
