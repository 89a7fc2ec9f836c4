/** Small convolutional networks of random operators. */
import { rng } from "../../src/statistics/rng.ts";
import { type Sketch, sketch } from "./models.ts";

/** A value of a random network: N x channels x 4 x 4. */
interface Drawn {
  readonly name: string;
  readonly channels: number;
}

/** Height and width of every map. */
export const SIZE = 4;
const STEPS = 12;

/** Grows a network by random operators on random earlier values; everything is concatenated in front of the head. */
export function drawNetwork(seed: number): { readonly model: Sketch; readonly output: string } {
  const random = rng(seed, "random network");
  const model = sketch([2, SIZE, SIZE], { seed });
  const layer = (from: Drawn, channels = 1 + random.integer(5)): Drawn => {
    const groups = random.integer(3) === 0 ? from.channels : 1;
    const units = groups === 1 ? channels : from.channels * (1 + random.integer(2));
    const name = `layer${model.nodes.length}`;
    return { name: model.conv(from.name, { name, inputs: from.channels, units, groups }), channels: units };
  };
  const same = (from: Drawn, name: string): Drawn => ({ name, channels: from.channels });
  const rows = BigInt(SIZE);
  const operators: ((from: Drawn) => Drawn)[] = [
    layer,
    layer,
    layer,
    // Not Relu: behind a negative factor a second one would let nothing through.
    (from) => same(from, model.node("LeakyRelu", [from.name])),
    (from) => same(from, model.node("Mul", [from.name, model.node("Sigmoid", [from.name])])),
    (from) => same(from, model.batchNorm(from.name, `norm${model.nodes.length}`, from.channels)),
    (from) => {
      const attributes = { kernel_shape: [3n, 3n], pads: [1n, 1n, 1n, 1n] } as const;
      return same(from, model.node("AveragePool", [from.name], attributes));
    },
    (from) => {
      const factors = model.floats(`factors${model.nodes.length}`, [from.channels, 1, 1]);
      return same(from, model.node("Mul", [factors, from.name]));
    },
    (from) => {
      const other = values.filter(({ channels }) => channels === from.channels);
      const partner = other[random.integer(other.length)] ?? from;
      return same(from, model.node("Add", [from.name, partner.name]));
    },
    (from) => {
      const partner = values[random.integer(values.length)] ?? from;
      const name = model.node("Concat", [from.name, partner.name], { axis: 1n });
      return { name, channels: from.channels + partner.channels };
    },
    (from) => {
      const first = random.integer(from.channels);
      const ranges = [model.ints([first]), model.ints([99]), model.ints([1]), model.ints([2])];
      const name = model.node("Slice", [from.name, ...ranges]);
      return { name, channels: Math.ceil((from.channels - first) / 2) };
    },
    (from) => {
      const picked = Array.from({ length: 3 }, () => random.integer(from.channels));
      return { name: model.node("Gather", [from.name, model.ints(picked)], { axis: 1n }), channels: 3 };
    },
    (from) => {
      const name = model.node("Pad", [from.name, model.ints([0, 1, 0, 0, 0, 2, 0, 0])]);
      return { name, channels: from.channels + 3 };
    },
    (from) => {
      const groups = from.channels % 2 === 0 ? 2 : 1;
      const folded = model.ints([0, groups, from.channels / groups, SIZE, SIZE]);
      const turned = model.node("Transpose", [model.node("Reshape", [from.name, folded])], {
        perm: [0n, 2n, 1n, 3n, 4n],
      });
      return same(from, model.node("Reshape", [turned, model.ints([0, from.channels, SIZE, SIZE])]));
    },
    (from) => {
      const flat = model.node("Flatten", [model.node("Transpose", [from.name], { perm: [0n, 2n, 1n, 3n] })]);
      const back = model.node("Reshape", [flat, model.ints([0, SIZE, from.channels, SIZE])]);
      return same(from, model.node("Transpose", [back], { perm: [0n, 2n, 1n, 3n] }));
    },
    (from) => {
      const outputs = [`left${model.nodes.length}`, `right${model.nodes.length}`] as const;
      if (from.channels < 2) return from;
      const sizes = model.ints([1, from.channels - 1]);
      model.node("Split", [from.name, sizes], { axis: 1n }, { outputs });
      return { name: outputs[1], channels: from.channels - 1 };
    },
  ];
  const values: Drawn[] = [layer({ name: "x", channels: 2 }, 4)];
  for (let step = 0; step < STEPS; step++) {
    // Late values are read more often, so that networks become deep.
    const from = values[Math.max(random.integer(values.length), random.integer(values.length))] as Drawn;
    const grow = operators[random.integer(operators.length)] as (from: Drawn) => Drawn;
    values.push(grow(from));
  }
  const kept = values.filter(() => random.integer(2) === 0);
  const ends = kept.length > 0 ? kept : values;
  const joined = model.node(
    "Concat",
    ends.map(({ name }) => name),
    { axis: 1n },
  );
  const channels = ends.reduce((total, end) => total + end.channels, 0);
  const pooled = model.node("AveragePool", [joined], { kernel_shape: [rows, rows] });
  return { model, output: model.dense(model.node("Flatten", [pooled]), "head", channels, 3) };
}
