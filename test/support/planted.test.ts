import { describe, expect, it } from "vitest";
import { decodeModel, encodeModel } from "../../src/runtime/onnx.ts";
import { floatTensor, floatValues, Session } from "../../src/runtime/session.ts";
import { type PlantedMlp, plantedMlp } from "./planted.ts";

/** Accuracy of each class, with the units of one block zeroed in the named layer through their outgoing weights. */
async function classAccuracy(
  planted: PlantedMlp,
  lesion?: { layer: number; block: number },
): Promise<number[]> {
  const model = decodeModel(planted.model);
  if (lesion !== undefined) {
    const reader = planted.layers[lesion.layer + 1]?.name;
    const weight = model.graph?.initializer.find((tensor) => tensor.name === `${reader}.weight`);
    const blocks = planted.layers[lesion.layer]?.blocks ?? new Int32Array(0);
    if (weight === undefined) throw new Error("the planted network has no such weights");
    const values = new Float32Array(weight.rawData.slice().buffer);
    for (let k = 0; k < values.length; k++) if (blocks[k % blocks.length] === lesion.block) values[k] = 0;
    weight.rawData = new Uint8Array(values.buffer);
  }
  const session = await Session.create(encodeModel(model), { label: "planted", threads: 1 });
  const { y } = await session.run({ x: floatTensor(planted.inputs, planted.inputShape) });
  const logits = floatValues(y, "y");
  await session.dispose();
  const right = [0, 0, 0, 0];
  const all = [0, 0, 0, 0];
  for (const [i, label] of planted.labels.entries()) {
    const row = [...logits.subarray(4 * i, 4 * i + 4)];
    all[label] = (all[label] as number) + 1;
    if (row.indexOf(Math.max(...row)) === label) right[label] = (right[label] as number) + 1;
  }
  return right.map((count, c) => count / (all[c] as number));
}

describe("plantedMlp", () => {
  it.each([0, 1, 2, 3])(
    "with seed %i is right when intact and loses just a lesioned block's classes",
    async (seed) => {
      const planted = plantedMlp(seed);
      for (const accuracy of await classAccuracy(planted)) expect(accuracy).toBeGreaterThanOrEqual(0.98);
      for (const layer of [0, 1]) {
        for (const block of [0, 1]) {
          const lesioned = await classAccuracy(planted, { layer, block });
          for (const [label, accuracy] of lesioned.entries()) {
            if (Math.floor(label / 2) === block) expect(accuracy).toBeLessThanOrEqual(0.02);
            else expect(accuracy).toBeGreaterThanOrEqual(0.98);
          }
        }
      }
    },
  );

  it("shuffles the hidden units by seed and repeats itself for the same seed", () => {
    const first = plantedMlp(0);
    expect(plantedMlp(0)).toEqual(first);
    expect(plantedMlp(1).layers[0]?.blocks).not.toEqual(first.layers[0]?.blocks);
    expect(first.layers.map((layer) => layer.name)).toEqual(["hidden1", "hidden2", "logits"]);
    for (const { blocks } of first.layers) {
      expect(blocks.filter((block) => block === 0).length).toBe(blocks.length / 2);
    }
    const isSorted = first.layers[0]?.blocks.every(
      (block, u, all) => u === 0 || block >= (all[u - 1] as number),
    );
    expect(isSorted).toBe(false);
  });
});
