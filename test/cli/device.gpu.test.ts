import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readGraph } from "../../src/graph/graph-file.ts";
import { brodmann, type PlantedFiles, temporaryFolder, writePlanted } from "../support/cli.ts";

const folder = temporaryFolder(false);
let files: PlantedFiles;
beforeAll(() => {
  files = writePlanted(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs an analysis on a device and gives its graph's weights, its quality and its messages. */
async function analyzeOn(device: string, graph: string) {
  const out = join(folder, `${graph}-${device}`);
  const args = [
    "analyze",
    files.model,
    "--data",
    files.data,
    "--graph",
    graph,
    "--k",
    "2",
    "--protocol",
    "paper",
  ];
  const { code, stderr } = await brodmann([...args, "--device", device, "--out", out]);
  expect(code, stderr).toBe(0);
  const { matrix } = await readGraph(join(out, "graph.npz"));
  const weights = matrix.blocks.flatMap((block) => (block.shape === "sparse" ? [...block.weight] : []));
  const { quality } = JSON.parse(readFileSync(join(out, "partition.json"), "utf8"));
  return { weights, quality: quality as { ncut: number; modularity: number }, stderr };
}

describe("--device webgpu", () => {
  it.each([
    ["weights", 1e-5],
    ["activations", 2e-4],
  ])(
    "gives the %s graph of the CPU and a partition as good",
    { timeout: 120_000 },
    async (graph, tolerance) => {
      const gpu = await analyzeOn("webgpu", graph);
      const cpu = await analyzeOn("cpu", graph);
      expect(gpu.stderr).toMatch(/device: webgpu on .*swiftshader, a software adapter/i);
      expect(cpu.stderr).toContain("device: cpu\n");
      expect(gpu.weights).toHaveLength(cpu.weights.length);
      gpu.weights.forEach((weight, i) => {
        const expected = cpu.weights[i] as number;
        expect(Math.abs(weight - expected)).toBeLessThan(
          tolerance * Math.max(expected, graph === "weights" ? 0 : 1) + 1e-12,
        );
      });
      expect(Math.abs(gpu.quality.ncut / cpu.quality.ncut - 1)).toBeLessThan(0.01);
      expect(Math.abs(gpu.quality.modularity / cpu.quality.modularity - 1)).toBeLessThan(0.01);
    },
  );

  it("exits with 4 and says what to do where there is no adapter", async () => {
    const env = { VK_ICD_FILENAMES: join(folder, "no-driver.json") };
    const { code, stdout, stderr } = await brodmann(["demo", "--device", "webgpu"], { env });
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toContain("WebGPU: found no adapter");
    expect(stderr).toContain("--device cpu");
  });

  it("is not what auto takes on a software adapter", async () => {
    const { code, stderr } = await brodmann(["graph", files.model, "--out", join(folder, "auto.npz")]);
    expect(code).toBe(0);
    expect(stderr).toContain("device: cpu (");
  });

  it("is in what doctor reports", async () => {
    const { code, stdout } = await brodmann(["doctor", "--json"]);
    expect(code).toBe(0);
    const { findings } = JSON.parse(stdout) as {
      findings: { what: string; works: boolean; found: string }[];
    };
    const gpu = findings.find(({ what }) => what === "WebGPU");
    expect(gpu?.works).toBe(true);
    expect(gpu?.found).toMatch(/software/);
  });
});
