import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { brodmann, brodmannHere, start, temporaryFolder, writePlanted } from "../support/cli.ts";

describe("serve", () => {
  it("serves the explorer and the report of a run until it is interrupted", async () => {
    const folder = temporaryFolder();
    const { model, data } = writePlanted(folder);
    const run = join(folder, "run");
    const made = [
      "analyze",
      model,
      "--data",
      data,
      "--k",
      "4",
      "--protocol",
      "paper",
      "--scores",
      "importance",
    ];
    expect((await brodmannHere([...made, "--out", run])).code).toBe(0);
    const serving = start(["serve", run, "--json"]);
    await serving.saying("Ctrl-C");
    const { stderr } = serving.output();
    const [, explorer = ""] = /^explorer: (\S+)$/m.exec(stderr) ?? [];
    const [, report = ""] = /^report of .*: (\S+)$/m.exec(stderr) ?? [];
    const page = await fetch(explorer);
    expect(page.headers.get("content-type")).toContain("text/html");
    for (const name of [
      "explorer.js",
      "explorer.css",
      "worker.js",
      "shaders/lib/grid.wgsl",
      "examples/mnist-mlp.onnx",
    ]) {
      expect((await fetch(new URL(name, explorer))).status, name).toBe(200);
    }
    expect(await (await fetch(report)).text()).toContain("brodmann/report/1");
    expect(await (await fetch(new URL("partition.json", report))).json()).toMatchObject({
      schema: "brodmann/partition/1",
    });
    serving.process.kill("SIGINT");
    const { code, stdout } = await serving.finished;
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ explorer, report });
  });

  it("refuses a folder that holds no run", async () => {
    const { code, stderr } = await brodmann(["serve", temporaryFolder()]);
    expect(code).toBe(3);
    expect(stderr).toContain("graph.npz");
  });
});
