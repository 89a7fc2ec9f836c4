import { describe, expect, it } from "vitest";
import { averageImage, inputImages } from "../../src/patterns/input-images.ts";
import { MOST_ROWS, patternSheet } from "../../src/patterns/pattern-sheet.ts";
import { imageLayout } from "../../src/visualize/image-input.ts";

function source(values: readonly number[], size: number) {
  const all = Float32Array.from(values);
  const batch = (start: number, count: number) => all.slice(start * size, (start + count) * size);
  return { count: all.length / size, batch };
}

const rounded = (image: Float32Array) => Array.from(image, (value) => Math.round(value * 1e4) / 1e4);

describe("images of inputs", () => {
  it("have their channels in front, whatever the network reads", () => {
    const layout = imageLayout([2, 1, 3], undefined, "here");
    const images = inputImages(source([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 6), layout, {}, [0]);
    expect(images.shape).toEqual({ channels: 3, height: 2, width: 1 });
    expect(rounded(images.read(0))).toEqual([0.1, 0.4, 0.2, 0.5, 0.3, 0.6]);
  });

  it("are as they were before they were normalised", () => {
    const layout = imageLayout([3, 1, 1], undefined, "here");
    const normalisation = { mean: [0.5, 0.4, 0.3], std: [0.1, 0.2, 0.5] };
    const images = inputImages(source([1, -1, 0.2, 0, 2, 1], 3), layout, normalisation, [0, 1]);
    expect(rounded(images.read(0))).toEqual([0.6, 0.2, 0.4]);
    expect(rounded(images.read(1))).toEqual([0.5, 0.8, 0.8]);
  });

  it("are brought to [0, 1] where they are stored otherwise", () => {
    const layout = imageLayout([4], [2, 2], "here");
    const images = inputImages(source([-2, 0, 2, 1, 0, 0, 0, 0], 4), layout, {}, [0, 1]);
    expect(rounded(images.read(0))).toEqual([0, 0.5, 1, 0.75]);
    expect(rounded(averageImage(images, [0, 1]))).toEqual([0.25, 0.5, 0.75, 0.625]);
    const flat = inputImages(source([5, 5, 5, 5], 4), layout, {}, [0]);
    expect(rounded(flat.read(0))).toEqual([0, 0, 0, 0]);
  });
});

describe("sheet", () => {
  const images = inputImages(source([0, 1], 1), imageLayout([1], [1, 1], "here"), {}, [0, 1]);
  const pattern = {
    persistence: 1,
    members: Int32Array.of(0, 1),
    meanProbability: 1,
    classes: null,
    predictions: null,
    misclassified: Number.NaN,
    exemplars: Int32Array.of(0, 1),
    boundary: Int32Array.of(1, 0),
  };

  it("shows the average, then typical and untypical inputs at the same places in every row", () => {
    const sheet = patternSheet({ patterns: [pattern] }, Int32Array.of(0, 1), images);
    // Images of 96 pixels with gaps of 6, a broad one behind the average.
    const at = (place: number) =>
      sheet?.pixels[(6 + 48) * (sheet?.width ?? 0) + 6 + 48 + place * 102 + (place > 0 ? 12 : 0)];
    expect([at(0), at(1), at(2), at(3)]).toEqual([128, 0, 255, 255]);
    expect([at(9), at(10), at(11)]).toEqual([255, 255, 0]);
  });

  it("is none without patterns, and ends somewhere", () => {
    expect(patternSheet({ patterns: [] }, Int32Array.of(), images)).toBeNull();
    const many = patternSheet(
      { patterns: new Array(MOST_ROWS + 50).fill(pattern) },
      Int32Array.of(0, 1),
      images,
    );
    expect(many?.height).toBe(MOST_ROWS * 102 + 6);
  });
});
