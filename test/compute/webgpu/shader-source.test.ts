import { describe, expect, test } from "vitest";
import { describeCompilation, ShaderLibrary } from "../../../src/compute/webgpu/shader-source.ts";
import { catchError } from "../../support/catch-error.ts";

function library(files: Readonly<Record<string, string>>) {
  const read: string[] = [];
  const shaders = new ShaderLibrary(async (path) => {
    read.push(path);
    const text = files[path];
    if (text === undefined) throw new Error("ENOENT");
    return text;
  });
  return { shaders, read };
}

describe("ShaderLibrary", () => {
  test("includes each file once, in place, and reads it once", async () => {
    const { shaders, read } = library({
      "a.wgsl": '// #include "lib/b.wgsl"\n// #include "lib/c.wgsl"\na',
      "lib/b.wgsl": '// #include "lib/c.wgsl"\nb',
      "lib/c.wgsl": "c",
    });
    const [first, second] = await Promise.all([shaders.load("a"), shaders.load("a")]);
    expect(first).toBe(second);
    expect(first.code).toBe("c\nb\na");
    expect(first.lines[2]).toEqual({ file: "shaders/a.wgsl", line: 3, text: "a" });
    expect(read).toEqual(["a.wgsl", "lib/b.wgsl", "lib/c.wgsl"]);
  });

  test("refuses cycles and names missing files", async () => {
    const { shaders } = library({
      "a.wgsl": '// #include "lib/b.wgsl"',
      "lib/b.wgsl": '// #include "lib/c.wgsl"',
      "lib/c.wgsl": '// #include "lib/b.wgsl"',
      "d.wgsl": '// #include "lib/e.wgsl"',
    });
    expect((await catchError(() => shaders.load("a"))).message).toContain(
      "the include cycle lib/b.wgsl -> lib/c.wgsl -> lib/b.wgsl",
    );
    expect((await catchError(() => shaders.load("d"))).message).toBe(
      "shaders/lib/e.wgsl: found no such file (included by d.wgsl)",
    );
  });
});

test("compiler messages point into the file that the line came from", async () => {
  const { shaders } = library({ "a.wgsl": '// #include "lib/b.wgsl"\nlet x', "lib/b.wgsl": "one\ntwo" });
  const source = await shaders.load("a");
  const message = { type: "error", message: "expected ;", lineNum: 3, linePos: 6 };
  const warning = { ...message, type: "warning" };
  expect(describeCompilation(source, [warning, message])).toBe(
    "shaders/a.wgsl:2:6: expected ;\n    let x\n         ^",
  );
});
