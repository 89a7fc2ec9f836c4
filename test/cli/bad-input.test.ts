import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DataLocation } from "../../src/runtime/onnx.ts";
import {
  brodmann,
  brodmannHere,
  npy,
  type PlantedFiles,
  temporaryFolder,
  writePair,
  writePlanted,
} from "../support/cli.ts";
import { edited, sketch, withWeights } from "../support/models.ts";

const folder = temporaryFolder(false);
const place = (name: string) => join(folder, name);
let files: PlantedFiles;

/** Input files of all sorts, by name. */
beforeAll(async () => {
  files = writePlanted(folder);
  const { planted, model } = files;
  const { inputs, inputShape, labels } = planted;
  const bytes = readFileSync(model);
  await brodmannHere(["graph", model, "--out", place("graph.npz")]);
  await brodmannHere(["partition", place("graph.npz"), "--k", "2", "--out", place("p.json")]);
  writeFileSync(place("text.onnx"), "This is no network.\n");
  writeFileSync(place("empty.onnx"), "");
  writeFileSync(place("half.onnx"), bytes.subarray(0, bytes.length / 2));
  writeFileSync(
    place("nan.onnx"),
    withWeights(planted.model, "hidden2.weight", (i, old) => (i === 7 ? Number.NaN : old)),
  );
  writeFileSync(
    place("infinite.onnx"),
    withWeights(planted.model, "hidden1.bias", (i, old) => (i === 3 ? Number.POSITIVE_INFINITY : old)),
  );
  const external = (location: string) =>
    edited(planted.model, ({ graph }) => {
      const tensor = graph?.initializer.find(({ name }) => name === "hidden1.weight");
      if (tensor === undefined) throw new Error("no hidden1.weight");
      tensor.rawData = new Uint8Array();
      tensor.dataLocation = DataLocation.EXTERNAL;
      const entry = { $typeName: "onnx.StringStringEntryProto" as const, key: "location", value: location };
      tensor.externalData = [entry];
    });
  writeFileSync(place("missing-data.onnx"), external("weights.bin"));
  writeFileSync(place("outside-data.onnx"), external("../secret.bin"));
  symlinkSync(process.execPath, place("link.bin"));
  writeFileSync(place("linked-data.onnx"), external("link.bin"));
  writeModels();

  writePair(folder, "wide", new Float32Array(40), [4, 10], Int32Array.of(0, 1, 2, 3));
  writePair(
    folder,
    "far",
    inputs,
    inputShape,
    labels.map((label, i) => (i === 5 ? 9 : label)),
  );
  writePair(
    folder,
    "negative",
    inputs,
    inputShape,
    labels.map((label, i) => (i === 6 ? -1 : label)),
  );
  writePair(
    folder,
    "alike",
    inputs,
    inputShape,
    labels.map(() => 2),
  );
  writePair(folder, "short", inputs, inputShape, labels.subarray(1));
  writePair(folder, "still", new Float32Array(80).fill(0.5), [10, 8], labels.slice(0, 10));
  const nan = inputs.slice();
  nan[17] = Number.NaN;
  writePair(folder, "nan", nan, inputShape, labels);
  mkdirSync(place("lonely"));
  writeFileSync(place("lonely/x.npy"), npy(inputs, inputShape));
  mkdirSync(place("nothing"));
  mkdirSync(place("classes/cat"), { recursive: true });
  writeFileSync(place("junk.npz"), Buffer.from("PK\u0003\u0004 but no zip"));
  const partition = (name: string, content: unknown) => writeFileSync(place(name), JSON.stringify(content));
  const schema = "brodmann/partition/1";
  partition("no-schema.json", { layers: [] });
  partition("stranger.json", { schema, layers: [{ name: "conv1", labels: [0, 1] }] });
  partition("short.json", { schema, layers: [{ name: "hidden1", labels: [0, 1] }] });
  partition("whole.json", { schema, layers: [{ name: "hidden1", labels: new Array(24).fill(0) }] });
  partition("blank.json", { schema, layers: [{ name: "hidden1", labels: new Array(24).fill(-1) }] });
  partition("word.json", { schema, layers: [{ name: "hidden1", labels: ["a"] }] });
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Models that hold something that cannot be analysed. */
function writeModels(): void {
  const blocked = sketch([8]);
  const first = blocked.dense("x", "first", 8, 24);
  const odd = blocked.node("CumSum", [first, blocked.ints([1], [])], {}, { name: "running" });
  const last = blocked.dense(blocked.node("Relu", [blocked.dense(odd, "second", 24, 24)]), "last", 24, 4);
  writeFileSync(place("blocked.onnx"), blocked.encode(last));

  const weightless = sketch([8]);
  writeFileSync(place("weightless.onnx"), weightless.encode(weightless.node("Relu", ["x"])));

  const unknown = sketch([8]);
  const custom = unknown.node("Sorcery", [unknown.dense("x", "first", 8, 4)], {}, { domain: "test.custom" });
  writeFileSync(place("unknown.onnx"), unknown.encode(custom));

  const open = sketch(["width"]);
  writeFileSync(place("open.onnx"), open.encode(open.dense(open.dense("x", "first", 8, 6), "last", 6, 4)));

  const single = sketch([8]);
  const logit = single.dense(single.node("Relu", [single.dense("x", "first", 8, 6)]), "last", 6, 1);
  writeFileSync(place("single.onnx"), single.encode(logit));

  const image = sketch([8]);
  const one = image.dense(image.node("Relu", [image.dense("x", "first", 8, 6)]), "last", 6, 8);
  writeFileSync(place("image.onnx"), image.encode(image.node("Reshape", [one, image.ints([-1, 2, 2, 2])])));
}

const P = "P.json";
/** In arguments: M is the model, D the data, P the partition; other names stand in the folder. */
function resolve(args: readonly string[]): string[] {
  return args.map((arg) => {
    if (arg === "M") return files.model;
    if (arg === "D") return files.data;
    if (arg === P) return place("p.json");
    if (/^[a-z-]+-x\.npy$/.test(arg)) return `${place(arg)},${place(arg.replace("-x.", "-y."))}`;
    return /\.(onnx|npz|npy|json|gexf)$|\//.test(arg) ? place(arg) : arg;
  });
}

async function expectRefusal(
  code: number,
  args: readonly string[],
  texts: readonly (string | RegExp)[],
): Promise<void> {
  const run = await brodmannHere(resolve(args));
  expect({ code: run.code, stdout: run.stdout, stderr: run.stderr }).toMatchObject({ code, stdout: "" });
  const error = run.stderr.slice(run.stderr.search(/^error /m));
  expect(error).toMatch(/^error [^\n]+\n[^\n]+\n$/);
  expect(error).not.toContain("error unexpected");
  for (const text of texts) expect(error).toMatch(text instanceof RegExp ? text : new RegExp(escaped(text)));
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
const score = (model: string, data: string, partition = P) => [
  "score",
  model,
  "--data",
  data,
  "--partition",
  partition,
];

describe("unusable input exits with 3; the error names it, and what to do", () => {
  it.each<[string, string[], (string | RegExp)[]]>([
    ["text for a model", ["inspect", "text.onnx"], ["text.onnx: not an ONNX file", "exported to ONNX"]],
    ["an empty model", ["inspect", "empty.onnx"], ["empty.onnx: empty file"]],
    ["half a model", ["inspect", "half.onnx"], ["half.onnx: a damaged or truncated ONNX file"]],
    ["no model", ["inspect", "none.onnx"], ["none.onnx: cannot be read"]],
    ["a folder for a model", ["inspect", "nothing/"], ["nothing/: cannot be read"]],
    ["a graph for a model", ["inspect", "graph.npz"], ["graph.npz: not an ONNX file"]],
    ["NaN in weights", ["inspect", "nan.onnx"], ["nan.onnx", "hidden2.weight", "found NaN at position 7"]],
    [
      "infinity in a bias",
      ["graph", "infinite.onnx", "--out", "o.npz"],
      ["hidden1.bias", "found Infinity at position 3"],
    ],
    [
      "missing external data",
      ["inspect", "missing-data.onnx"],
      ["hidden1.weight", 'no external data file "weights.bin"', 'Put "weights.bin" beside the model.'],
    ],
    [
      "external data outside the folder",
      ["inspect", "outside-data.onnx"],
      ["hidden1.weight", '"../secret.bin", outside the model\'s folder'],
    ],
    ["external data behind a link", ["inspect", "linked-data.onnx"], ['"link.bin" links to a file outside']],
    ["an operator that nobody knows", ["inspect", "unknown.onnx"], ["unknown.onnx", "Sorcery"]],
    [
      "a network without weights",
      ["inspect", "weightless.onnx"],
      ["weightless.onnx: found no layer with constant weights"],
    ],
    [
      "a network of one class",
      score("single.onnx", "D"),
      ["found 1 class numbers for each input", "at least two logits", "values of a regression as floats"],
    ],
    [
      "a network whose output is no answer of any task",
      score("image.onnx", "D"),
      ["image.onnx", "[N, 2, 2, 2], expected [N, classes]"],
    ],
    ["no data", score("M", "none.npz"), ["none.npz: cannot be read"]],
    ["an empty folder of data", score("M", "nothing/"), ["nothing", "found 0 PNG or JPEG images"]],
    [
      "class folders without images",
      score("M", "classes/"),
      ["found 0 PNG or JPEG images in 1 class folders"],
    ],
    ["a file that is no archive", score("M", "junk.npz"), ["junk.npz"]],
    ["a model for data", score("M", "M"), ["model.onnx"]],
    [
      "inputs of another shape",
      score("M", "wide-x.npy"),
      ["wide-x.npy: found inputs of shape (10), expected (8)", "brodmann inspect"],
    ],
    ["NaN in inputs", score("M", "nan-x.npy"), ["nan-x.npy: found NaN in input 2 (value 1)"]],
    [
      "a label out of range",
      score("M", "far-x.npy"),
      ["far-y.npy: label of input 5: found 9, expected 0 to 3"],
    ],
    ["a label below zero", score("M", "negative-x.npy"), ["negative-y.npy", "-1"]],
    [
      "inputs of one class",
      score("M", "alike-x.npy"),
      ["alike-y.npy: labels: found inputs of fewer than two classes"],
    ],
    ["too few labels", score("M", "short-x.npy"), ["short-y.npy: found 239 labels, expected 240"]],
    ["no labels", score("M", "lonely/x.npy"), ["lonely/x.npy", "labels"]],
    [
      "nothing left behind --skip",
      [...score("M", "D"), "--skip", "240"],
      ["planted-x.npy", "found 240 inputs", "skipping 240 and taking all", "Lower --skip"],
    ],
    ["no graph", ["partition", "none.npz"], ["none.npz: cannot be read"]],
    [
      "a model for a graph",
      ["partition", "M"],
      ["model.onnx: found no graph file, expected .npz, .gexf or .graphml"],
    ],
    [
      "an array for a graph",
      ["partition", "planted-x.npy"].map((arg) => arg.replace("planted", "./planted")),
      [/found no graph file|cannot be read/],
    ],
    ["k beyond the graph", ["partition", "graph.npz", "--k", "61"], ["found k = 61, expected 1 to 60"]],
    ["no partition", score("M", "D", "none.json"), ["none.json: cannot be read"]],
    ["a graph for a partition", score("M", "D", "graph.npz"), ["graph.npz: found text that is not JSON"]],
    [
      "a partition without schema",
      score("M", "D", "no-schema.json"),
      ['no-schema.json: found schema (none), expected "brodmann/partition/1"'],
    ],
    [
      "a partition with words",
      score("M", "D", "word.json"),
      ['word.json: layers[0]: found label "a" at unit 0'],
    ],
    [
      "a partition of another network",
      score("M", "D", "stranger.json"),
      ["found layer conv1, expected layers named x, hidden1"],
    ],
    [
      "a partition with too few labels",
      score("M", "D", "short.json"),
      ["found 2 labels for layer hidden1, expected 24"],
    ],
    [
      "a partition with nothing to test",
      score("M", "D", "whole.json"),
      ["found no subcluster of 2 or more units"],
    ],
    ["a graph for a comparison", ["compare", P, "graph.npz"], ["graph.npz: found text that is not JSON"]],
    ["partitions without a common layer", ["compare", P, "stranger.json"], ["stranger.json: ", "conv1"]],
    [
      "partitions of layers of other sizes",
      ["compare", P, "short.json", "--shuffles", "9"],
      ["layer hidden1: found 24 labels in one partition and 2 in the other"],
    ],
    [
      "partitions without a common unit",
      ["compare", P, "blank.json"],
      ["found no unit that both put in a cluster (60 and 0 units in clusters of one)"],
    ],
    [
      "inputs that are all alike",
      ["graph", "M", "--graph", "activations", "--data", "still-x.npy", "--out", "o.npz"],
      ["found 0 of 48 units that vary"],
    ],
    [
      "activations of one axis",
      ["graph", "--activations", "./planted-y.npy", "--out", "o.npz"],
      ["planted-y.npy: found int32 of shape (240), expected samples x units"],
    ],
  ])("%s", async (_, args, texts) => {
    await expectRefusal(3, args, texts);
  });

  it("before anything is written", async () => {
    await expectRefusal(3, ["analyze", "M", "--data", "far-x.npy", "--out", "untouched/"], ["far-y.npy"]);
    const { readdirSync } = await import("node:fs");
    expect(readdirSync(place("untouched"))).toEqual([]);
  });
});

describe("an operator in the way", () => {
  it("costs its connection, and is named", async () => {
    const inspected = await brodmann(["inspect", place("blocked.onnx"), "--json"]);
    expect(inspected.code).toBe(0);
    expect(inspected.stderr).toMatch(/^not followed: running \(CumSum\): /m);
    expect(JSON.parse(inspected.stdout)).toMatchObject({
      connections: [
        { from: "x", to: "first" },
        { from: "second", to: "last" },
      ],
      skipped: [
        { node: "running", operator: "CumSum", reason: expect.any(String) },
        { node: "second", operator: "Gemm", reason: expect.any(String) },
      ],
    });
    const args = [
      "analyze",
      place("blocked.onnx"),
      "--data",
      files.data,
      "--k",
      "6",
      "--out",
      place("blocked"),
    ];
    const run = await brodmann(args);
    expect(run.stderr).toContain("not followed: running (CumSum)");
    expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code: 0 });
  });
});

describe("a network with open sizes", () => {
  it("takes them from the data, and asks for them", async () => {
    const refused = await brodmann(["inspect", place("open.onnx")]);
    expect(refused).toMatchObject({ code: 3, stdout: "" });
    expect(refused.stderr).toMatch(/open\.onnx: .*\n.*--data/);
    const inspected = await brodmann(["inspect", place("open.onnx"), "--data", files.data, "--json"]);
    expect(JSON.parse(inspected.stdout)).toMatchObject({ input: { shape: [8] } });
  });
});

describe("output that cannot be written exits with 2", () => {
  it.each<[string, string[], string[]]>([
    [
      "a folder below a file",
      ["analyze", "M", "--data", "D", "--out", "p.json/run/"],
      ["p.json/run/", "a part of the path is a file"],
    ],
    [
      "a file for a folder",
      ["analyze", "M", "--data", "D", "--out", P],
      ["p.json: found a place that cannot be written", "expected a folder"],
    ],
    [
      "a folder in a file's place",
      ["analyze", "M", "--data", "D", "--out", "taken/"],
      ["taken/scores.json", "it is a folder"],
    ],
    [
      "a graph below a file",
      ["graph", "M", "--out", "p.json/graph.npz"],
      ["p.json/graph.npz", "a part of the path is a file"],
    ],
    [
      "a graph in no folder",
      ["graph", "M", "--out", "none/graph.npz"],
      ["none/graph.npz", "its folder does not exist"],
    ],
    [
      "a partition for a folder",
      ["partition", "graph.npz", "--out", "nothing/"],
      ["nothing/", "it is a folder", "expected a file"],
    ],
    ["scores for a folder", [...score("M", "D"), "--out", "nothing/"], ["nothing/", "it is a folder"]],
    [
      "a partition over its graph",
      ["partition", "graph.npz", "--out", "graph.npz"],
      ["graph.npz: found an input file"],
    ],
    ["scores over the partition", [...score("M", "D"), "--out", P], ["p.json: found an input file"]],
  ])("%s", async (_, args, texts) => {
    mkdirSync(place("taken/scores.json"), { recursive: true });
    await expectRefusal(2, args, texts);
  });

  it("and so does a missing flag or a flag that does not fit", async () => {
    await expectRefusal(2, ["score", "M", "--partition", P], ["score: found no inputs, expected --data"]);
    await expectRefusal(2, ["analyze", "M", "--out", "o/"], ["analyze: found no inputs, expected --data"]);
    await expectRefusal(2, ["graph", "M", "--graph", "activations", "--out", "o.npz"], ["expected --data"]);
    await expectRefusal(2, ["graph", "M", "--data", "D", "--std", "0", "--out", "o.npz"], ["--std: found 0"]);
    await expectRefusal(2, ["partition", "graph.npz", "--like", P], ["--like: found a global graph"]);
    await expectRefusal(
      2,
      ["graph", "M", "--top-k", "3", "--out", "o.npz"],
      ["--top-k: found a weight graph"],
    );
  });
});
