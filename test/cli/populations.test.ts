import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { brodmann, brodmannHere, npy, temporaryFolder, writePair, writePlanted } from "../support/cli.ts";
import { plantedRoles } from "../support/population-nets.ts";

function writeRoles() {
  const folder = temporaryFolder();
  const { model, data } = plantedRoles();
  const path = join(folder, "roles.onnx");
  writeFileSync(path, model);
  return {
    folder,
    model: path,
    data: writePair(folder, "roles", data.values, [data.count, 2], data.labels),
    out: join(folder, "out"),
  };
}

describe("populations", () => {
  it("writes its files, tables for people and one JSON document", async () => {
    const { model, data, out } = writeRoles();
    const args = [
      "populations",
      model,
      "--data",
      data,
      "--out",
      out,
      "--device",
      "cpu",
      "--lesion",
      "zero,mean",
    ];
    const { code, stdout, stderr } = await brodmann([...args, "--impact", "accuracy"]);
    expect(code, stderr).toBe(0);
    expect(readdirSync(out).sort()).toEqual([
      "co-impact.json",
      "co-response.json",
      "input-map.csv",
      "input-map.svg",
      "populations.csv",
      "populations.json",
      "relations.csv",
      "run.json",
    ]);
    expect(stdout).toContain("neither magnitude, nor selectivity, nor impact alone");
    expect(stdout).toContain("after Meyes et al. (our reconstruction)");
    expect(stderr).toContain(`written: ${out}`);
    const found = JSON.parse(readFileSync(join(out, "populations.json"), "utf8"));
    expect(found.schema).toBe("brodmann/populations/1");
    expect(found.units).toHaveLength(6);
    const again = await brodmannHere([...args, "--impact", "accuracy", "--json", "--quiet"]);
    expect(again.stdout).toBe(readFileSync(join(out, "populations.json"), "utf8"));
    // Populations are partitions like any other.
    const compared = await brodmannHere([
      "compare",
      join(out, "co-response.json"),
      join(out, "co-impact.json"),
      "--json",
    ]);
    expect(JSON.parse(compared.stdout).overall.units).toBe(2);
    const map = readFileSync(join(out, "input-map.csv"), "utf8").split("\n");
    expect(map).toHaveLength(62);
    expect(map[0]).toMatch(/^input,label,x,y,hidden co-response 0/);
  });

  it("takes layers by name, a partition and pairs", async () => {
    const folder = temporaryFolder();
    const { model, data, planted } = writePlanted(folder);
    const partition = join(folder, "p.json");
    const layers = planted.layers.map(({ name, blocks }) => ({ name, labels: Array.from(blocks) }));
    writeFileSync(partition, JSON.stringify({ schema: "brodmann/partition/1", layers }));
    const { code, stdout, stderr } = await brodmannHere([
      ...[
        "populations",
        model,
        "--data",
        data,
        "--layer",
        "hidden1",
        "--layer",
        "hidden2",
        "--partition",
        partition,
      ],
      ...["--pairs", "hidden1:0,3;hidden2:1,2", "--lesion", "mean", "--device", "cpu"],
      ...["--out", join(folder, "out"), "--json"],
    ]);
    expect(code, stderr).toBe(0);
    const found = JSON.parse(stdout);
    expect(found.layers.map(({ name }: { name: string }) => name)).toEqual(["hidden1", "hidden2"]);
    expect(found.lesions).toEqual(["mean"]);
    expect(found.pairs).toHaveLength(2);
    // Units that act alike are those of one block: each population keeps to one.
    const given = found.agreements.find(
      ({ partitions }: { partitions: string[] }) => partitions.join() === "co-response,given",
    );
    for (const layer of given.layers) expect(layer.shuffled.ami.p).toBeLessThan(0.01);
  });

  it("takes recorded activations with labels", async () => {
    const folder = temporaryFolder();
    const labels = Int32Array.from({ length: 40 }, (_, i) => i % 2);
    const values = Float32Array.from({ length: 160 }, (_, at) => {
      const [sample, unit] = [Math.floor(at / 4), at % 4];
      return (sample % 2 === unit % 2 ? 1 : 0) + 0.01 * ((sample * (unit + 3)) % 7);
    });
    writeFileSync(join(folder, "a.npy"), npy(values, [40, 4]));
    writeFileSync(join(folder, "y.npy"), npy(labels, [40]));
    const out = join(folder, "out");
    const args = ["populations", "--activations", join(folder, "a.npy"), "--out", out, "--device", "cpu"];
    const { code, stdout, stderr } = await brodmannHere([...args, "--data", join(folder, "y.npy")]);
    expect(code, stderr).toBe(0);
    expect(stdout).toContain("most selective unit");
    expect(readdirSync(out).sort()).toEqual([
      "co-response.json",
      "populations.csv",
      "populations.json",
      "run.json",
    ]);
    const without = await brodmannHere(args);
    expect(without.code).toBe(2);
    expect(without.stderr).toContain("found no labels, expected --data");
    const idle = await brodmannHere([...args, "--data", join(folder, "y.npy"), "--lesion", "zero"]);
    expect(idle.code).toBe(2);
    expect(idle.stderr).toContain("--lesion with --activations");
  });

  it.each([
    ["neither model nor activations", [], 2, "found neither"],
    ["a kind of lesion that is none", ["MODEL", "--lesion", "cut"], 2, '--lesion: found "cut"'],
    ["too few random sets", ["MODEL", "--shuffles", "20"], 2, "--shuffles: found 20"],
    ["an aggregate of several columns", ["MODEL", "--aggregate", "mean_std"], 2, "--aggregate"],
    ["a layer that is not there", ["MODEL", "--layer", "nowhere"], 3, "hidden, logits"],
    ["the logits", ["MODEL", "--layer", "logits"], 3, "logits are never lesioned"],
    ["three units for a pair", ["MODEL", "--pairs", "hidden:1,2,3"], 2, "--pairs: found 3 units"],
    ["k without a partitioner that takes it", ["MODEL", "--k", "4"], 2, "--k: found the method leiden"],
  ])("refuses %s", async (_, given, code, message) => {
    const { model, data, out } = writeRoles();
    const args = given.map((word) => (word === "MODEL" ? model : word));
    const found = await brodmannHere([
      "populations",
      ...args,
      "--data",
      data,
      "--out",
      out,
      "--device",
      "cpu",
    ]);
    expect(found.stderr).toContain(message);
    expect(found.code).toBe(code);
    expect(found.stdout).toBe("");
  });

  it("refuses labels of one class, and to write nowhere", async () => {
    const { folder, model, out } = writeRoles();
    const data = writePair(folder, "one", new Float32Array(8), [4, 2], new Int32Array(4));
    const found = await brodmannHere(["populations", model, "--data", data, "--out", out]);
    expect(found.code).toBe(3);
    expect(found.stderr).toContain("fewer than two classes");
    const nowhere = await brodmannHere(["populations", model, "--data", data]);
    expect(nowhere.code).toBe(2);
    expect(nowhere.stderr).toContain("--out");
  });
});
