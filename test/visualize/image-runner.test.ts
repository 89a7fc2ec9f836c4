import { describe, expect, test } from "vitest";
import { layerNamed, loadNetworkBytes } from "../../src/network/network.ts";
import { imageInputOf } from "../../src/visualize/image-input.ts";
import { spectrumSize } from "../../src/visualize/image-parameter.ts";
import { openImageRunner } from "../../src/visualize/image-runner.ts";
import { REFERENCE, referenceNetwork, waves } from "./cases.ts";

const listOf = (value: number | readonly number[]): readonly number[] =>
  typeof value === "number" ? [value] : value;

describe("optimised images", () => {
  test.each(REFERENCE.optimisations)(
    "take PyTorch's way: $network, layer $layer, mean $mean",
    async (run) => {
      const network = await loadNetworkBytes(referenceNetwork(run.network), run.network);
      const layer = layerNamed(network, String(run.layer));
      const normalisation = { mean: listOf(run.mean), std: listOf(run.std) };
      const input = imageInputOf(network, undefined, normalisation);
      const runner = await openImageRunner(network, layer, input);
      const spectra = waves(run.sets.length * spectrumSize(input.shape), 3, 0.01);
      const made = await runner.run(run.sets, spectra, { steps: 65, rate: 0.05 });
      await runner.dispose();
      made.forEach(({ trajectory, score, image, entropy, dispersion, units }, i) => {
        const expected = run.trajectory[i] as readonly number[];
        expect(units).toEqual(run.sets[i]);
        expect(trajectory).toHaveLength(expected.length);
        // Roundings of Adam's first, sign-like steps grow along the way.
        expected.forEach((value, step) => {
          expect(Math.abs((trajectory[step] as number) - value)).toBeLessThan(2e-3 * Math.abs(value));
        });
        expect(score).toBe(trajectory[64]);
        const gaps = (run.images[i] as readonly number[]).map((value, at) =>
          Math.abs(value - (image[at] as number)),
        );
        expect(Math.max(...gaps)).toBeLessThan(5e-3);
        expect(entropy).toBeCloseTo(run.entropy[i] as number, 3);
        expect(Math.abs(dispersion - (run.dispersion[i] as number))).toBeLessThan(0.01);
      });
    },
  );
});
