/** Images made in headless Chrome, by WebAssembly and on its WebGPU adapter, against those of this process. */
import { describe, expect, test } from "vitest";
import { openChrome } from "../../src/chrome/open-chrome.ts";
import { visualize } from "../../src/library.ts";
import { loadNetworkBytes } from "../../src/network/network.ts";
import type { Progress } from "../../src/progress.ts";
import { catchError } from "../support/catch-error.ts";
import { referenceNetwork } from "./cases.ts";

const SETS = [[0, 2], [4], [1, 3]];

describe("images in Chrome", () => {
  // Every step on the software adapter takes a good part of a second.
  test.each([
    ["wasm", 65],
    ["webgpu", 20],
  ] as const)("have the CPU's scores within 2 %% on %s", { timeout: 120_000 }, async (networks, steps) => {
    const network = await loadNetworkBytes(referenceNetwork("colour"), "colour");
    const options = { steps, mean: [0.4, 0.5, 0.3], std: [0.2], jitter: 1 };
    const expected = await visualize(network, "3", SETS, options);
    const { engine, page } = await openChrome({ networks });
    try {
      expect(page.runtime.networks).toBe(networks);
      const reports: Progress[] = [];
      const onProgress = (progress: Progress) => reports.push(progress);
      const found = await visualize(network, "3", SETS, { ...options, engine, onProgress });
      expect({ ...found, sets: found.sets.length }).toEqual({ ...expected, sets: 3 });
      found.sets.forEach(({ units, score, entropy, image, trajectory }, i) => {
        const own = expected.sets[i];
        expect(units).toEqual(own?.units);
        expect(Math.abs(score / (own?.score as number) - 1)).toBeLessThan(0.02);
        expect(Math.abs(entropy - (own?.entropy as number))).toBeLessThan(0.05);
        expect(image).toHaveLength(3 * 9 * 11);
        expect(trajectory).toHaveLength(steps);
      });
      expect(reports.at(-1)).toMatchObject({ done: 3 * steps, total: 3 * steps });
      const { code, hint } = await catchError(() => visualize(network, "conv9", SETS, { engine }));
      expect({ code, hint }).toEqual({ code: "E_NETWORK_LAYER", hint: "Its layers are: 0, 3, 6." });
    } finally {
      await engine.dispose();
    }
  });
});
