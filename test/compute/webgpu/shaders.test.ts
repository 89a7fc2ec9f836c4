/** What holds for every shader: a kernel on the host, a layout that is the host's, pure shared files, guards, a header. */
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { readShaderFile } from "../../../src/compute/webgpu/open-node-gpu.ts";
import type { ShaderKernel } from "../../../src/compute/webgpu/shader-kernel.ts";
import { ShaderLibrary } from "../../../src/compute/webgpu/shader-source.ts";
import { expectLayout } from "../../support/shader-checks.ts";

const root = new URL("../../../", import.meta.url);
const stemsOf = (folder: string, extension: string) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith(extension))
    .map((name) => name.slice(0, -extension.length));

/** All kernels that the host declares: exports that have the form of one. */
async function hostKernels(): Promise<ShaderKernel[]> {
  const kernels: ShaderKernel[] = [];
  for (const stem of stemsOf("src/compute/webgpu", ".ts")) {
    const module = (await import(`../../../src/compute/webgpu/${stem}.ts`)) as Record<string, unknown>;
    for (const value of Object.values(module)) {
      if (typeof value === "object" && value !== null && "bindings" in value && "params" in value) {
        kernels.push(value as ShaderKernel);
      }
    }
  }
  return kernels;
}
const kernels = await hostKernels();
const shaders = stemsOf("shaders", ".wgsl");
const library = new ShaderLibrary(readShaderFile);

test("every shader has one kernel on the host, and every kernel a shader", () => {
  expect(kernels.map(({ name }) => name).sort()).toEqual(shaders.toSorted());
});

test("every kernel is checked for races by some test", () => {
  const tests = readdirSync(new URL("test", root), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".gpu.test.ts"))
    .map((name) => readFileSync(new URL(`test/${name}`, root), "utf8"))
    .filter((text) => text.includes("runOnInterpreter("));
  // The interpreter knows no subgroups; such a kernel has the bytes of its twin without them on the device.
  const constants = kernels
    .filter(
      ({ name }) =>
        !readFileSync(new URL(`shaders/${name}.wgsl`, root), "utf8").includes("enable subgroups;"),
    )
    .map(({ name }) => name.replaceAll("-", "_").toUpperCase());
  expect(constants.filter((name) => !tests.some((text) => text.includes(name)))).toEqual([]);
});

describe.each(shaders)("%s", (name) => {
  const text = readFileSync(new URL(`shaders/${name}.wgsl`, root), "utf8");

  test("binds what the host passes", async () => {
    await expectLayout(kernels.find((kernel) => kernel.name === name) as ShaderKernel);
  });

  test("has a header with a table of its bindings", async () => {
    const header = text.slice(0, text.search(/^(?!\/\/)/m));
    const bound = [...text.matchAll(/@binding\((\d)\) var<[^>]+> (\w+)/g)];
    expect(bound.length).toBeGreaterThan(1);
    for (const [, number, role] of bound) {
      expect(header).toMatch(new RegExp(`^// ${number}\\s+${role}\\s`, "m"));
    }
  });

  test("numbers its workgroups by the helper for folded dispatches", async () => {
    const { code } = await library.load(name);
    expect(code).toContain("linear_group(group, groups)");
    expect(code).not.toContain("global_invocation_id");
  });
});

test.each(stemsOf("shaders/lib", ".wgsl"))("lib/%s is pure: functions and constants, no bindings", (name) => {
  const text = readFileSync(new URL(`shaders/lib/${name}.wgsl`, root), "utf8");
  expect(text).not.toMatch(/@group|@binding|@compute|var<|^override/m);
  expect(text).toMatch(/^fn |^const /m);
  expect(
    shaders.some((shader) =>
      readFileSync(new URL(`shaders/${shader}.wgsl`, root), "utf8").includes(`lib/${name}.wgsl`),
    ),
  ).toBe(true);
});
