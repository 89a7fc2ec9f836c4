import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openNpz } from "../../src/data/npz.ts";
import { decodeModel } from "../../src/runtime/onnx.ts";
import { floatTensor, floatValues, Session } from "../../src/runtime/session.ts";

const read = (name: string) =>
  new Uint8Array(readFileSync(new URL(`../../examples/${name}`, import.meta.url)));

describe("the embedded example", () => {
  it("has 2,000 digits of ten classes in full range", () => {
    const digits = openNpz(read("mnist-digits.npz"), "mnist-digits.npz");
    const x = digits.read("x");
    const y = digits.read("y");
    expect(x).toMatchObject({ shape: [2000, 1, 28, 28], dtype: "uint8" });
    expect(y).toMatchObject({ shape: [2000], dtype: "uint8" });
    expect((x.values as Uint8Array).reduce((most, value) => Math.max(most, value), 0)).toBe(255);
    for (let digit = 0; digit < 10; digit++) {
      expect((y.values as Uint8Array).filter((label) => label === digit).length).toBeGreaterThan(150);
    }
  });

  it("has a network of named layers that reads them with the accuracy its README states", async () => {
    const bytes = read("mnist-mlp.onnx");
    const gemms = decodeModel(bytes).graph?.node.filter((node) => node.opType === "Gemm") ?? [];
    expect(gemms.map((node) => node.name)).toEqual(["hidden1", "hidden2", "hidden3", "hidden4", "logits"]);

    const digits = openNpz(read("mnist-digits.npz"), "mnist-digits.npz");
    const images = Float32Array.from(digits.read("x").values as Uint8Array, (value) => value / 255);
    const labels = digits.read("y").values as Uint8Array;
    const session = await Session.create(bytes, { label: "mnist-mlp.onnx", threads: 1 });
    const { logits } = await session.run({ image: floatTensor(images, [2000, 1, 28, 28]) });
    await session.dispose();
    expect(logits?.dims).toEqual([2000, 10]);
    const scores = floatValues(logits, "logits");
    const right = labels.filter((label, i) => {
      const row = scores.subarray(10 * i, 10 * i + 10);
      return row.indexOf(Math.max(...row)) === label;
    }).length;
    // 1924 where it was trained; other processors may round a near tie the other way.
    expect(Math.abs(right - 1924)).toBeLessThanOrEqual(2);
  });
});
