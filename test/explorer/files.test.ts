import { describe, expect, it } from "vitest";
import { addFiles, isComplete, NO_FILES } from "../../src/explorer/files.ts";

const file = (name: string, ...bytes: number[]) => ({
  name,
  bytes: Uint8Array.from([...bytes, ...new Array(12).fill(0)]),
});
const model = file("net.onnx", 0x08, 7);
const npz = file("digits.npz", 0x50, 0x4b, 3, 4);
const images = file("t10k-images-idx3-ubyte", 0, 0, 8, 3);
const labels = file("t10k-labels-idx1-ubyte", 0, 0, 8, 1);

describe("addFiles", () => {
  it("tells models, inputs and labels apart, in any order and one by one", () => {
    const { chosen, refused } = addFiles(NO_FILES, [labels, model, images]);
    expect(refused).toEqual([]);
    expect(chosen).toEqual({ model, inputs: images, labels });
    expect(isComplete(chosen)).toBe(true);
    const [x, y] = [file("x.npy", 0x93, 0x4e), file("digits_y.npy", 0x93, 0x4e)];
    expect(addFiles(addFiles(NO_FILES, [y]).chosen, [x]).chosen).toEqual({
      model: null,
      inputs: x,
      labels: y,
    });
    const packed = file("t10k-labels-idx1-ubyte.gz", 0x1f, 0x8b);
    expect(addFiles(NO_FILES, [packed]).chosen.labels).toBe(packed);
  });

  it("needs no labels beside an archive, and forgets those of other inputs", () => {
    const { chosen } = addFiles({ model, inputs: images, labels }, [npz]);
    expect(chosen).toEqual({ model, inputs: npz, labels: null });
    expect(isComplete(chosen)).toBe(true);
    expect(isComplete({ model, inputs: images, labels: null })).toBe(false);
    expect(isComplete({ model: null, inputs: npz, labels: null })).toBe(false);
  });

  it("names what it cannot take, and keeps what was there", () => {
    const { chosen, refused } = addFiles({ model, inputs: npz, labels: null }, [
      file("notes.txt", 0x68, 0x69),
    ]);
    expect(chosen).toEqual({ model, inputs: npz, labels: null });
    expect(refused).toHaveLength(1);
    expect(refused[0]).toContain("notes.txt");
    const huge = { name: "huge.onnx", bytes: { length: 2e9, 0: 8 } as unknown as Uint8Array };
    expect(addFiles(NO_FILES, [huge]).refused[0]).toMatch(/huge\.onnx: 2000 MB is too large/);
  });
});
