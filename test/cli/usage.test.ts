import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { COMMANDS, type CommandName } from "../../src/cli/commands.ts";
import { COMMON_FLAGS } from "../../src/cli/flags.ts";
import { brodmann, brodmannHere, ROOT } from "../support/cli.ts";

const NAMES = Object.keys(COMMANDS) as CommandName[];

describe("help", () => {
  it("has the contract's commands", () => {
    expect(NAMES).toEqual([
      "demo",
      "inspect",
      "graph",
      "partition",
      "score",
      "merge",
      "analyze",
      "table",
      "compare",
      "visualize",
      "doctor",
    ]);
  });

  it.each(["--help", "-h", "help"])("%s lists all commands on stdout", async (word) => {
    const { code, stdout, stderr } = await brodmann([word]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const { usage, help } of Object.values(COMMANDS))
      expect(stdout).toContain(`  ${usage}\n      ${help}`);
  });

  it("goes to stderr where no command is given, which is a mistake", async () => {
    const { code, stdout, stderr } = await brodmann([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("Commands:");
  });

  it.each(NAMES)("of %s names each of its flags and begins with examples", async (name) => {
    const { code, stdout, stderr } = await brodmannHere([name, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const [title, , , example] = stdout.split("\n");
    expect(title).toBe(`brodmann ${COMMANDS[name].usage}: ${COMMANDS[name].help}`);
    expect(example).toBe(`  ${COMMANDS[name].examples[0]}`);
    for (const flag of [...COMMANDS[name].flags, ...COMMON_FLAGS]) expect(stdout).toContain(`  --${flag} `);
    expect(await brodmannHere(["help", name])).toEqual({ code, stdout, stderr });
    expect(await brodmannHere([name, "-h"])).toEqual({ code, stdout, stderr });
  });

  it("examples parse", async () => {
    const { parseFlags } = await import("../../src/cli/flags.ts");
    for (const [
      name,
      {
        examples,
        flags,
        arguments: { least, most },
      },
    ] of Object.entries(COMMANDS)) {
      for (const example of examples) {
        const [program, command, ...rest] = example.split(" ");
        expect([program, command]).toEqual(["brodmann", name]);
        const { positionals } = parseFlags(rest, flags);
        expect(positionals.length).toBeGreaterThanOrEqual(least);
        expect(positionals.length).toBeLessThanOrEqual(most);
      }
    }
  });

  it("--version is the package's", async () => {
    const { version } = JSON.parse(readFileSync(`${ROOT}/package.json`, "utf8")) as { version: string };
    expect(await brodmann(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("wrong usage exits with 2, says what is wrong and what to do, and leaves stdout empty", () => {
  it.each<[string, string[], string[]]>([
    ["an unknown command", ["analize"], ["unknown command analize", "Did you mean analyze?"]],
    ["a far-off command", ["frobnicate"], ["unknown command frobnicate", "Commands: demo, inspect"]],
    ["a flag in place of a command", ["--json"], ["found flag --json", "brodmann demo --json"]],
    ["an unknown flag", ["demo", "--sed", "1"], ["unknown flag --sed", "Did you mean --seed?", "--shuffles"]],
    [
      "a flag of another command",
      ["graph", "m.onnx", "--k", "3"],
      ["unknown flag --k", "Known flags: --data"],
    ],
    ["an unknown short flag", ["demo", "-x"], ["unknown flag -x"]],
    ["a missing value", ["analyze", "m.onnx", "--out"], ["--out: found no value", "Write --out PATH."]],
    ["a flag in place of a value", ["demo", "--out", "--json"], ["--out: found no value"]],
    ["an empty value", ["demo", "--out="], ["--out: found no value"]],
    ["a value for a switch", ["demo", "--json=yes"], ['--json: found "yes", expected no value']],
    ["a negative number", ["demo", "--k", "-3"], ['--k: found "-3", expected a whole number from 1']],
    ["k of zero", ["partition", "g.npz", "--k", "0"], ['--k: found "0", expected a whole number from 1']],
    ["a fraction", ["demo", "--seed", "1.5"], ['--seed: found "1.5", expected a whole number from 0']],
    ["a word for a number", ["demo", "--k", "many"], ['--k: found "many"', "Write --k K|auto|stable."]],
    [
      "nothing between commas",
      ["inspect", "m.onnx", "--mean", "1,,2"],
      ['--mean: found "1,,2", expected numbers'],
    ],
    [
      "a resolution of zero",
      ["demo", "--resolution", "0"],
      ['--resolution: found "0", expected a number above 0'],
    ],
    [
      "a near miss of a choice",
      ["demo", "--graph", "weight"],
      ["expected weights or activations", "--graph weights?"],
    ],
    ["an unknown choice", ["demo", "--method", "magic"], ["expected spectral, louvain, leiden or random"]],
    ["a missing argument", ["inspect"], ["inspect: found no argument, expected brodmann inspect MODEL"]],
    ["too many arguments", ["demo", "x", "y"], ["demo: found x y, expected brodmann demo"]],
    ["help of an unknown command", ["help", "grap"], ["unknown command grap", "Did you mean graph?"]],
    ["analyze without --out", ["analyze", "m.onnx"], ["analyze: found no --out", "Add --out run."]],
    ["graph without --out", ["graph", "m.onnx"], ["graph: found no --out", "Add --out graph.npz."]],
    ["graph from nothing", ["graph", "--out", "g.npz"], ["graph: found neither"]],
    [
      "graph from both",
      ["graph", "m.onnx", "--activations", "a.npy", "--out", "g.npz"],
      ["graph: found both"],
    ],
    [
      "weights of activations",
      ["graph", "--activations", "a.npy", "--graph", "weights", "--out", "g.npz"],
      ["--graph weights with --activations"],
    ],
    [
      "a flag without use",
      ["graph", "--activations", "a.npy", "--take", "5", "--out", "g.npz"],
      ["found --take with --activations"],
    ],
    [
      "an unknown graph format",
      ["graph", "m.onnx", "--out", "g.txt"],
      ["g.txt: found extension .txt, expected .npz, .gexf or .graphml"],
    ],
    [
      "score without partition",
      ["score", "m.onnx", "--data", "d.npz"],
      ["score: found no partition, expected --partition"],
    ],
    ["an unknown score", ["score", "m.onnx", "--scores", "importance,charm"], ['--scores: found "charm"']],
    [
      "an unknown place of lesions",
      ["score", "m.onnx", "--lesion-at", "stream"],
      ['--lesion-at: found "stream", expected output or consumer:NAME', "inspect"],
    ],
    [
      "too few random sets",
      ["demo", "--shuffles", "50"],
      ["--shuffles: found 50, expected a whole number from 199", "--protocol paper"],
    ],
    [
      "inputs selected from nothing",
      ["inspect", "m.onnx", "--take", "3"],
      ["--take: found no inputs", "--data"],
    ],
  ])("%s", async (_, args, texts) => {
    const { code, stdout, stderr } = await brodmannHere(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error /);
    for (const text of texts) expect(stderr).toContain(text);
    expect(stderr).not.toMatch(/\n\s+at /);
  });

  it("--device chrome without a browser exits with 4", async () => {
    vi.stubEnv("PUPPETEER_EXECUTABLE_PATH", "/no/such/chrome");
    const { code, stdout, stderr } = await brodmannHere(["demo", "--device", "chrome"]);
    vi.unstubAllEnvs();
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toContain("PUPPETEER_EXECUTABLE_PATH: found no program at /no/such/chrome");
    expect(stderr).toContain("pass --device webgpu or cpu");
  });
});

describe("the program's exit code", () => {
  it.each([
    [2, ["analize"]],
    [2, ["demo", "--sed", "1"]],
    [3, ["inspect", "no-such.onnx"]],
    [4, ["demo", "--device", "chrome"]],
  ] as const)("is %i for %j", async (code, args) => {
    const run = await brodmann(args, { env: { PUPPETEER_EXECUTABLE_PATH: "/no/such/chrome" } });
    expect({ code: run.code, stdout: run.stdout }).toEqual({ code, stdout: "" });
    expect(run.stderr).toMatch(/error [^\n]+\n[^\n]+\n$/);
  });
});

describe("messages", () => {
  it("have colour only where it is asked for and not refused", async () => {
    const plain = await brodmann(["inspect"]);
    const coloured = await brodmann(["inspect"], { env: { FORCE_COLOR: "1" } });
    const refused = await brodmann(["inspect"], { env: { FORCE_COLOR: "1", NO_COLOR: "1" } });
    const off = await brodmann(["inspect"], { env: { FORCE_COLOR: "0" } });
    expect(coloured.stderr).toContain("\u001b[31merror\u001b[39m inspect:");
    expect(plain.stderr).toMatch(/^error inspect:/);
    expect([refused.stderr, off.stderr]).toEqual([plain.stderr, plain.stderr]);
  });

  it("show a stack only with --debug", async () => {
    const { code, stderr } = await brodmann(["inspect", "no-such.onnx", "--debug"]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/\n\s+at .*model-file/);
    expect(stderr).toContain("caused by: ENOENT");
  });
});
