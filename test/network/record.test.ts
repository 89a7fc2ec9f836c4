import { describe, expect, it } from "vitest";
import { loadNetworkBytes } from "../../src/network/network.ts";
import { recordUnits } from "../../src/network/record.ts";
import { makeUntypedValueInfo } from "../../src/runtime/onnx.ts";
import { edited, randomData, runModel, type Sketch, sketch } from "../support/models.ts";

const relu = (model: Sketch, from: string) => model.node("Relu", [from]);
const conv = (model: Sketch, name: string, units: number) =>
  model.conv("x", { name, inputs: 2, units, kernel: [3, 3] });

interface Case {
  readonly title: string;
  readonly shape: readonly number[];
  readonly opset?: number;
  readonly batch?: number;
  readonly units: number;
  /** Positions of a unit of layer a in a.out, which is laid out as N x units x positions. */
  readonly positions: number;
  /** What happens to the sums of layer a before they are recorded as its output. */
  readonly activate: (sum: number) => number;
  /** Whether positions are averaged before the absolute value is taken. */
  readonly isPooled?: boolean;
  readonly draw: (model: Sketch) => string;
}

const rectify = (sum: number) => Math.max(0, sum);

const CASES: readonly Case[] = [
  {
    title: "a dense layer, signed",
    shape: [5],
    units: 4,
    positions: 1,
    activate: Math.tanh,
    draw: (model) => model.dense(model.node("Tanh", [model.dense("x", "a", 5, 4)]), "z", 4, 2),
  },
  ...[9, 13, 18].map((opset) => ({
    title: `a convolution's maps (opset ${opset})`,
    shape: [2, 3, 3],
    opset,
    units: 4,
    positions: 9,
    activate: Math.tanh,
    draw: (model: Sketch) =>
      model.conv(model.node("Tanh", [conv(model, "a", 4)]), { name: "z", inputs: 4, units: 2 }),
  })),
  {
    title: "maps behind Flatten",
    shape: [2, 3, 3],
    units: 4,
    positions: 9,
    activate: rectify,
    draw: (model) => model.dense(model.node("Flatten", [relu(model, conv(model, "a", 4))]), "z", 36, 2),
  },
  {
    title: "maps behind global pooling and Flatten",
    shape: [2, 3, 3],
    units: 4,
    positions: 9,
    activate: Math.tanh,
    isPooled: true,
    draw: (model) => {
      const pooled = model.node("GlobalAveragePool", [model.node("Tanh", [conv(model, "a", 4)])]);
      return model.dense(model.node("Flatten", [pooled]), "z", 4, 2);
    },
  },
  {
    title: "maps behind global pooling",
    shape: [2, 3, 3],
    units: 4,
    positions: 9,
    activate: Math.tanh,
    isPooled: true,
    draw: (model) => {
      const pooled = model.node("GlobalAveragePool", [model.node("Tanh", [conv(model, "a", 4)])]);
      return model.conv(pooled, { name: "z", inputs: 4, units: 2, kernel: [1, 1] });
    },
  },
  {
    title: "channels behind a shuffle",
    shape: [2, 3, 3],
    units: 6,
    positions: 9,
    activate: rectify,
    draw: (model) => {
      const a = relu(model, conv(model, "a", 6));
      const folded = model.node("Reshape", [a, model.ints([0, 2, 3, 3, 3])]);
      const turned = model.node("Transpose", [folded], { perm: [0n, 2n, 1n, 3n, 4n] });
      const shuffled = model.node("Reshape", [turned, model.ints([0, 6, 3, 3])]);
      return model.conv(shuffled, { name: "z", inputs: 6, units: 2 });
    },
  },
  {
    title: "maps in N, H, W, C order",
    shape: [2, 3, 3],
    units: 4,
    positions: 9,
    activate: rectify,
    draw: (model) => {
      const last = model.node("Transpose", [relu(model, conv(model, "a", 4))], { perm: [0n, 2n, 3n, 1n] });
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
    activate: rectify,
    draw: (model) => {
      const padded = model.node("Pad", [
        relu(model, conv(model, "a", 3)),
        model.ints([0, 1, 1, 0, 0, 2, 0, 0]),
      ]);
      return model.conv(padded, { name: "z", inputs: 6, units: 2 });
    },
  },
  {
    title: "a single unit",
    shape: [5],
    units: 1,
    positions: 1,
    activate: Math.tanh,
    draw: (model) => model.dense(model.node("Tanh", [model.dense("x", "a", 5, 1)]), "z", 1, 2),
  },
  {
    title: "a single channel, flattened",
    shape: [2, 3, 3],
    units: 1,
    positions: 9,
    activate: rectify,
    draw: (model) => model.dense(model.node("Flatten", [relu(model, conv(model, "a", 1))]), "z", 9, 2),
  },
  {
    title: "a batch of 4 written into a reshape",
    shape: [2, 3, 3],
    batch: 4,
    units: 4,
    positions: 9,
    activate: rectify,
    draw: (model) => {
      const flat = model.node("Reshape", [relu(model, conv(model, "a", 4)), model.ints([4, -1])]);
      return model.dense(flat, "z", 36, 2);
    },
  },
];

describe("recordUnits", () => {
  it.each(CASES)(
    "$title",
    async ({ shape, opset = 17, batch, units, positions, activate, isPooled, draw }) => {
      const model = sketch(shape, { opset, batch: batch ?? "n" });
      const bytes = model.encode(draw(model));
      const network = await loadNetworkBytes(bytes, "recorded");
      const count = 8;
      const data = randomData(count, shape, 2);
      const [layer] = network.layers;
      if (layer === undefined) throw new Error("no layer");
      // The sums as ONNX Runtime gives them for a.out as the only output of the whole model.
      const alone = edited(bytes, ({ graph }) => {
        if (graph) graph.output = [makeUntypedValueInfo("a.out")];
      });
      const sums = await runModel(alone, data.values, [count, ...shape], batch);
      const isMap = shape.length > 1;
      for (const site of ["preActivation", "output"] as const) {
        const recording = await recordUnits(network, [layer], data, site);
        expect(recording).toMatchObject({ units, samples: count });
        const isMean = site === "output" && isPooled === true;
        for (let unit = 0; unit < units; unit++) {
          for (let sample = 0; sample < count; sample++) {
            const start = (sample * units + unit) * positions;
            const own = Array.from(sums.subarray(start, start + positions), (sum) =>
              site === "output" ? activate(sum) : sum,
            );
            const total = own.reduce((sum, value) => sum + (isMap && !isMean ? Math.abs(value) : value), 0);
            const expected = isMean ? Math.abs(total / positions) : total;
            expect(recording.values[unit * count + sample]).toBeCloseTo(expected, 4);
          }
        }
      }
    },
  );

  it("reads transposed data, tokens, and several layers one after another", async () => {
    const model = sketch([3, 4]);
    const a = relu(model, model.node("MatMul", ["x", model.floats("a.weight", [4, 5])], {}, { name: "a" }));
    const mean = model.node("ReduceMean", [a], { axes: [1n], keepdims: 0n });
    const turned = model.node("Transpose", [mean]);
    const b = model.node("MatMul", [model.floats("b.weight", [6, 5]), turned], {}, { name: "b" });
    const back = model.node("Transpose", [model.node("Tanh", [b])]);
    const bytes = model.encode(model.dense(back, "z", 6, 2));
    const network = await loadNetworkBytes(bytes, "recorded");
    const count = 7;
    const data = randomData(count, [3, 4], 2);
    const outputOf = (name: string) =>
      runModel(
        edited(bytes, ({ graph }) => {
          if (graph) graph.output = [makeUntypedValueInfo(name)];
        }),
        data.values,
        [count, 3, 4],
      );
    // b's sums are 6 x N; it is recorded in front of the activation, where the batch is the last axis.
    const { values, units } = await recordUnits(network, network.layers.slice(0, 2), data, "preActivation");
    expect(units).toBe(11);
    const [sumsA, sumsB] = [await outputOf("matmul1"), await outputOf("matmul5")].map((sums) => [
      ...sums,
    ]) as [number[], number[]];
    for (let sample = 0; sample < count; sample++) {
      for (let unit = 0; unit < 5; unit++) {
        const tokens = [0, 1, 2].map((token) => Math.abs(sumsA[(sample * 3 + token) * 5 + unit] as number));
        expect(values[unit * count + sample]).toBeCloseTo(
          tokens.reduce((sum, value) => sum + value, 0),
          4,
        );
      }
      for (let unit = 0; unit < 6; unit++) {
        expect(values[(5 + unit) * count + sample]).toBeCloseTo(sumsB[unit * count + sample] as number, 5);
      }
    }
  });
});
