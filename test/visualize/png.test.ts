import { decode } from "fast-png";
import { describe, expect, test } from "vitest";
import { contactSheet } from "../../src/visualize/contact-sheet.ts";
import { encodePng, toPicture } from "../../src/visualize/png.ts";
import { waves } from "./cases.ts";

describe("PNG files", () => {
  test.each([
    { channels: 1, height: 5, width: 7 },
    { channels: 3, height: 4, width: 3 },
    { channels: 1, height: 1, width: 1 },
  ])("decode to the same pixels: $channels x $height x $width", (shape) => {
    const image = waves(shape.channels * shape.height * shape.width, 1, 0.5).map((value) => value + 0.5);
    const bytes = encodePng(toPicture(image, shape));
    const { width, height, channels, depth, data } = decode(bytes, { checkCrc: true });
    expect({ width, height, channels, depth }).toEqual({ ...shape, depth: 8 });
    const area = width * height;
    for (let at = 0; at < area; at++) {
      for (let c = 0; c < channels; c++) {
        expect(data[at * channels + c]).toBe(Math.round(255 * (image[c * area + at] as number)));
      }
    }
    expect(encodePng(toPicture(image, shape))).toEqual(bytes);
  });

  test("clip what is outside of [0, 1]", () => {
    const shape = { channels: 1, height: 1, width: 3 };
    expect([...toPicture(Float32Array.of(-0.2, 1.7, 0.5), shape).pixels]).toEqual([0, 255, 128]);
  });
});

describe("contact sheets", () => {
  const shape = { channels: 1, height: 2, width: 3 };
  const flat = (value: number) => new Float32Array(6).fill(value);

  test("show the set on the left and random sets beside it, enlarged", () => {
    const rows = [
      { image: flat(0.2), random: [flat(0.4), flat(0.6)] },
      { image: flat(0), random: [flat(0.8)] },
    ];
    const { channels, height, width, pixels } = contactSheet(rows, shape);
    const [factor, gap] = [48, 6];
    expect({ channels, height, width }).toEqual({
      channels: 1,
      height: 2 * (2 * factor + gap) + gap,
      width: 3 * (3 * factor + gap) + gap + 2 * gap,
    });
    const columns = [gap, gap + 3 * factor + gap + 2 * gap, gap + 2 * (3 * factor + gap) + 2 * gap];
    const at = (row: number, x: number) => pixels[(gap + row * (2 * factor + gap)) * width + x];
    expect(columns.map((x) => at(0, x))).toEqual([51, 102, 153]);
    expect(columns.map((x) => at(1, x))).toEqual([0, 204, 255]);
    expect(columns.map((x) => at(0, x - 1))).toEqual([255, 255, 255]);
    expect(at(0, gap + 3 * factor - 1)).toBe(51);
  });

  test("of large images keep their size", () => {
    const large = { channels: 3, height: 100, width: 120 };
    const { width, height } = contactSheet([{ image: new Float32Array(36000), random: [] }], large);
    expect([width, height]).toEqual([120 + 12, 100 + 12]);
  });
});
