import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { loadActivations } from "../../src/data/activations.ts";
import type { NpyArray } from "../../src/data/npy.ts";
import { joinNpz } from "../../src/data/npz.ts";
import { catchError } from "../support/catch-error.ts";
import { formatNpy } from "../support/npy.ts";

const folder = mkdtempSync(join(tmpdir(), "brodmann-activations-"));
afterAll(() => rmSync(folder, { recursive: true }));
const put = (name: string, content: Uint8Array): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

const table: NpyArray = { shape: [3, 2], dtype: "float64", values: Float64Array.of(1, 2, 3, 4, 5, 6.5) };
const vector: NpyArray = { shape: [3], dtype: "float64", values: Float64Array.of(1, 2, 3) };
const names: NpyArray = {
  shape: [2, 2],
  dtype: "bytes",
  values: new TextEncoder().encode("ab\0\0").fill(99, 2, 3),
};
const expected = { samples: 3, units: 2, values: Float32Array.of(1, 2, 3, 4, 5, 6.5), names: null };

describe("loadActivations", () => {
  it("reads .npy, the only table of an .npz, and the one named activations", async () => {
    expect(await loadActivations(put("a.npy", formatNpy(table)))).toEqual(expected);
    expect(await loadActivations(put("b.npz", joinNpz({ vector, table })))).toEqual(expected);
    const other = { ...table, shape: [2, 3] };
    const named = joinNpz({ other, activations: table, names });
    expect(await loadActivations(put("c.npz", named))).toEqual({ ...expected, names: ["ab", "c"] });
    expect(await loadActivations(put("d.npz", joinNpz({ names, table })))).toEqual({
      ...expected,
      names: ["ab", "c"],
    });
  });

  it("names the first value that is not finite", async () => {
    const values = Float64Array.of(1, 2, 3, 1e300, Number.NaN, 6);
    const error = await catchError(() => loadActivations(put("e.npy", formatNpy({ ...table, values }))));
    expect(error.code).toBe("E_INPUT_VALUE");
    expect(error.message).toContain("found 1e+300 at sample 1, unit 1");
  });

  it.each([
    ["a vector", formatNpy(vector)],
    ["one sample", formatNpy({ ...table, shape: [1, 6] })],
    ["two tables", joinNpz({ table, other: table })],
    ["no table", joinNpz({ vector })],
    ["text", formatNpy(names)],
    ["too few names", joinNpz({ activations: table, names: { ...names, shape: [1, 4] } })],
    ["no array at all", Buffer.from("hello")],
  ])("refuses %s", async (name, content) => {
    expect((await catchError(() => loadActivations(put(name, content)))).code).toBe("E_INPUT_ACTIVATIONS");
  });
});
