import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import { drivingInputs, inputPictures } from "../../src/report/input-pictures.ts";
import {
  encodeInputs,
  encodeSheet,
  INPUTS_NAME,
  readPictures,
  VISUAL_FOLDER,
} from "../../src/report/run-pictures.ts";
import type { ImageInput } from "../../src/visualize/image-input.ts";
import { encodePng, type Picture, shrinkPicture, toPicture } from "../../src/visualize/png.ts";
import { catchError } from "../support/catch-error.ts";
import { temporaryFolder } from "../support/cli.ts";

/** Bytes of a picture's address. */
function pixelsOf(address: string) {
  const [, base64 = ""] = /^data:image\/png;base64,([A-Za-z0-9+/=]+)$/.exec(address) ?? [];
  const { channels, height, width, data } = decode(Buffer.from(base64, "base64"));
  return { channels, height, width, pixels: Uint8Array.from(data) };
}

/** An image in which no two pixels are equal, as far as 256 steps allow. */
const image = (size: number, start: number): Float32Array =>
  Float32Array.from({ length: size }, (_, at) => ((start + 7 * at) % 256) / 255);

function folderWith(files: Readonly<Record<string, Uint8Array>>): string {
  const folder = temporaryFolder();
  mkdirSync(join(folder, VISUAL_FOLDER));
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, VISUAL_FOLDER, name), bytes);
  return folder;
}

describe("pictures of layers", () => {
  it.each([
    { channels: 1, height: 7, width: 5 },
    { channels: 3, height: 28, width: 30 },
    { channels: 3, height: 40, width: 96 },
  ])("come back with every pixel: $channels x $height x $width", async (shape) => {
    const size = shape.channels * shape.height * shape.width;
    const rows = [3, 0, 12].map((cluster, row) => ({
      cluster,
      image: image(size, 31 * cluster),
      // Rows may have random images of different numbers.
      random: Array.from({ length: 2 - row }, (_, number) => image(size, 100 * row + 17 * number + 1)),
    }));
    const layers = ["</script>", '层/é\u0000"'];
    const sheets = layers.map((layer, number) => encodeSheet({ layer, number, shape, rows }));
    const folder = folderWith({
      "0-a.png": sheets[0] as Uint8Array,
      "10-b.png": sheets[1] as Uint8Array,
      "mine.txt": new Uint8Array(3),
      // A picture that tells nothing of itself.
      "3-other.png": encodePng(toPicture(image(size, 0), shape)),
    });
    const { subclusters, inputs } = await readPictures(folder);
    expect(inputs).toEqual({});
    expect(subclusters.map(({ layer, cluster }) => [layer, cluster])).toEqual(
      layers.flatMap((layer) => rows.map(({ cluster }) => [layer, cluster])),
    );
    subclusters.forEach((found, number) => {
      const row = rows[number % 3] as (typeof rows)[number];
      expect(pixelsOf(found.image)).toEqual(toPicture(row.image, shape));
      expect(found.random.map(pixelsOf)).toEqual(row.random.map((each) => toPicture(each, shape)));
    });
  });

  it("of large images are brought down to 96 pixels", async () => {
    const shape = { channels: 1, height: 100, width: 200 };
    const rows = [{ cluster: 1, image: image(20_000, 3), random: [] }];
    const folder = folderWith({ "0-a.png": encodeSheet({ layer: "a", number: 0, shape, rows }) });
    const [found] = (await readPictures(folder)).subclusters;
    const { height, width } = pixelsOf(found?.image ?? "");
    expect({ height, width }).toEqual({ height: 34, width: 67 });
  });

  it("are none in a folder without, and refused where they are damaged", async () => {
    expect(await readPictures(temporaryFolder())).toEqual({ inputs: {}, subclusters: [] });
    const folder = folderWith({ "0-a.png": Uint8Array.of(1, 2, 3) });
    const error = await catchError(() => readPictures(folder));
    expect(error.code).toBe("E_INPUT_FORMAT");
    expect(error.message).toContain("0-a.png");
  });
});

describe("shrinking", () => {
  const picture = (height: number, width: number, pixels: number[]): Picture => ({
    channels: 1,
    height,
    width,
    pixels: Uint8Array.from(pixels),
  });
  it("takes means of squares, also of those that are cut off", () => {
    const large = picture(2, 3, [0, 4, 10, 8, 12, 31]);
    expect(shrinkPicture(large, 2)).toEqual(picture(1, 2, [6, 21]));
    expect(shrinkPicture(large, 3)).toBe(large);
  });
});

describe("pictures of inputs", () => {
  const example = (input: number) => ({ input, label: null, activation: 1 });

  it("are of the first examples of all subclusters, each once, in order", () => {
    const found = drivingInputs({
      subclusters: [
        { examples: [9, 2, 3, 4, 5, 6, 7, 8, 99].map(example) },
        { examples: [2, 11].map(example) },
        { examples: [] },
      ],
    } as unknown as Parameters<typeof drivingInputs>[0]);
    expect(found).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 11]);
  });

  it("are what the network read, normalisation undone", async () => {
    const shape = { channels: 1, height: 2, width: 3 };
    const normalised = (input: number) => image(6, 40 * input).map((value) => (value - 0.5) / 0.25);
    const read: ImageInput = {
      shape,
      toNetwork: (images) => images,
      fromNetwork: (gradient) => gradient,
      toImages: (inputs) => inputs.map((value) => value * 0.25 + 0.5),
    };
    const pictures = inputPictures([1, 4], { batch: (start) => normalised(start) }, read);
    const folder = folderWith({ [INPUTS_NAME]: encodeInputs(pictures) as Uint8Array });
    const { inputs } = await readPictures(folder);
    expect(Object.keys(inputs)).toEqual(["1", "4"]);
    for (const input of [1, 4]) {
      expect(pixelsOf(inputs[input] ?? "")).toEqual(toPicture(image(6, 40 * input), shape));
    }
    expect(encodeInputs(new Map())).toBeNull();
  });

  it("outside of 0 to 1 are brought there together", () => {
    const shape = { channels: 1, height: 1, width: 2 };
    const same = (values: Float32Array) => values;
    const read: ImageInput = { shape, toNetwork: same, fromNetwork: same, toImages: same };
    const batch = (start: number) => Float32Array.of(start === 0 ? -1 : 0, 3);
    const pictures = inputPictures([0, 1], { batch }, read);
    expect([...pictures.values()].map(({ pixels }) => [...pixels])).toEqual([
      [0, 255],
      [64, 255],
    ]);
  });
});
