import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { evaluateNetwork } from "../../src/network/evaluate.ts";
import { loadNetwork } from "../../src/network/load-network.ts";
import { DataLocation, decodeModel } from "../../src/runtime/onnx.ts";
import { brodmann, brodmannHere, temporaryFolder, writePlanted } from "../support/cli.ts";
import { edited } from "../support/models.ts";

/** The planted network with its two blocks as clusters 10 and 20; every sixth unit of the first layer in none. */
function write() {
  const folder = temporaryFolder();
  const files = writePlanted(folder);
  const layers = files.planted.layers.map(({ name, blocks }, layer) => ({
    name,
    labels: Array.from(blocks, (block, unit) => (layer === 0 && unit % 6 === 0 ? -1 : 10 + 10 * block)),
  }));
  const partition = join(folder, "p.json");
  writeFileSync(partition, JSON.stringify({ schema: "brodmann/partition/1", layers }));
  const args = (out: string, more: readonly string[] = []) => {
    const given = ["--data", files.data, "--partition", partition, "--cluster", "20", "--out", out];
    return ["extract", files.model, ...given, ...more];
  };
  return { ...files, folder, layers, partition, args };
}

describe("extract", () => {
  it("writes a network that every tool reads, and says what it does", async () => {
    const { planted, model, folder, layers, args } = write();
    const out = join(folder, "sub.onnx");
    const { code, stdout, stderr } = await brodmann(args(out, ["--json"]));
    expect(code, stderr).toBe(0);
    expect(stderr).toContain(`written: ${out}`);
    const found = JSON.parse(stdout);
    const sha256 = createHash("sha256").update(readFileSync(model)).digest("hex");
    expect(found).toMatchObject({
      schema: "brodmann/extract/1",
      model: "model.onnx",
      sha256,
      cluster: 20,
      seed: 0,
      inputs: 240,
      shuffles: 19,
      parameters: { before: 916 },
      bytes: { before: readFileSync(model).length, after: readFileSync(out).length },
    });
    expect(found.bytes.after).toBeLessThan(found.bytes.before);
    expect(found.logits.largestDifference).toBeLessThan(1e-5 * found.logits.largest);
    expect(found.layers.map(({ units }: { units: number[] }) => units)).toEqual(
      layers.slice(0, 2).map(({ labels }) => [...labels.keys()].filter((unit) => labels[unit] === 20)),
    );
    const { metadataProps } = decodeModel(readFileSync(out));
    expect(metadataProps.map(({ key, value }) => [key, value])).toEqual([
      ["brodmann.source", "model.onnx"],
      ["brodmann.cluster", "20"],
      ["brodmann.source.sha256", sha256],
    ]);
    const sub = await loadNetwork(out);
    const { inputs, labels } = planted;
    const batch = (start: number, rows: number) => inputs.slice(start * 8, (start + rows) * 8);
    const { correct } = await evaluateNetwork(sub, { count: labels.length, labels, batch });
    expect(found.classAccuracy.map(({ kept }: { kept: number }) => kept)).toEqual(
      Array.from(correct, (right) => right / 60),
    );
    // Block 1 decides classes 2 and 3.
    expect(correct[2]).toBe(60);
    expect(correct[3]).toBe(60);
    const inspected = await brodmannHere(["inspect", out, "--json"]);
    expect(inspected.code).toBe(0);
    expect(JSON.parse(inspected.stdout).skipped).toEqual([]);

    const again = join(folder, "again.onnx");
    const repeated = await brodmannHere(args(again, ["--json"]));
    expect(repeated.stdout).toBe(stdout);
    expect(readFileSync(again).equals(readFileSync(out))).toBe(true);
  });

  it("prints tables", async () => {
    const { folder, args } = write();
    const { stdout, code } = await brodmannHere(args(join(folder, "sub.onnx"), ["--shuffles", "3"]));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^hidden2 +12 +24 +narrowed$/m);
    expect(stdout).toMatch(/^parameters: 916 -> \d+ \(/m);
    expect(stdout).toMatch(/^accuracy +1\.0000 /m);
    expect(stdout).toMatch(/^class 3 +1\.0000 +1\.0000 /m);
    expect(stdout).toContain("over 3 random groups");
  });

  it("takes data from files beside the model into the one file", async () => {
    const { planted, folder, model, args } = write();
    const weights: Uint8Array[] = [];
    const outside = edited(planted.model, ({ graph }) => {
      const tensor = graph?.initializer.find(({ name }) => name === "hidden2.weight");
      if (tensor === undefined) throw new Error("no hidden2.weight");
      weights.push(tensor.rawData);
      const $typeName = "onnx.StringStringEntryProto" as const;
      tensor.externalData = [{ $typeName, key: "location", value: "weights.bin" }];
      tensor.dataLocation = DataLocation.EXTERNAL;
      tensor.rawData = new Uint8Array();
    });
    writeFileSync(join(folder, "weights.bin"), weights[0] ?? "");
    const plain = join(folder, "plain.onnx");
    expect((await brodmannHere(args(plain))).code).toBe(0);
    writeFileSync(model, outside);
    const out = join(folder, "sub.onnx");
    const { stdout, code } = await brodmannHere(args(out, ["--json"]));
    expect(code).toBe(0);
    expect(JSON.parse(stdout).bytes.before).toBe(outside.length + 24 * 24 * 4);
    const tensorsOf = (path: string) => decodeModel(readFileSync(path)).graph?.initializer;
    expect(tensorsOf(out)).toEqual(tensorsOf(plain));
  });

  it("refuses what it cannot do, and leaves an earlier file alone", async () => {
    const { folder, model, data, partition, args } = write();
    const out = join(folder, "sub.onnx");
    writeFileSync(out, "earlier");
    const without = (flag: string) => {
      const all = args(out);
      const at = all.indexOf(flag);
      return [...all.slice(0, at), ...all.slice(at + 2)];
    };
    const other = join(folder, "other.json");
    const layers = [{ name: "hidden1", labels: [20, 20] }];
    writeFileSync(other, JSON.stringify({ schema: "brodmann/partition/1", layers }));
    const logits = join(folder, "logits.json");
    const only = [
      { name: "hidden1", labels: new Array(24).fill(10) },
      { name: "logits", labels: [20, 20, 10, 10] },
    ];
    writeFileSync(logits, JSON.stringify({ schema: "brodmann/partition/1", layers: only }));
    const cases: [string[], number, string][] = [
      [without("--data"), 2, "extract: found no inputs, expected --data"],
      [without("--partition"), 2, "extract: found no --partition"],
      [without("--cluster"), 2, "extract: found no --cluster"],
      [without("--out"), 2, "extract: found no --out"],
      [args(out, ["--cluster", "3"]), 2, `--cluster: found "3", expected a cluster of ${partition}: 10, 20`],
      [args(out, ["--cluster", "-1"]), 2, "-1 is none"],
      [args(out, ["--partition", other]), 3, "found 2 labels for layer hidden1, expected 24"],
      [args(out, ["--partition", logits]), 3, "no units of cluster 20 but inputs and logits"],
      [args(model), 2, "found an input file"],
      [args(out, ["--shuffles", "0"]), 2, "--shuffles"],
      [args(out, ["--data", `${data}x`]), 3, "cannot be read"],
    ];
    for (const [given, code, message] of cases) {
      const finished = await brodmannHere(given);
      expect({ code: finished.code, stdout: finished.stdout }, message).toEqual({ code, stdout: "" });
      expect(finished.stderr).toContain(message);
    }
    expect(readFileSync(out, "utf8")).toBe("earlier");
    expect(existsSync(`${out}.part`)).toBe(false);
  });
});
