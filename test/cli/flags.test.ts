import { describe, expect, it } from "vitest";
import { COMMON_FLAGS, FLAGS, type FlagName, nearest, parseFlags } from "../../src/cli/flags.ts";
import { catchError } from "../support/catch-error.ts";

const ALL = Object.keys(FLAGS) as FlagName[];

describe("parseFlags", () => {
  it("reads each kind of value, joined by = or not, between arguments", () => {
    const { flags, positionals } = parseFlags(
      ["a", "--k", "12", "--mean", "-0.5,1e-2,3", "b", "--graph=activations", "--resolution", ".5", "--json"],
      ALL,
    );
    expect(positionals).toEqual(["a", "b"]);
    expect(flags).toEqual({
      k: 12,
      mean: [-0.5, 0.01, 3],
      graph: "activations",
      resolution: 0.5,
      json: true,
    });
  });

  it("takes odd paths: with =, or behind --", () => {
    expect(parseFlags(["--out=--odd", "--data", "a=b,c"], ALL).flags).toEqual({
      out: "--odd",
      data: "a=b,c",
    });
    expect(parseFlags(["--", "--model.onnx"], ALL).positionals).toEqual(["--model.onnx"]);
  });

  it("lets the last of a repeated flag count", () => {
    expect(parseFlags(["--seed", "1", "--seed", "2"], []).flags).toEqual({ seed: 2 });
  });

  it("knows the shared flags in every command", async () => {
    const error = await catchError(() => parseFlags(["--magic"], []));
    expect(error.code).toBe("E_USAGE_FLAG");
    expect(error.hint).toBe(`Known flags: ${COMMON_FLAGS.map((name) => `--${name}`).join(", ")}.`);
  });

  it.each(["1e400", "NaN", "Infinity", " ", "0x"])("refuses %s as a number", async (value) => {
    const error = await catchError(() => parseFlags([`--resolution=${value}`], ALL));
    expect(error.message).toContain(`found "${value}"`);
  });
});

describe("nearest", () => {
  it("finds the closest word within two edits", () => {
    expect(nearest("tkae", ["take", "data", "shuffles"])).toBe("take");
    expect(nearest("shufles", ["take", "data", "shuffles"])).toBe("shuffles");
    expect(nearest("zzzz", ["take", "data"])).toBeUndefined();
  });
});
