import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { decode } from "fast-png";
import { describe, expect, it } from "vitest";
import { listPictures, removePictures, sheetName } from "../../src/cli/visual-sheets.ts";
import { readRun } from "../../src/report/read-run.ts";
import { brodmann, brodmannHere, npy, start, temporaryFolder } from "../support/cli.ts";
import { randomData, sketch } from "../support/models.ts";
import { withoutRun } from "../support/report-text.ts";

const [COUNT, SIZE] = [40, 8];

/** A network whose layers have the names of a hostile file, and 40 images. */
function writeFiles(inputShape: readonly number[]) {
  const folder = temporaryFolder();
  const s = sketch(inputShape, { seed: 3 });
  const [channels = 1] = inputShape;
  const a = s.node("Relu", [s.conv(s.input, { name: "../../up", inputs: channels, units: 12 })]);
  const b = s.node("Relu", [s.conv(a, { name: "con:<b>", inputs: 12, units: 10 })]);
  const bytes = s.encode(s.dense(s.node("Flatten", [s.node("GlobalAveragePool", [b])]), "logits", 10, 4));
  const place = (name: string) => join(folder, name);
  writeFileSync(place("model.onnx"), bytes);
  const { values, labels } = randomData(COUNT, inputShape, 4);
  writeFileSync(place("x.npy"), npy(values, [COUNT, ...inputShape]));
  writeFileSync(place("y.npy"), npy(labels, [COUNT]));
  const data = ["--data", `${place("x.npy")},${place("y.npy")}`];
  const flags = ["--k", "3", "--protocol", "paper", "--shuffles", "3", "--scores", "coherence"];
  return { place, analyze: ["analyze", place("model.onnx"), ...data, ...flags] };
}

describe("names of pictures", () => {
  it("stay in their folder, whatever a layer is called", () => {
    const name = (layer: string, number = 4) => sheetName({ layer, number });
    expect(name("/features/0/Conv")).toBe("4-features_0_Conv.png");
    expect(name("../../etc/passwd")).toBe("4-etc_passwd.png");
    expect(name("..\\..\\up\u0000\n")).toBe("4-up.png");
    expect(name("")).toBe("4-.png");
    expect(name("层")).toBe("4-.png");
    expect(name("x".repeat(500)).length).toBe(86);
    expect(name("a/b", 1)).not.toBe(name("a_b", 2));
  });
});

describe("pictures of an earlier run", () => {
  it("go; of one that goes on, those that it writes at its end", () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "visual"));
    for (const name of ["0-up.png", "12-.png", "inputs.png", "mine.png"]) {
      writeFileSync(join(folder, "visual", name), "");
    }
    removePictures(folder, true);
    expect(listPictures(folder).sort()).toEqual(["0-up.png", "12-.png"]);
    removePictures(folder, false);
    expect(listPictures(folder)).toEqual([]);
    expect(readdirSync(join(folder, "visual"))).toEqual(["mine.png"]);
    expect(listPictures(join(folder, "absent"))).toEqual([]);
  });
});

describe("analyze", () => {
  it("writes a picture for each layer, and its numbers into all files", async () => {
    const { place, analyze } = writeFiles([1, SIZE, SIZE]);
    const out = ["--out", place("run"), "--visual-shuffles", "3"];
    // Pictures of an earlier run go, other files stay.
    mkdirSync(place("run/visual"), { recursive: true });
    for (const name of ["9-old.png", "mine.png"]) writeFileSync(place(`run/visual/${name}`), "");
    const { code, stdout, stderr } = await brodmann([...analyze, ...out, "--json"]);
    expect(code, stderr).toBe(0);
    const pictures = ["0-up.png", "1-con_b.png", "inputs.png"];
    expect(readdirSync(place("run/visual")).sort()).toEqual([...pictures, "mine.png"]);
    expect(stderr).toContain("units.csv, run.json, report.html, 3 pictures in visual)");
    expect(stderr).not.toContain("not measured");
    const scores = JSON.parse(stdout);
    const own = scores.subclusters.filter(({ layer }: { layer: string }) => layer === "../../up");
    const shown = own.filter(({ units }: { units: number[] }) => units.length >= 3);
    expect(shown.length).toBeGreaterThan(0);
    for (const { coherence } of shown) {
      for (const name of ["score", "entropy"]) {
        expect(coherence[name]).toBeGreaterThan(0);
        expect(coherence.p[name]).toBeGreaterThan(0);
        expect(coherence.effect[name]).toBeGreaterThan(0);
        expect(coherence.nulls[name]).toBe(3);
      }
    }
    expect(scores.network.coherence.score).toMatchObject({ shuffles: 3, tail: "upper" });
    expect(scores.network.coherence.entropy).toMatchObject({ shuffles: 3, tail: "lower" });
    expect(scores.coherence.visual).toMatchObject({ shuffles: 3, steps: 65, image: [1, SIZE, SIZE] });
    const [header = ""] = readFileSync(place("run/subclusters.csv"), "utf8").split("\n");
    for (const column of ["score", "p_entropy", "effect_score", "q_entropy", "dispersion"]) {
      expect(header.split(",")).toContain(column);
    }
    // A row for each, of its own image and three random ones of 12 x 8 pixels, with gaps of 6 and 12.
    const { width, height } = decode(readFileSync(place("run/visual/0-up.png")));
    expect({ width, height }).toEqual({ width: 4 * (96 + 6) + 6 + 12, height: shown.length * (96 + 6) + 6 });
    const again = await brodmannHere([...analyze, "--out", place("again"), "--visual-shuffles", "3"]);
    for (const name of ["scores.json", ...pictures.map((picture) => `visual/${picture}`)]) {
      expect(readFileSync(place(`again/${name}`))).toEqual(readFileSync(place(`run/${name}`)));
    }
    const { pictures: shownOnes } = await readRun(place("run"));
    expect(shownOnes.subclusters.filter(({ layer }) => layer === "../../up")).toEqual(
      shown.map(({ cluster }: { cluster: number }) => ({
        layer: "../../up",
        cluster,
        image: expect.stringMatching(/^data:image\/png;base64,/),
        random: Array.from({ length: 3 }, () => expect.stringMatching(/^data:image\/png;base64,/)),
      })),
    );
    const driving = scores.subclusters.flatMap(
      ({ coherence }: { coherence: { examples: { input: number }[] } }) =>
        coherence.examples.slice(0, 8).map(({ input }) => input),
    );
    expect(Object.keys(shownOnes.inputs).map(Number).sort()).toEqual([...new Set(driving)].sort());
    // Killed while it scores, and continued: the pictures of layers that are done stay as they are.
    const job = start([...analyze, "--out", place("killed"), "--visual-shuffles", "3"]);
    while (!existsSync(place("killed/visual/0-up.png"))) await new Promise((done) => setTimeout(done, 10));
    job.process.kill("SIGKILL");
    await job.finished;
    const resumed = [...analyze, "--out", place("killed"), "--visual-shuffles", "3", "--resume"];
    expect((await brodmannHere(resumed)).code).toBe(0);
    for (const name of ["scores.json", ...pictures.map((picture) => `visual/${picture}`)]) {
      expect(readFileSync(place(`killed/${name}`))).toEqual(readFileSync(place(`run/${name}`)));
    }
    const report = (run: string) => withoutRun(readFileSync(place(`${run}/report.html`), "utf8"));
    expect(report("killed")).toBe(report("again"));
    expect(again.stdout).toMatch(/^score +\d/m);
    expect(again.stdout).toContain("65 updates for each of");
  });

  it("shows the inputs also without other pictures, normalisation undone", async () => {
    const { place, analyze } = writeFiles([3, SIZE, SIZE]);
    const flags = ["--visual-shuffles", "0", "--mean", "0.4,0.5,0.6", "--std", "0.2,0.3,0.4"];
    const { code, stderr } = await brodmannHere([...analyze, ...flags, "--out", place("run")]);
    expect(code, stderr).toBe(0);
    expect(readdirSync(place("run/visual"))).toEqual(["inputs.png"]);
    const plain = randomData(COUNT, [3, SIZE, SIZE], 4).values;
    const { inputs } = (await readRun(place("run"))).pictures;
    expect(Object.keys(inputs).length).toBeGreaterThan(0);
    // Some lie outside of 0 to 1: all are brought there together.
    const size = 3 * SIZE * SIZE;
    const shown = Object.keys(inputs).map(Number);
    const values = shown.flatMap((input) => [...plain.subarray(input * size, (input + 1) * size)]);
    const [low, high] = [Math.min(0, ...values), Math.max(1, ...values)];
    for (const input of shown) {
      const { data } = decode(Buffer.from(inputs[input]?.split(",")[1] ?? "", "base64"));
      data.forEach((byte, at) => {
        const value = plain[input * size + (at % 3) * SIZE * SIZE + Math.floor(at / 3)] as number;
        expect(Math.abs(byte - (255 * (value - low)) / (high - low))).toBeLessThan(0.51);
      });
    }
  });

  it("says why there are no images, and goes on without", async () => {
    const { place, analyze } = writeFiles([2, SIZE, SIZE - 1]);
    const { code, stdout, stderr } = await brodmannHere([...analyze, "--out", place("run"), "--json"]);
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(
      "not measured: score and entropy: model.onnx: found inputs of shape [N, 2, 8, 7], expected images",
    );
    expect(stderr.split("not measured").length).toBe(2);
    expect(existsSync(place("run/visual"))).toBe(false);
    const scores = JSON.parse(stdout);
    expect(scores.network.coherence.score.permutationP).toBeNull();
    expect(scores.network.coherence.meanCorrelation.tested).toBeGreaterThan(0);
    expect(scores.network.coherence.downstreamCosine.tested).toBeGreaterThan(0);
    const wrong = await brodmannHere([...analyze, "--out", place("no"), "--image-shape", "4,4"]);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("--image-shape: found 4,4");
  });
});
