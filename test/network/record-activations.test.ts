import { describe, expect, it } from "vitest";
import { loadNetworkBytes } from "../../src/network/network.ts";
import { AGGREGATES, recordActivations } from "../../src/network/record-activations.ts";
import { makeUntypedValueInfo } from "../../src/runtime/onnx.ts";
import { edited, randomData, runModel, type Sketch, sketch } from "../support/models.ts";

interface Case {
  readonly title: string;
  readonly shape: readonly number[];
  readonly opset?: number;
  readonly batch?: number;
  readonly units: number;
  /** Positions of a unit in `read`, which is laid out as N x units x positions, or the other way round. */
  readonly positions: number;
  readonly isUnitLast?: boolean;
  /** The value that holds the layer's activations. */
  readonly read: string;
  readonly draw: (model: Sketch) => string;
}

const map = (model: Sketch, units: number) =>
  model.node("Tanh", [model.conv("x", { name: "a", inputs: 2, units, kernel: [3, 3] })], undefined, {
    outputs: ["act"],
  });

const CASES: readonly Case[] = [
  {
    title: "a dense layer",
    shape: [5],
    units: 4,
    positions: 1,
    read: "act",
    draw: (model) =>
      model.dense(
        model.node("Tanh", [model.dense("x", "a", 5, 4)], undefined, { outputs: ["act"] }),
        "z",
        4,
        2,
      ),
  },
  ...[9, 18].map((opset) => ({
    title: `maps, flattened (opset ${opset})`,
    shape: [2, 3, 4],
    opset,
    units: 4,
    positions: 12,
    read: "act",
    draw: (model: Sketch) => model.dense(model.node("Flatten", [map(model, 4)]), "z", 48, 2),
  })),
  {
    title: "maps in N, H, W, C order",
    shape: [2, 3, 3],
    units: 4,
    positions: 9,
    read: "act",
    draw: (model) => {
      const last = model.node("Transpose", [map(model, 4)], { perm: [0n, 2n, 3n, 1n] });
      return model.node("ReduceMean", [model.node("MatMul", [last, model.floats("w", [4, 2])])], {
        axes: [1n, 2n],
        keepdims: 0n,
      });
    },
  },
  {
    title: "maps padded with empty channels",
    shape: [2, 3, 3],
    units: 3,
    positions: 9,
    read: "act",
    draw: (model) => {
      const padded = model.node("Pad", [map(model, 3), model.ints([0, 1, 0, 0, 0, 2, 0, 0])]);
      return model.conv(padded, { name: "z", inputs: 6, units: 2 });
    },
  },
  {
    title: "tokens",
    shape: [3, 4],
    units: 5,
    positions: 3,
    isUnitLast: true,
    read: "act",
    draw: (model) => {
      const a = model.node("MatMul", ["x", model.floats("a.weight", [4, 5])], {}, { name: "a" });
      const act = model.node("Tanh", [a], undefined, { outputs: ["act"] });
      const z = model.node("MatMul", [act, model.floats("z.weight", [5, 2])], {}, { name: "z" });
      return model.node("ReduceMean", [z], { axes: [1n], keepdims: 0n });
    },
  },
  {
    title: "tokens folded into the batch's axis",
    shape: [3, 4],
    units: 5,
    positions: 3,
    isUnitLast: true,
    read: "act",
    draw: (model) => {
      const rows = model.node("Reshape", ["x", model.ints([-1, 4])]);
      const act = model.node("Tanh", [model.dense(rows, "a", 4, 5)], undefined, { outputs: ["act"] });
      const tokens = model.node("Reshape", [model.dense(act, "z", 5, 2), model.ints([-1, 3, 2])]);
      return model.node("ReduceMean", [tokens], { axes: [1n], keepdims: 0n });
    },
  },
  {
    title: "a batch of 4 written into a reshape",
    shape: [2, 3, 3],
    batch: 4,
    units: 4,
    positions: 9,
    read: "act",
    draw: (model) => model.dense(model.node("Reshape", [map(model, 4), model.ints([4, -1])]), "z", 36, 2),
  },
];

describe("recordActivations", () => {
  it.each(CASES)("$title", async ({ shape, opset = 17, batch, units, positions, isUnitLast, read, draw }) => {
    const model = sketch(shape, { opset, batch: batch ?? "n" });
    const bytes = model.encode(draw(model));
    const network = await loadNetworkBytes(bytes, "recorded");
    const count = 8;
    const data = randomData(count, shape, 2);
    const [layer] = network.layers;
    if (layer === undefined) throw new Error("no layer");
    const alone = edited(bytes, ({ graph }) => {
      if (graph) graph.output = [makeUntypedValueInfo(read)];
    });
    const seen = await runModel(alone, data.values, [count, ...shape], batch);
    const at = (input: number, unit: number): number[] =>
      Array.from({ length: positions }, (_, place) => {
        const inside = isUnitLast ? place * units + unit : unit * positions + place;
        return seen[input * units * positions + inside] as number;
      });
    const mean = (values: readonly number[]) => values.reduce((sum, v) => sum + v, 0) / values.length;
    const statistics = {
      value: (values: readonly number[], place: number) => values[place] as number,
      mean,
      std: (values: readonly number[]) => Math.sqrt(mean(values.map((v) => (v - mean(values)) ** 2))),
      max: (values: readonly number[]) => Math.max(...values),
      min: (values: readonly number[]) => Math.min(...values),
    };
    const expectedStatistics = {
      mean: ["mean"],
      mean_std: ["mean", "std"],
      max: ["max"],
      min_max: ["min", "max"],
      none: new Array<string>(positions).fill("value"),
    };
    for (const aggregate of AGGREGATES) {
      const found = await recordActivations(network, layer, data, aggregate);
      expect(found.inputs).toBe(count);
      for (let unit = 0; unit < units; unit++) {
        const own = Array.from(found.columnUnit.keys()).filter((column) => found.columnUnit[column] === unit);
        expect(own.map((column) => found.columnStatistic[column])).toEqual(
          positions === 1 ? ["value"] : expectedStatistics[aggregate],
        );
        own.forEach((column, place) => {
          const statistic = found.columnStatistic[column] ?? "value";
          for (let input = 0; input < count; input++) {
            expect(found.values[input * found.columns + column]).toBeCloseTo(
              statistics[statistic](at(input, unit), place),
              5,
            );
          }
        });
      }
      expect(found.columns).toBe(found.columnUnit.length);
    }
  });
});
