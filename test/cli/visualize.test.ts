import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import { loadNetwork } from "../../src/network/load-network.ts";
import { contactSheet } from "../../src/visualize/contact-sheet.ts";
import { visualizeUnits } from "../../src/visualize/visualize-units.ts";
import { brodmann, brodmannHere, ROOT, start, temporaryFolder } from "../support/cli.ts";
import { sketch } from "../support/models.ts";
import { referenceNetwork } from "../visualize/cases.ts";

const MLP = join(ROOT, "examples/mnist-mlp.onnx");

/** A folder with a network of convolutions, whose layers are 0, 3, 6 and 8. */
function writeGrey(): { folder: string; model: string } {
  const folder = temporaryFolder();
  const model = join(folder, "grey.onnx");
  writeFileSync(model, referenceNetwork("grey"));
  return { folder, model };
}

describe("visualize", () => {
  it("shows a set beside random groups, in a picture and in numbers", async () => {
    const { folder, model } = writeGrey();
    const out = join(folder, "img.png");
    const args = ["visualize", model, "--units", "3:1,5;0:0-2,4", "--shuffles", "3", "--steps", "10"];
    const { code, stdout, stderr } = await brodmann([...args, "--out", out, "--json"]);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(`written: ${out}`);
    const found = JSON.parse(stdout);
    expect(found).toMatchObject({
      schema: "brodmann/visualize/1",
      model: "grey.onnx",
      seed: 0,
      steps: 10,
      image: { channels: 1, height: 12, width: 10 },
    });
    const network = await loadNetwork(model);
    const rows = [];
    for (const [i, layer, units] of [
      [0, "3", [1, 5]],
      [1, "0", [0, 1, 2, 4]],
    ] as const) {
      const { random, ...own } = found.sets[i];
      const groups = random.map((group: { units: number[] }) => group.units);
      expect(groups).toHaveLength(3);
      for (const group of groups) expect(new Set(group).size).toBe(units.length);
      const { sets } = await visualizeUnits(network, layer, [units, ...groups], { steps: 10 });
      const [first, ...others] = sets;
      expect(own).toEqual({
        layer,
        units,
        score: first?.score,
        entropy: first?.entropy,
        dispersion: first?.dispersion,
      });
      expect(random.map(({ score }: { score: number }) => score)).toEqual(others.map(({ score }) => score));
      rows.push({ image: first?.image ?? new Float32Array(), random: others.map(({ image }) => image) });
    }
    const picture = contactSheet(rows, { channels: 1, height: 12, width: 10 });
    const { width, height, channels, data } = decode(readFileSync(out));
    expect({ width, height, channels }).toEqual({
      width: picture.width,
      height: picture.height,
      channels: 1,
    });
    expect(Buffer.compare(Buffer.from(data as Uint8Array), Buffer.from(picture.pixels))).toBe(0);
    const again = join(folder, "again.png");
    const text = await brodmannHere([...args, "--out", again]);
    expect(readFileSync(again)).toEqual(readFileSync(out));
    expect(text.stdout).toMatch(/^layer +units +score +random +entropy +random$/m);
    expect(text.stdout).toMatch(/^ *3 +1,5 +\d/m);
    expect((await brodmannHere([...args, "--seed", "1", "--json"])).stdout).not.toBe(stdout);
  });

  it("shows the subclusters of a partition, without small ones and whole layers", async () => {
    const { folder, model } = writeGrey();
    const partition = join(folder, "p.json");
    const layers = [
      { name: "x", labels: Array.from({ length: 120 }, () => 9) },
      { name: "0", labels: [7, 7, 7, 7, 7, 7] },
      { name: "3", labels: [7, 7, 7, 9, 9, -1, 2, 2] },
      { name: "6", labels: [9, 9, 9, 2, 2, 2, -1, -1, 2, 7] },
    ];
    writeFileSync(partition, JSON.stringify({ schema: "brodmann/partition/1", layers }));
    const args = ["visualize", model, "--partition", partition, "--shuffles", "2", "--steps", "2", "--json"];
    const { code, stdout, stderr } = await brodmannHere(args);
    expect(code, stderr).toBe(0);
    const { sets } = JSON.parse(stdout);
    expect(sets.map(({ layer, cluster, units }: Record<string, unknown>) => [layer, cluster, units])).toEqual(
      [
        ["3", 7, [0, 1, 2]],
        ["6", 9, [0, 1, 2]],
        ["6", 2, [3, 4, 5, 8]],
      ],
    );
    // Random groups leave out what is in no cluster.
    for (const { units } of sets[0].random) expect(units).not.toContain(5);
    for (const { units } of [...sets[1].random, ...sets[2].random]) {
      expect(units).not.toContain(6);
      expect(units).not.toContain(7);
    }
    writeFileSync(partition, JSON.stringify({ schema: "brodmann/partition/1", layers: layers.slice(0, 2) }));
    expect((await brodmannHere(args)).code).toBe(2);
  });

  it("takes the shape of images from a flag where the network has none", async () => {
    const folder = temporaryFolder();
    const model = join(folder, "flat.onnx");
    const s = sketch([12]);
    writeFileSync(model, s.encode(s.dense(s.node("Relu", [s.dense(s.input, "a", 12, 5)]), "b", 5, 3)));
    const args = ["visualize", model, "--units", "a:1", "--steps", "2", "--json"];
    const { code, stderr } = await brodmannHere(args);
    expect(code).toBe(3);
    expect(stderr).toContain("flat.onnx: found inputs of shape [N, 12], expected images");
    const told = await brodmannHere([...args, "--image-shape", "3,4"]);
    expect(JSON.parse(told.stdout).image).toEqual({ channels: 1, height: 3, width: 4 });
    const open = sketch([1, "h", "w"]);
    const pooled = open.node("GlobalAveragePool", [
      open.conv(open.input, { name: "a", inputs: 1, units: 4 }),
    ]);
    writeFileSync(model, open.encode(open.dense(open.node("Flatten", [pooled]), "b", 4, 3)));
    const sized = await brodmannHere([...args, "--image-shape", "6,5"]);
    expect(JSON.parse(sized.stdout).image).toEqual({ channels: 1, height: 6, width: 5 });
  });

  it.each([
    [[], "visualize: found no units", 2],
    [["--units", "hidden1:1", "--partition", "p.json"], "found --units and --partition", 2],
    [["--units", "hidden1"], 'found "hidden1", expected LAYER:UNITS', 2],
    [["--units", "hidden1:"], 'found "hidden1:", expected LAYER:UNITS', 2],
    [["--units", "hidden1:5-2"], "expected LAYER:UNITS", 2],
    [["--units", "hidden1:1,,2"], "expected LAYER:UNITS", 2],
    [
      ["--units", "hidden1:3;hidden2:4,256"],
      "units of hidden2: found unit 256, expected numbers from 0 to 255",
      2,
    ],
    [["--units", "hidden1:0-99999999999"], "units of hidden1: found unit 256", 2],
    [["--units", "hidden1:4,4"], "found unit 4 twice", 2],
    [["--units", "hiden1:4"], 'found no layer "hiden1"', 3],
    [["--units", "hidden1:1", "--image-shape", "20,20"], "--image-shape: found 20,20", 2],
    [["--units", "hidden1:1", "--scale", "1.5"], "scale: found 1.5", 2],
    [["--units", "hidden1:1", "--std", "0"], "--std: found 0", 2],
    [["--units", "hidden1:1", "--out", "/nowhere/img.png"], "its folder does not exist", 2],
    [["--units", "hidden1:1", "--out", MLP], "found an input file", 2],
  ])("refuses %j", async (args, message, code) => {
    const finished = await brodmannHere(["visualize", MLP, ...args]);
    expect(finished).toMatchObject({ code, stdout: "" });
    expect(finished.stderr).toContain(message);
  });

  it("ends on Ctrl-C after a step", async () => {
    const folder = temporaryFolder();
    const out = join(folder, "img.png");
    const long = ["--shuffles", "1", "--steps", "2000000"];
    const none = start(["visualize", MLP, "--units", "hidden1:1", "--out", out, ...long]);
    await none.saying(/^images: [\d,]+ of 4,000,000/m);
    none.process.kill("SIGINT");
    const { code, stdout, stderr } = await none.finished;
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toContain("interrupted; kept: nothing");
    expect(existsSync(out)).toBe(false);
  });

  it("keeps the rows of the layers that are done", async () => {
    const out = join(temporaryFolder(), "img.png");
    const many = Array.from({ length: 100 }, (_, unit) => `hidden2:${unit}`).join(";");
    const args = ["visualize", MLP, "--units", `hidden1:1;${many}`, "--shuffles", "1", "--steps", "2000"];
    const run = start([...args, "--out", out]);
    await run.saying(/^images: [\d,]+ of 400,000/m);
    run.process.kill("SIGINT");
    const { code, stderr } = await run.finished;
    expect(code).toBe(130);
    expect(stderr).toContain(`interrupted; kept: ${out}\nA picture has the layers that are done.`);
    const { width, height } = decode(readFileSync(out));
    expect(width).toBeGreaterThan(2 * height);
    expect(height).toBeLessThan(2 * 4 * 28);
  });
});
