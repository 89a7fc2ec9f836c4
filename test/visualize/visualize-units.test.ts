import { describe, expect, test } from "vitest";
import { loadNetworkBytes } from "../../src/network/network.ts";
import type { Progress } from "../../src/progress.ts";
import { DataType, makeValueInfo } from "../../src/runtime/onnx.ts";
import { visualizeUnits } from "../../src/visualize/visualize-units.ts";
import { catchError } from "../support/catch-error.ts";
import { runModel, sketch, withWeights } from "../support/models.ts";
import { referenceNetwork } from "./cases.ts";

const grey = await loadNetworkBytes(referenceNetwork("grey"), "grey");
const colour = await loadNetworkBytes(referenceNetwork("colour"), "colour");
const SETS = [[0, 3, 5], [1], [2, 4], [0, 1, 2, 3, 4, 5, 6, 7], [6, 7]];

describe("images of sets", () => {
  test("depend on the set and the seed, not on the sets beside it", async () => {
    const { sets, layer, shape, steps, seed } = await visualizeUnits(grey, "3", SETS);
    expect({ layer, shape, steps, seed }).toEqual({
      layer: "3",
      shape: { channels: 1, height: 12, width: 10 },
      steps: 65,
      seed: 0,
    });
    expect(sets.map(({ units }) => units)).toEqual(SETS);
    expect(await visualizeUnits(grey, "3", SETS)).toMatchObject({ sets });
    for (const batch of [1, 2, 4]) {
      expect((await visualizeUnits(grey, "3", SETS, { batch })).sets).toEqual(sets);
    }
    // Another order of sets, and of the units in one.
    const turned = await visualizeUnits(grey, "3", [[4, 2], [5, 0, 3], Int32Array.of(1), [2, 4]]);
    expect(turned.sets).toEqual([sets[2], sets[0], sets[1], sets[2]]);
    const other = await visualizeUnits(grey, "3", SETS, { seed: 1 });
    other.sets.forEach(({ image, score }, i) => {
      expect(image).not.toEqual(sets[i]?.image);
      // The same aim from another start.
      expect(score / (sets[i]?.score as number)).toBeGreaterThan(0.7);
    });
    // Different sets do not begin alike.
    expect(sets[0]?.trajectory[0]).not.toBe(sets[2]?.trajectory[0]);
  });

  test("raise the objective, and tell what the network makes of them", async () => {
    const { sets } = await visualizeUnits(colour, "3", [[0, 2], [4], [1, 3]]);
    const images = Float32Array.from(sets.flatMap(({ image }) => Array.from(image)));
    const logits = await runModel(referenceNetwork("colour"), images, [3, 3, 9, 11]);
    sets.forEach(({ score, trajectory, image, entropy }, i) => {
      expect(trajectory).toHaveLength(65);
      expect(score).toBe(trajectory[64]);
      expect(score).toBeGreaterThan(1.2 * (trajectory[0] as number));
      expect(Math.min(...image)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...image)).toBeLessThanOrEqual(1);
      const odds = Array.from(logits.slice(3 * i, 3 * i + 3), Math.exp);
      const total = odds.reduce((sum, value) => sum + value, 0);
      const expected = odds.reduce((sum, value) => sum - (value / total) * Math.log(value / total), 0);
      expect(entropy).toBeCloseTo(expected, 5);
    });
  });

  test("are the same whatever way the network takes them: flat, channels last, a fixed batch, normalised inside", async () => {
    const plain = sketch([3, 5, 6], { seed: 2 });
    const inputs = [[0, 2], [1], [3, 1, 0]];
    const build = (s: ReturnType<typeof sketch>, from: string) => {
      const conv = s.node("Relu", [s.conv(from, { name: "conv", inputs: 3, units: 4 })]);
      return s.encode(s.dense(s.node("Flatten", [conv]), "head", 120, 3));
    };
    const expected = await visualizeUnits(
      await loadNetworkBytes(build(plain, plain.input), "plain"),
      "conv",
      inputs,
      { mean: [0.2, 0.4, 0.6], std: [0.5] },
    );
    const agree = async (model: Uint8Array, options: Parameters<typeof visualizeUnits>[3]) => {
      const { sets, shape } = await visualizeUnits(
        await loadNetworkBytes(model, "other"),
        "conv",
        inputs,
        options,
      );
      expect(shape).toEqual(expected.shape);
      sets.forEach(({ image, score, dispersion }, i) => {
        const own = expected.sets[i];
        expect(Math.abs(score / (own?.score as number) - 1)).toBeLessThan(1e-4);
        expect(Math.abs(dispersion - (own?.dispersion as number))).toBeLessThan(1e-2);
        const gaps = image.map((value, at) => Math.abs(value - (own?.image[at] as number)));
        expect(Math.max(...gaps)).toBeLessThan(1e-3);
      });
    };
    const normalisation = { mean: [0.2, 0.4, 0.6], std: [0.5] };
    const flat = sketch([90], { seed: 2 });
    const unfolded = flat.node("Reshape", [flat.input, flat.ints([-1, 3, 5, 6])]);
    await agree(build(flat, unfolded), { ...normalisation, imageShape: [3, 5, 6] });
    const last = sketch([5, 6, 3], { seed: 2 });
    await agree(build(last, last.node("Transpose", [last.input], { perm: [0n, 3n, 1n, 2n] })), normalisation);
    const fixed = sketch([3, 5, 6], { seed: 2, batch: 2 });
    await agree(build(fixed, fixed.input), normalisation);
    const inside = sketch([3, 5, 6], { seed: 2 });
    const centred = inside.node("Sub", [inside.input, inside.floats("mean", [1, 3, 1, 1], [0.2, 0.4, 0.6])]);
    await agree(build(inside, inside.node("Div", [centred, inside.floats("std", [1], [0.5])])), {});
  });

  test("of robust views differ from plain ones and are as repeatable", async () => {
    const views = { jitter: 2, scale: 0.1, rotation: 10 };
    const { sets } = await visualizeUnits(grey, "3", SETS, views);
    expect((await visualizeUnits(grey, "3", SETS, { ...views, batch: 2 })).sets).toEqual(sets);
    const plain = await visualizeUnits(grey, "3", SETS);
    sets.forEach(({ image, trajectory }, i) => {
      expect(image).not.toEqual(plain.sets[i]?.image);
      const mean = (from: number, to: number) =>
        trajectory.slice(from, to).reduce((sum, value) => sum + value, 0) / (to - from);
      expect(mean(50, 65)).toBeGreaterThan(mean(0, 10));
    });
  });

  test("whose units never act keep their first image, without NaN", async () => {
    // Behind silent units the bias is all that is left; a unit without weights has no gradient at all.
    const silent = withWeights(referenceNetwork("blocked"), "0.bias", () => -1e4);
    const network = await loadNetworkBytes(
      withWeights(silent, "2.weight", (index, old) => (index < 36 ? 0 : old)),
      "silent",
    );
    const { sets } = await visualizeUnits(network, "2", [[0], [1, 2], [0, 1]], { steps: 30 });
    for (const { trajectory, image, score, entropy, dispersion } of sets) {
      expect(new Set(trajectory).size).toBe(1);
      expect([...image, score, entropy, dispersion].every(Number.isFinite)).toBe(true);
    }
    const first = await visualizeUnits(network, "2", [[0]], { steps: 1 });
    expect(sets[0]?.image).toEqual(first.sets[0]?.image);
    expect(Math.max(...(sets[0]?.image ?? []).map((value) => Math.abs(value - 0.5)))).toBeLessThan(0.1);
  });

  test("of a network that predicts numbers have no entropy", async () => {
    const s = sketch([1, 4, 4]);
    const hidden = s.node("Relu", [s.dense(s.node("Flatten", [s.input]), "hidden", 16, 6)]);
    const network = await loadNetworkBytes(s.encode(s.dense(hidden, "out", 6, 1)), "regression");
    const { sets } = await visualizeUnits(network, "hidden", [[0, 5]], { steps: 3 });
    expect(sets[0]?.entropy).toBeNaN();
    expect(sets[0]?.score).toBeGreaterThan(0);
  });

  test("report their progress, and end when they are told to", async () => {
    const reports: Progress[] = [];
    await visualizeUnits(grey, "3", SETS, {
      steps: 4,
      batch: 2,
      onProgress: (progress) => reports.push(progress),
    });
    expect(reports.map(({ done }) => done)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16, 17, 18, 19, 20]);
    expect(new Set(reports.map(({ total }) => total))).toEqual(new Set([20]));
    const abort = new AbortController();
    const run = visualizeUnits(grey, "3", SETS, {
      signal: abort.signal,
      onProgress: ({ done }) => {
        if (done >= 15) abort.abort();
      },
    });
    expect((await catchError(() => run)).code).toBe("E_INTERRUPTED");
  });

  test("of no sets are none", async () => {
    expect((await visualizeUnits(grey, "3", [])).sets).toEqual([]);
  });
});

describe("what cannot be visualised", () => {
  const refuse = (...args: Parameters<typeof visualizeUnits>) => catchError(() => visualizeUnits(...args));

  test("an unknown layer is answered with the known ones", async () => {
    const { code, hint } = await refuse(grey, "conv9", [[0]]);
    expect(code).toBe("E_NETWORK_LAYER");
    expect(hint).toContain("0, 3, 6, 8");
  });

  test.each([
    [[8], "unit 8"],
    [[0, -1], "unit -1"],
    [[0.5], "unit 0.5"],
    [[1, 2, 1], "unit 1 twice"],
    [[], "no unit"],
  ])("units %j", async (units, found) => {
    const { code, message, hint } = await refuse(grey, "3", [[0, 1], units]);
    expect(code).toBe("E_USAGE_UNITS");
    expect(message).toBe(
      `units of 3: found ${found}, expected numbers from 0 to 7 (it has 8 units), each once`,
    );
    expect(hint).not.toBe("");
  });

  test("a network that reads something else than images", async () => {
    const flat = sketch([16]);
    const dense = await loadNetworkBytes(flat.encode(flat.dense(flat.input, "out", 16, 3)), "flat.onnx");
    const table = await refuse(dense, "out", [[0]]);
    expect(table.code).toBe("E_NETWORK_IMAGE");
    expect(table.message).toContain("flat.onnx: found inputs of shape [N, 16], expected images");
    expect(table.hint).toContain("--image-shape 4,4");

    const words = sketch([4], { inputs: [makeValueInfo("x", ["n", 4], DataType.INT64)] });
    const table4 = words.floats("table", [10, 2]);
    const flatWords = words.node("Flatten", [words.node("Gather", [table4, words.input])]);
    const reader = await loadNetworkBytes(words.encode(words.dense(flatWords, "out", 8, 3)), "words.onnx");
    const tokens = await refuse(reader, "out", [[0]]);
    expect(tokens.code).toBe("E_NETWORK_IMAGE");
    expect(tokens.message).toContain("words.onnx: found whole numbers [N, 4]");
  });

  test.each([[[5, 5]], [[2, 4, 2]], [[4]], [[3, 4, 4]], [[1, 4, -4]], [[1.5, 4]]])(
    "an image shape %j of 16 numbers",
    async (imageShape) => {
      const flat = sketch([16]);
      const network = await loadNetworkBytes(flat.encode(flat.dense(flat.input, "out", 16, 3)), "flat");
      expect((await refuse(network, "out", [[0]], { imageShape })).code).toBe("E_USAGE_IMAGE_SHAPE");
    },
  );

  test.each([
    [{ steps: 0 }],
    [{ steps: 1.5 }],
    [{ learningRate: -1 }],
    [{ learningRate: Number.NaN }],
    [{ batch: 0 }],
    [{ jitter: -1 }],
    [{ jitter: 1.5 }],
    [{ scale: 1 }],
    [{ rotation: 0.5 }],
    [{ rotation: 181 }],
  ])("options %j", async (options) => {
    const { code, message } = await refuse(grey, "3", [[0]], options);
    expect(code).toBe("E_USAGE_VISUALIZE");
    expect(message).toContain(Object.keys(options)[0]);
  });

  test.each([[{ mean: [1, 2] }], [{ std: [0] }]])("normalisation %j", async (options) => {
    expect((await refuse(colour, "3", [[0]], options)).code).toBe("E_USAGE_NORMALISATION");
  });

  test("a network whose numbers run over", async () => {
    const huge = withWeights(referenceNetwork("grey"), "3.weight", () => 3e38);
    const network = await loadNetworkBytes(huge, "huge");
    expect((await refuse(network, "3", [[0]])).code).toBe("E_NETWORK_NOT_FINITE");
  });
});
