import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import {
  commandOf,
  duration,
  factGroups,
  fileHolds,
  fileSize,
  gapsOf,
} from "../../../src/report/page/sections/provenance/facts.ts";
import { HOSTILE, reportData } from "../../support/report-data.ts";

const data = reportData();

describe("the command", () => {
  it("comes back from a shell as it was", () => {
    const command = ["brodmann", "analyze", `models/${HOSTILE}.onnx`, "it's $HOME", "a b", "--take=5", ""];
    const text = commandOf({ command }) ?? "";
    const words = execFileSync("sh", ["-c", `printf '%s\\n' ${text}`], { encoding: "utf8" }).split("\n");
    expect(words.slice(0, -1)).toEqual(command);
  });

  it("is unknown where the run does not say", () => {
    expect([commandOf(null), commandOf({}), commandOf({ command: [] }), commandOf({ command: "x" })]).toEqual(
      [null, null, null, null],
    );
  });
});

describe("the facts", () => {
  it("hold hashes, settings and machine", () => {
    const facts = factGroups(data).flatMap((group) =>
      group.facts.map(({ term, text }) => [group.title, term, text]),
    );
    expect(facts).toContainEqual(["Method", "protocol", "strict"]);
    expect(facts).toContainEqual(["Inputs", "inputs taken", "from 0, 600 of them"]);
    expect(facts).toContainEqual([
      "Inputs",
      "SHA-256",
      "53af6f40a8509dc35cd6776f14049c9ef78c71fb33a0e52c1026620c1ec64585",
    ]);
    expect(facts).toContainEqual(["Graph", "facts", "norm l1"]);
    expect(facts).toContainEqual(["Machine", "ONNX Runtime", "version 1.30.0, providers cpu, threads 2"]);
    expect(facts).toContainEqual(["Machine", "finished", "2026-11-21 18:14:41 UTC"]);
  });

  it("take whatever a file holds", () => {
    const odd = {
      ...data,
      run: { inputs: 3, machine: "x", command: [1, null], adapter: { name: "GPU", type: null } },
    };
    const machine = factGroups(odd).find(({ title }) => title === "Machine");
    expect(machine?.facts).toEqual([{ term: "adapter", text: "name GPU" }]);
    expect(factGroups({ ...data, run: null, scores: null }).map(({ title }) => title)).toEqual([
      "Method",
      "Graph",
    ]);
  });
});

describe("what was not measured", () => {
  it("comes with its reason", () => {
    expect(gapsOf(data)).toEqual([
      "downstreamCosine: the network has no gradient here",
      "2 subclusters had too few units, or nearly all of its layer, to be compared with random sets.",
      `Not followed: ${HOSTILE} (LSTM): recurrent`,
    ]);
    const bare = gapsOf({
      ...data,
      run: null,
      scores: null,
      partition: { ...data.partition, quality: null },
    });
    expect(bare).toHaveLength(5);
    expect(bare.join(" ")).toMatch(/run\.json.*Nothing was scored.*--nulls.*--stability.*--agreement/);
  });
});

describe("small things", () => {
  it.each([
    [5.25, "5.3 s"],
    [56.07, "56 s"],
    [59.7, "1 min 0 s"],
    [3725, "1 h 2 min"],
  ])("%d seconds are %s", (seconds, text) => expect(duration(seconds)).toBe(text));

  it("files have sizes and meanings", () => {
    expect([fileSize(1), fileSize(12_300), fileSize(15_459_850)]).toEqual(["1 byte", "12.3 kB", "15.5 MB"]);
    expect(fileHolds("partition-weights.json")).toContain("other graph");
    expect(fileHolds(HOSTILE)).toBe("");
  });
});
