/** The built package as scripts in another folder use it. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { brodmann, ROOT, temporaryFolder, writePlanted } from "./support/cli.ts";

const SCRIPT = `
import { activationGraph, importance, loadDataset, loadNetwork, louvain, spectral, weightGraph } from "brodmann";

const network = await loadNetwork("model.onnx");
const data = await loadDataset("planted-x.npy,planted-y.npy");
const weights = await weightGraph(network);
const activations = await activationGraph(network, data, { scope: "local" });
const partition = await spectral(weights, { k: 2, seed: 0 });
const scores = await importance(network, data, partition, { shuffles: 199, seed: 0 });
const other = await louvain(activations);
console.log(JSON.stringify({
  layers: network.layers.map(({ name }) => name),
  nodes: [weights.matrix.size, activations.matrix.size],
  clusters: [partition.clusters, other.clusters],
  p: scores.network.loss.permutationP,
}));
`;

/** What a TypeScript user writes: the types must be there and must say no to mistakes. */
const TYPED = `
import { BrodmannError, type Importance, importance, loadDataset, loadNetwork, type Partition, spectral, weightGraph } from "brodmann";

const network = await loadNetwork("model.onnx");
const partition: Partition = await spectral(await weightGraph(network, { norm: "l2" }), { k: 2 });
const scores: Importance = await importance(network, await loadDataset("digits.npz"), partition);
const p: number = scores.network.loss.permutationP;
// @ts-expect-error: no such norm
await weightGraph(network, { norm: "l3" });
// @ts-expect-error: a number, not a text
const wrong: string = p;
console.log(wrong, new BrodmannError("E_X", "x").hint);
`;

let folder: string;

beforeEach(() => {
  folder = temporaryFolder();
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(ROOT, join(folder, "node_modules/brodmann"), "dir");
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
});

describe("the package", () => {
  it("works in a script, and gives what the command line gives", async () => {
    const { model, data } = writePlanted(folder);
    writeFileSync(join(folder, "script.mjs"), SCRIPT);
    const [home, temporary] = [join(folder, "home"), join(folder, "temporary")];
    for (const path of [home, temporary]) mkdirSync(path);
    // As ONNX Runtime finds it on other machines: this process has switched its telemetry off already.
    const { ORT_DISABLE_TELEMETRY: _, XDG_CACHE_HOME: __, ...inherited } = process.env;
    const env = { ...inherited, HOME: home, TMPDIR: temporary };
    const { stdout, stderr } = spawnSync(process.execPath, ["script.mjs"], {
      cwd: folder,
      encoding: "utf8",
      env,
    });
    expect(stderr).toBe("");
    // Neither identifiers nor caches of what would be sent somewhere.
    expect([home, temporary].flatMap((path) => readdirSync(path))).toEqual([]);
    const found = JSON.parse(stdout) as { p: number };
    expect(found).toMatchObject({
      layers: ["hidden1", "hidden2", "logits"],
      nodes: [60, 48],
      clusters: [2, 4],
    });
    const run = await brodmann([
      "analyze",
      model,
      "--data",
      data,
      "--k",
      "2",
      "--out",
      join(folder, "run"),
      "--json",
    ]);
    const scores = JSON.parse(run.stdout) as { network: { importance: { loss: { permutationP: number } } } };
    expect(found.p).toBe(scores.network.importance.loss.permutationP);
  });

  it.each(["nodenext", "bundler"])("has types (module resolution %s)", (moduleResolution) => {
    writeFileSync(join(folder, "script.ts"), TYPED);
    const compilerOptions = {
      target: "es2022",
      module: moduleResolution === "nodenext" ? "nodenext" : "esnext",
      moduleResolution,
      strict: true,
      noEmit: true,
      types: [],
    };
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["script.ts"] }));
    const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
    const { stdout, status } = spawnSync(process.execPath, [compiler, "-p", folder], { encoding: "utf8" });
    expect({ stdout, status }).toEqual({ stdout: expect.not.stringContaining("error"), status: 0 });
  });

  it("holds the program, the types and the embedded example, and no sources or tests", () => {
    const listing = execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
      cwd: ROOT,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [{ files = [], size = 0 } = {}] = JSON.parse(listing) as {
      files: { path: string }[];
      size: number;
    }[];
    const paths = files.map(({ path }) => path);
    for (const path of [
      "dist/index.js",
      "dist/index.d.ts",
      "dist/cli/main.js",
      "dist/cli/commands/demo.js",
      "dist/page/page.js",
      "dist/report/read-run.js",
      "dist/report/page/report.js",
      "dist/report/page/report.css",
      "shaders/gram.wgsl",
      "examples/mnist-mlp.onnx",
      "examples/mnist-digits.npz",
      "package.json",
    ]) {
      expect(paths).toContain(path);
    }
    expect(
      paths.filter((path) => !/^(dist|examples|shaders)\/|^(package\.json|README|LICENSE)/.test(path)),
    ).toEqual([]);
    expect(paths.filter((path) => /\.test\.|\.tsbuildinfo|(?<!\.d)\.ts$/.test(path))).toEqual([]);
    expect(size).toBeLessThan(5e6);
    expect(readFileSync(join(ROOT, "dist/cli/main.js"), "utf8")).toMatch(/^#!\/usr\/bin\/env node\n/);
  });
});
