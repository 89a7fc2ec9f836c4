import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import { openNpz } from "../../src/data/npz.ts";
import { rng } from "../../src/statistics/rng.ts";
import { brodmannHere, npy, start, temporaryFolder, writePair, writePlanted } from "../support/cli.ts";
import { referenceNetwork } from "../visualize/cases.ts";

/** Little work for each layer. */
const QUICK = ["--nulls", "2", "--stability", "1", "--min-cluster-size", "20"];
const FILES = ["pattern-inputs.csv", "pattern-units.npz", "patterns.csv", "patterns.json"];

/** Rows of a CSV without quoted fields. */
const rowsOf = (path: string): string[][] =>
  readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(","));

describe("patterns", () => {
  it("writes every file, the same bytes for the same seed", async () => {
    const folder = temporaryFolder();
    const { planted, model, data } = writePlanted(folder);
    const [out, again] = [join(folder, "out"), join(folder, "again")];
    const args = ["patterns", model, "--data", data, "--samples", "200", ...QUICK];
    const { code, stdout, stderr } = await brodmannHere([...args, "--out", out]);
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/^hidden1: \d+ patterns, [\d.]+ % of the inputs in none$/m);
    expect(stderr).toContain("no pictures: the inputs are no images by their shape");
    expect(stderr).toContain(`written: ${out} (patterns.json, `);
    expect(stdout).toMatch(/^layer +units +patterns +at 100 +noise +purity +AMI +AMI in +AMI net +null +z/m);
    expect(stdout).toMatch(/^inputs: 200 of 240, a sample with as many of each class/m);
    expect(stdout).toMatch(/HDBSCAN leaf \(euclidean\), smallest pattern 20; 5 neighbours/);
    const json = await brodmannHere([...args, "--out", again, "--json"]);
    expect(json.stdout).toBe(readFileSync(join(out, "patterns.json"), "utf8"));
    for (const name of FILES) {
      expect(readFileSync(join(again, name)).equals(readFileSync(join(out, name))), name).toBe(true);
    }
    expect((await brodmannHere([...args, "--json", "--seed", "1"])).stdout).not.toBe(json.stdout);
    expect(JSON.parse(readFileSync(join(out, "run.json"), "utf8"))).toMatchObject({
      schema: "brodmann/run/1",
    });

    const found = JSON.parse(json.stdout);
    expect(found).toMatchObject({
      schema: "brodmann/patterns/1",
      model: "model.onnx",
      inputs: { given: 240, used: 200 },
      settings: {
        aggregate: "mean",
        scale: "abs-max",
        metric: "euclidean",
        selection: "leaf",
        minSamples: 5,
      },
    });
    expect(found.layers.map(({ layer }: { layer: string }) => layer)).toEqual([
      "hidden1",
      "hidden2",
      "logits",
    ]);
    expect(found.flow.layers).toEqual(["hidden1", "hidden2", "logits"]);
    for (const { continuum, warning } of found.layers) expect(warning !== null).toBe(continuum.length > 0);
    // What the files say of the same thing is the same.
    const patterns = rowsOf(join(out, "patterns.csv")).slice(1);
    const listed = found.layers.flatMap(({ layer, patterns: own }: Listed) =>
      own.map(({ pattern, size }) => [layer, "", String(pattern), String(size)]),
    );
    expect(listed.length).toBeGreaterThan(2);
    expect(patterns.map((row) => row.slice(0, 4))).toEqual(listed);
    const [header = [], ...inputs] = rowsOf(join(out, "pattern-inputs.csv"));
    expect(header.slice(0, 4)).toEqual(["input", "label", "prediction", "pattern hidden1"]);
    expect(inputs).toHaveLength(200);
    for (const [input, label] of inputs) expect(Number(label)).toBe(planted.labels[Number(input)]);
    found.layers.forEach(({ layer, patterns: own, noise }: Listed, number: number) => {
      const labels = inputs.map((row) => row[header.indexOf(`pattern ${layer}`)]);
      for (const { pattern, size } of own) {
        expect(labels.filter((label) => label === String(pattern))).toHaveLength(size);
      }
      expect(labels.filter((label) => label === "-1")).toHaveLength(Math.round(200 * noise));
      const npz = openNpz(readFileSync(join(out, "pattern-units.npz")), "pattern-units.npz");
      if (own.length === 0) return;
      const units = number === 2 ? 4 : 12 * 2;
      expect(npz.read(`boxes${number}`).shape.slice(0, 2)).toEqual([own.length, units]);
      expect(npz.read(`units${number}`).shape).toEqual([units]);
    });
  });

  it("shows patterns of images, an average and typical inputs in each row", async () => {
    const folder = temporaryFolder();
    const model = join(folder, "grey.onnx");
    writeFileSync(model, referenceNetwork("grey"));
    const random = rng(2);
    const count = 60;
    // Bright and dark images.
    const images = Float32Array.from({ length: count * 120 }, (_, at) =>
      Math.min(1, (Math.floor(at / 120) % 2) * 0.7 + 0.1 * random.uniform()),
    );
    const labels = Int32Array.from({ length: count }, (_, i) => i % 2);
    const data = writePair(folder, "grey", images, [count, 1, 12, 10], labels);
    const out = join(folder, "out");
    const args = ["patterns", model, "--data", data, "--layer", "0", "--layer", "3", "--out", out];
    const { code, stderr } = await brodmannHere([...args, ...QUICK]);
    expect(code, stderr).toBe(0);
    expect(readdirSync(join(out, "pictures"))).toEqual(["0-0.png", "1-3.png"]);
    const { layers } = JSON.parse(readFileSync(join(out, "patterns.json"), "utf8"));
    expect(layers[0].patterns).toHaveLength(2);
    const { height, width, data: pixels } = decode(readFileSync(join(out, "pictures", "0-0.png")));
    // Images of 12 x 10 are enlarged tenfold, with gaps of 6; an average, 8 typical, a gap, 8 others.
    expect([height, width]).toEqual([2 * 126 + 6, 18 * 106 + 6 + 12]);
    const brightness = layers[0].patterns.map((_: unknown, row: number) => {
      let sum = 0;
      for (let y = 0; y < 120; y++)
        for (let x = 0; x < 100; x++) sum += pixels[(6 + 126 * row + y) * width + 6 + x] ?? 0;
      return sum / 12_000 / 255;
    });
    const expected = layers[0].patterns.map(({ classes }: { classes: { majority: number } }) =>
      classes.majority === 1 ? 0.75 : 0.05,
    );
    brightness.forEach((value: number, row: number) => {
      expect(Math.abs(value - expected[row])).toBeLessThan(0.01);
    });
    // Another run's pictures do not stay.
    const last = await brodmannHere([
      "patterns",
      model,
      "--data",
      data,
      "--layer",
      "8",
      "--out",
      out,
      ...QUICK,
    ]);
    expect(last.code).toBe(0);
    expect(existsSync(join(out, "pictures", "1-3.png"))).toBe(false);
  });

  it("takes clusters of a partition by the labels of its file, against random units", async () => {
    const folder = temporaryFolder();
    const { planted, model, data } = writePlanted(folder);
    const partition = join(folder, "p.json");
    const layers = planted.layers
      .slice(0, 2)
      .map(({ name, blocks }) => ({ name, labels: Array.from(blocks, (block) => 10 + 5 * block) }));
    writeFileSync(partition, JSON.stringify({ schema: "brodmann/partition/1", layers }));
    const args = ["patterns", model, "--data", data, "--partition", partition, "--shuffles", "3", ...QUICK];
    const { code, stdout, stderr } = await brodmannHere([...args, "--cluster", "15", "--json"]);
    expect(code, stderr).toBe(0);
    const found = JSON.parse(stdout);
    expect(found.layers.map(({ layer, cluster }: Listed) => [layer, cluster])).toEqual([
      ["hidden1", 15],
      ["hidden2", 15],
    ]);
    expect(found.layers[0].random).toMatchObject({ draws: 3, inputs: 240 });
    expect(found.layers[0].unitNumbers).toEqual(
      Array.from(planted.layers[0]?.blocks.keys() ?? []).filter(
        (unit) => planted.layers[0]?.blocks[unit] === 1,
      ),
    );
    const refused = await brodmannHere([...args, "--cluster", "1"]);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toMatch(/--cluster: found "1", expected a cluster of .*: 10, 15/);
    const text = await brodmannHere([...args, "--layer", "hidden2"]);
    expect(text.stdout).toMatch(/^layer +cluster +units .* p +p noise +p AMI/m);
    expect(text.stdout).toMatch(/^hidden2 +10 +12 /m);
  });

  it("reads recorded activations, with labels, with inputs or with neither", async () => {
    const folder = temporaryFolder();
    const random = rng(4);
    const labels = Int32Array.from({ length: 90 }, (_, i) => i % 3);
    const values = Float32Array.from(
      { length: 90 * 4 },
      (_, at) => (labels[Math.floor(at / 4)] === at % 4 ? 1 : 0) + 0.05 * random.normal(),
    );
    const activations = join(folder, "a.npy");
    writeFileSync(activations, npy(values, [90, 4]));
    const alone = join(folder, "labels.npy");
    writeFileSync(alone, npy(labels, [90]));
    const args = ["patterns", "--activations", activations, "--json", ...QUICK];
    const plain = JSON.parse((await brodmannHere(args)).stdout);
    expect(plain.layers[0]).toMatchObject({ layer: "activations", count: 3, ami: null, predictionAmi: null });
    const labelled = JSON.parse((await brodmannHere([...args, "--data", alone])).stdout);
    expect(labelled.layers[0]).toMatchObject({ count: 3, ami: { withoutNoise: 1 } });
    const pair = writePair(folder, "images", new Float32Array(90 * 16).fill(0.5), [90, 4, 4], labels);
    const out = join(folder, "out");
    const { code, stderr } = await brodmannHere([...args, "--data", pair, "--out", out]);
    expect(code, stderr).toBe(0);
    expect(readdirSync(join(out, "pictures"))).toEqual(["0-activations.png"]);

    const few = join(folder, "few.npy");
    writeFileSync(few, npy(labels.slice(0, 80), [80]));
    const refused = await brodmannHere([...args, "--data", few]);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("found 80 inputs, expected 90, one for each sample of");
  });

  it.each([
    ["no source", [], 2, "found neither, expected either MODEL or --activations FILE"],
    ["no data", ["MODEL"], 2, "found no inputs, expected --data"],
    ["a cluster alone", ["MODEL", "--data", "DATA", "--cluster", "1"], 2, "--cluster: found no partition"],
    ["no such layer", ["MODEL", "--data", "DATA", "--layer", "x"], 3, 'found no layer "x"'],
    ["no such aggregate", ["MODEL", "--data", "DATA", "--aggregate", "median"], 2, 'found "median"'],
    ["too few inputs", ["MODEL", "--data", "DATA", "--take", "5"], 3, "found 5 inputs, expected at least 6"],
    [
      "an image shape that does not fit",
      ["MODEL", "--data", "DATA", "--image-shape", "9,9"],
      2,
      "--image-shape",
    ],
  ])("refuses %s", async (_, words, expected, message) => {
    const folder = temporaryFolder();
    const { model, data } = writePlanted(folder);
    const args = words.map((word) => (word === "MODEL" ? model : word === "DATA" ? data : word));
    const { code, stdout, stderr } = await brodmannHere(["patterns", ...args]);
    expect({ code, stdout }, stderr).toEqual({ code: expected, stdout: "" });
    expect(stderr).toContain(message);
  });

  it("keeps the layers that are done when it is interrupted", async () => {
    const folder = temporaryFolder();
    const { model, data } = writePlanted(folder);
    const out = join(folder, "out");
    const run = start([
      "patterns",
      model,
      "--data",
      data,
      "--nulls",
      "150",
      "--stability",
      "1",
      "--out",
      out,
    ]);
    await run.saying(/^hidden1: \d+ patterns/m);
    run.process.kill("SIGINT");
    const { code, stdout, stderr } = await run.finished;
    expect({ code, stdout }, stderr).toEqual({ code: 130, stdout: "" });
    expect(readdirSync(out).sort()).toEqual(FILES);
    for (const name of FILES) expect(stderr.split("interrupted; kept: ")[1]).toContain(join(out, name));
    expect(stderr).toContain("The files have the layers that are done.");
    const { layers } = JSON.parse(readFileSync(join(out, "patterns.json"), "utf8"));
    expect(layers.map(({ layer }: Listed) => layer)).toEqual(["hidden1"]);
  });
});

interface Listed {
  readonly layer: string;
  readonly cluster?: number;
  readonly noise: number;
  readonly patterns: readonly { readonly pattern: number; readonly size: number }[];
}
