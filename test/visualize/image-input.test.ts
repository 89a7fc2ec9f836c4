import { describe, expect, it } from "vitest";
import { loadNetworkBytes, type Network } from "../../src/network/network.ts";
import { imageInputOf, maybeImageInput } from "../../src/visualize/image-input.ts";
import { sketch } from "../support/models.ts";
import { waves } from "./cases.ts";

/** A network of one dense layer that reads inputs of this shape. */
function reader(inputShape: readonly number[]): Promise<Network> {
  const s = sketch(inputShape, { seed: 1 });
  const size = inputShape.reduce((product, length) => product * length, 1);
  return loadNetworkBytes(s.encode(s.dense(s.node("Flatten", [s.input]), "out", size, 3)), "reader.onnx");
}

describe("images of what a network reads", () => {
  it.each([
    [[3, 4, 5], undefined],
    [[4, 5, 3], undefined],
    [[60], [3, 4, 5]],
  ])("undo what makes it of images: %j", async (inputShape, given) => {
    const network = await reader(inputShape);
    const { mean, std } = { mean: [0.4, 0.5, 0.6], std: [0.2, 0.25, 0.5] };
    const input = imageInputOf(network, given, { mean, std });
    expect(input.shape).toEqual({ channels: 3, height: 4, width: 5 });
    const images = waves(2 * 60, 1, 0.5).map((value) => value + 0.5);
    const read = input.toNetwork(images, 2);
    // The second channel of the second image's pixel at row 2, column 3.
    const isLast = inputShape[2] === 3;
    const at = 60 + (isLast ? (2 * 5 + 3) * 3 + 1 : 20 + 2 * 5 + 3);
    expect(read[at]).toBeCloseTo(((images[60 + 20 + 13] as number) - 0.5) / 0.25, 5);
    input.toImages(read, 2).forEach((value, place) => {
      expect(value).toBeCloseTo(images[place] as number, 6);
    });
    const plain = imageInputOf(network, given);
    expect(plain.toImages(plain.toNetwork(images, 2), 2)).toEqual(images);
  });

  it("are none for a network that reads something else", async () => {
    const network = await reader([2, 5]);
    expect(maybeImageInput(network)).toBeNull();
    expect(() => maybeImageInput(network, [3, 3])).toThrow("--image-shape: found 3,3");
  });
});
