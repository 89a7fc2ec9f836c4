import { describe, expect, it } from "vitest";
import { atConsumer, isReadBy } from "../../src/network/consumer-site.ts";
import { evaluateNetwork } from "../../src/network/evaluate.ts";
import { runJointLesions } from "../../src/network/joint-lesions.ts";
import { runLesions } from "../../src/network/lesions.ts";
import { layerNamed, loadNetworkBytes, type Network } from "../../src/network/network.ts";
import { exportBytes, exportData, loadExport, unreadBy } from "../support/exports.ts";
import { expectRefusal, randomData, type Sketch, sketch, withWeights } from "../support/models.ts";

const relu = (model: Sketch, from: string) => model.node("Relu", [from]);

/** Stem and a block with an identity and one with a projection shortcut; the stem is read by a1 and through the stream. */
function resnet(): Uint8Array {
  const model = sketch([2, 5, 5]);
  const conv = (from: string, name: string, inputs: number, units: number) =>
    model.conv(from, { name, inputs, units });
  const stem = relu(model, conv("x", "stem", 2, 4));
  const b1 = conv(relu(model, conv(stem, "a1", 4, 4)), "b1", 4, 4);
  const stream = relu(model, model.node("Add", [b1, stem]));
  const b2 = conv(relu(model, conv(stream, "a2", 4, 5)), "b2", 5, 6);
  const shortcut = conv(stream, "shortcut", 4, 6);
  const end = relu(model, model.node("Add", [b2, shortcut]));
  return model.encode(model.dense(model.node("Flatten", [end]), "head", 6 * 25, 4));
}

const load = (bytes: Uint8Array) => loadNetworkBytes(bytes, "consumers");

/** Every pair of a hidden layer and one that reads it. */
const pairsOf = (network: Network) =>
  network.layers.flatMap((layer) =>
    network.layers
      .filter((reader) => isReadBy(network, layer, reader.name))
      .map((reader) => [layer, reader] as const),
  );

describe("a lesion at one consumer equals the whole network with that consumer's slices at zero", () => {
  it.each(["resnet", "vit-composed", "vit-dynamo", "encoder", "mobile", "dense-concat"])(
    "%s",
    async (name) => {
      const bytes = name === "resnet" ? resnet() : exportBytes(name);
      const network = name === "resnet" ? await load(bytes) : await loadExport(name);
      const data = name === "resnet" ? randomData(40, [2, 5, 5], 4) : exportData(name, 40, 4);
      const pairs = pairsOf(network);
      const several = pairs.filter(
        ([layer], i) => layer === pairs[i - 1]?.[0] || layer === pairs[i + 1]?.[0],
      );
      const intact = await evaluateNetwork(network, data);
      let changes = 0;
      for (const [layer, reader] of several.slice(-4)) {
        const set = Int32Array.from({ length: layer.units - 1 }, (_, unit) => unit);
        const [none, found] = await runLesions(network, layer, [Int32Array.of(), set], data, {
          consumer: reader.name,
        });
        expect(none?.correct).toEqual(intact.correct);
        const edited = await load(unreadBy(bytes, network, layer, reader, set));
        const expected = await evaluateNetwork(edited, data);
        expect(found?.correct).toEqual(expected.correct);
        expect(found?.loss).toBeCloseTo(expected.loss, 5);
        changes = Math.max(changes, Math.abs(expected.loss - intact.loss));
      }
      expect(several.length).toBeGreaterThan(1);
      expect(changes).toBeGreaterThan(1e-3);
    },
  );
});

describe("atConsumer", () => {
  it("differs from a lesion of the output, which every reader sees", async () => {
    const network = await load(resnet());
    const data = randomData(40, [2, 5, 5], 4);
    const stem = layerNamed(network, "stem");
    const set = [Int32Array.of(0, 2)];
    const losses = await Promise.all(
      [undefined, "a1", "a2", "shortcut"].map(async (consumer) => {
        const [outcome] = await runLesions(network, stem, set, data, { consumer });
        return outcome?.loss ?? Number.NaN;
      }),
    );
    expect(new Set(losses.map((loss) => loss.toFixed(5))).size).toBe(4);
  });

  it("is the output itself where there is one reader", async () => {
    const network = await load(resnet());
    const data = randomData(40, [2, 5, 5], 4);
    const sets = [Int32Array.of(1), Int32Array.of(0, 3)];
    const layer = layerNamed(network, "a1");
    const expected = await runLesions(network, layer, sets, data);
    const found = await runLesions(network, layer, sets, data, { consumer: "b1" });
    expect(found.map(({ correct }) => correct)).toEqual(expected.map(({ correct }) => correct));
  });

  it("takes lesions of several layers, whose sum the consumer reads", async () => {
    const bytes = resnet();
    const network = await load(bytes);
    const data = randomData(40, [2, 5, 5], 4);
    const [stem, b1] = [layerNamed(network, "stem"), layerNamed(network, "b1")];
    const lesions = [
      [
        { layer: stem, units: Int32Array.of(0) },
        { layer: b1, units: Int32Array.of(2, 3) },
      ],
      [{ layer: b1, units: Int32Array.of(2, 3) }],
    ];
    const { outcomes } = await runJointLesions(network, lesions, data, { consumer: "a2" });
    for (const [i, channels] of [
      [0, 2, 3],
      [2, 3],
    ].entries()) {
      const edited = withWeights(bytes, "a2.weight", (at, old) =>
        channels.includes(Math.floor(at / 9) % 4) ? 0 : old,
      );
      const expected = await evaluateNetwork(await load(edited), data);
      expect(outcomes[i]?.correct).toEqual(expected.correct);
      expect(outcomes[i]?.loss).toBeCloseTo(expected.loss, 5);
    }
    expect(outcomes[0]?.loss).not.toBeCloseTo(outcomes[1]?.loss ?? Number.NaN, 4);
    const options = { lesion: "resample", consumer: "a2" } as const;
    const joint = await runJointLesions(network, lesions.slice(1), data, options);
    const single = await runLesions(network, b1, [Int32Array.of(2, 3)], data, options);
    expect(joint.outcomes[0]?.loss).toBeCloseTo(single[0]?.loss ?? Number.NaN, 5);
  });

  it("names the readers of a layer that is not read by that one", async () => {
    const network = await load(resnet());
    const refusal = await expectRefusal(
      () => atConsumer(network, layerNamed(network, "a1"), "a2"),
      "E_NETWORK_CONSUMER",
    );
    expect(refusal.hint).toContain("b1");
    await expectRefusal(() => atConsumer(network, layerNamed(network, "a1"), "none"), "E_NETWORK_LAYER");
  });
});
