import { describe, expect, it } from "vitest";
import { runLesions } from "../../src/network/lesions.ts";
import type { Layer } from "../../src/network/network.ts";
import { openLayers } from "../../src/network/open-layers.ts";
import type { InputSource } from "../../src/network/outcomes.ts";
import { LESION_KINDS } from "../../src/network/replacement.ts";
import { randomData } from "../support/models.ts";
import { randomMlp } from "../support/population-nets.ts";

const CLASSES = 3;
const SETS = [Int32Array.of(), Int32Array.of(0, 2), Int32Array.of(1)];

/** The inputs, and how many of them were read. */
function counted<Data extends InputSource>(data: Data): { readonly data: Data; read: number } {
  const counter = {
    read: 0,
    data: {
      ...data,
      batch(start: number, count: number) {
        counter.read += count;
        return data.batch(start, count);
      },
    },
  };
  return counter;
}

describe("layers that stay open", () => {
  it.each(LESION_KINDS)(
    "give what each alone gives, by every kind whatever they were opened for: %s",
    async (lesion) => {
      const { network } = await randomMlp([5, 8, 7, 6, CLASSES], 4);
      const data = randomData(40, [5], CLASSES, 2);
      const layers = network.layers.slice(0, 3);
      const opened = openLayers(network, data, layers, { lesion, seed: 3 });
      for (const kind of LESION_KINDS) {
        for (const layer of layers) {
          const found = await (await opened.lesionsOf(layer)).run(SETS, { lesion: kind });
          expect(found).toEqual(await runLesions(network, layer, SETS, data, { lesion: kind, seed: 3 }));
        }
      }
      await opened.dispose();
    },
  );

  it("read the inputs once for the means of all, and once for each layer however often it is lesioned", async () => {
    const { network } = await randomMlp([5, 8, 7, 6, CLASSES], 4);
    const counter = counted(randomData(40, [5], CLASSES, 2));
    const layers = network.layers.slice(0, 3);
    const opened = openLayers(network, counter.data, layers, { lesion: "mean", seed: 3 });
    for (let round = 0; round < 2; round++) {
      for (const layer of layers) await (await opened.lesionsOf(layer)).run(SETS);
    }
    await opened.dispose();
    expect(counter.read).toBe(40 * (1 + layers.length));
  });

  it("take the means of what the one consumer reads", async () => {
    const { network } = await randomMlp([5, 8, 7, CLASSES], 4);
    const data = randomData(40, [5], CLASSES, 2);
    const [layer, next] = network.layers as [Layer, Layer, Layer];
    const options = { lesion: "mean", seed: 3, consumer: next.name } as const;
    const opened = openLayers(network, data, [layer], options);
    const found = await (await opened.lesionsOf(layer)).run(SETS);
    await opened.dispose();
    expect(found).toEqual(await runLesions(network, layer, SETS, data, options));
  });
});
