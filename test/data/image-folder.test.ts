import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadDataset } from "../../src/data/dataset.ts";
import { readImageFolder } from "../../src/data/image-folder.ts";
import { catchError } from "../support/catch-error.ts";

const folder = mkdtempSync(join(tmpdir(), "brodmann-images-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** An 8-bit PNG of `channels` values per pixel (1 grey, 3 colours, 4 with alpha). */
function png(width: number, height: number, channels: 1 | 3 | 4, pixels: number[]): Buffer {
  const chunk = (name: string, content: Uint8Array): Buffer => {
    const body = Buffer.concat([Buffer.from(name), content]);
    const size = Buffer.alloc(4);
    size.writeUInt32BE(content.length);
    const sum = Buffer.alloc(4);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([size, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, { 1: 0, 3: 2, 4: 6 }[channels]], 8);
  const lines = Array.from({ length: height }, (_, row) => [
    0,
    ...pixels.slice(row * width * channels, (row + 1) * width * channels),
  ]);
  const magic = Buffer.from("89504e470d0a1a0a", "hex");
  return Buffer.concat([
    magic,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(Uint8Array.from(lines.flat()))),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

beforeAll(() => {
  for (const name of ["zebra", "ant", ".cache"]) mkdirSync(join(folder, "pets", name), { recursive: true });
  const put = (name: string, content: Uint8Array): void => writeFileSync(join(folder, "pets", name), content);
  put("zebra/2.png", png(2, 1, 3, [255, 0, 0, 0, 255, 0]));
  put("zebra/1.PNG", png(2, 1, 3, [1, 2, 3, 4, 5, 6]));
  put("ant/a.png", png(2, 1, 1, [100, 200]));
  put("ant/b.png", png(2, 1, 4, [10, 20, 30, 255, 10, 20, 30, 0]));
  put("ant/notes.txt", Buffer.from("no image"));
  put("README.md", Buffer.from("no class"));
});

const all = { inputShape: [3, 1, 2], skip: 0, take: Number.POSITIVE_INFINITY };

describe("readImageFolder", () => {
  it("reads classes and files in order of name, as channels, height, width", async () => {
    const images = await readImageFolder(join(folder, "pets"), all);
    expect(images.classNames).toEqual(["ant", "zebra"]);
    expect(images.labels).toEqual(Int32Array.of(0, 0, 1, 1));
    expect(images.array.shape).toEqual([4, 3, 1, 2]);
    expect(Array.from(images.array.values, Number)).toEqual([
      ...[100, 200, 100, 200, 100, 200],
      ...[10, 0, 20, 0, 30, 0],
      ...[1, 4, 2, 5, 3, 6],
      ...[255, 0, 0, 255, 0, 0],
    ]);
    expect(images.notes.join()).toContain("2 files skipped");
  });

  it("makes images grey for one channel, and stretches them", async () => {
    const grey = await readImageFolder(join(folder, "pets"), { inputShape: [1, 1, 2], skip: 0, take: 1 });
    expect(Array.from(grey.array.values, Number)).toEqual([100, 200]);
    const large = await readImageFolder(join(folder, "pets"), { inputShape: [3, 4, 6], skip: 2, take: 1 });
    expect(large.array.shape).toEqual([1, 3, 4, 6]);
    expect(large.labels).toEqual(Int32Array.of(1));
  });

  it("is found by loadDataset, with names, scaling and selection", async () => {
    const dataset = await loadDataset(join(folder, "pets"), { inputShape: [3, 1, 2], skip: 3 });
    expect(dataset).toMatchObject({ count: 1, classNames: ["ant", "zebra"], inputShape: [3, 1, 2] });
    expect(dataset.batch(0, 1)).toEqual(Float32Array.of(1, 0, 0, 1, 0, 0));
    expect(dataset.source).toMatchObject({ format: "images", skip: 3, take: 1 });
    const other = await loadDataset(join(folder, "pets"), { inputShape: [3, 1, 2], skip: 2, take: 1 });
    expect(other.source.sha256).not.toBe(dataset.source.sha256);
    expect(dataset.source.sha256).toMatch(/^[0-9a-f]{64}$/);
  });

  it("says how to install sharp where it is missing", async () => {
    const missing = (): Promise<unknown> => Promise.reject(new Error("Cannot find package 'sharp'"));
    const error = await catchError(() => readImageFolder(join(folder, "pets"), all, missing));
    expect(error).toMatchObject({ code: "E_INPUT_SHARP", hint: "npm install sharp" });
  });

  it("refuses damaged images, empty folders and other shapes", async () => {
    const code = async (name: string, shape: number[] | undefined): Promise<string> =>
      (await catchError(() => readImageFolder(join(folder, name), { ...all, inputShape: shape }))).code;
    mkdirSync(join(folder, "bad/a"), { recursive: true });
    writeFileSync(join(folder, "bad/a/1.png"), Buffer.from("not an image"));
    expect(await code("bad", [3, 1, 2])).toBe("E_INPUT_IMAGES");
    writeFileSync(join(folder, "bad/a/1.png"), png(2, 1, 3, [1, 2, 3, 4, 5, 6]).subarray(0, 45));
    expect(await code("bad", [3, 1, 2])).toBe("E_INPUT_IMAGES");
    mkdirSync(join(folder, "none"));
    expect(await code("none", [3, 1, 2])).toBe("E_INPUT_IMAGES");
    expect(await code("pets", [784])).toBe("E_INPUT_SHAPE");
    expect(await code("pets", [5, 2, 2])).toBe("E_INPUT_SHAPE");
    expect(await code("pets", undefined)).toBe("E_INPUT_SHAPE");
    const error = await catchError(() => readImageFolder(join(folder, "pets"), { ...all, skip: 9 }));
    expect(error.code).toBe("E_INPUT_EMPTY");
  });
});
