/**
 * Shader checks without a device, on wgsl_reflect (the only file that imports it): does a kernel's text bind what the
 * host passes, and do the lanes of a workgroup race?
 */
import { expect } from "vitest";
import { detectRaces, ResourceType, WgslReflect } from "wgsl_reflect/wgsl_reflect.module.js";
import { readShaderFile } from "../../src/compute/webgpu/open-node-gpu.ts";
import { type Constants, packParams, type ShaderKernel } from "../../src/compute/webgpu/shader-kernel.ts";
import { ShaderLibrary } from "../../src/compute/webgpu/shader-source.ts";

const library = new ShaderLibrary(readShaderFile);

/** Fails unless the shader's `Params` and bindings are those that the host declares, in name, order, type and access. */
export async function expectLayout(kernel: ShaderKernel): Promise<void> {
  const { code } = await library.load(kernel.name);
  const reflection = new WgslReflect(code);
  expect(reflection.entry.compute.map(({ name }) => name)).toEqual(["main"]);
  const params = reflection.getStructInfo("Params");
  expect(params?.members.map(({ name, type, offset }) => [name, type.name, offset])).toEqual(
    Object.entries(kernel.params).map(([name, type], index) => [name, type, 4 * index]),
  );
  const [uniform, ...buffers] = (reflection.getBindGroups()[0] ?? []).filter(
    (binding) => binding !== undefined,
  );
  expect([uniform?.name, uniform?.binding, uniform?.resourceType]).toEqual([
    "params",
    0,
    ResourceType.Uniform,
  ]);
  expect(buffers.map(({ name, binding, access }) => [name, binding, access])).toEqual(
    Object.entries(kernel.bindings).map(([name, access], index) => [name, index + 1, access]),
  );
}

/** One dispatch on the interpreter; all lanes of a workgroup run in step. Fails on races and on execution errors. */
export async function runOnInterpreter<Param extends string, Binding extends string>(
  kernel: ShaderKernel<Param, Binding>,
  call: {
    readonly groups: number;
    readonly params: Readonly<Record<Param, number>>;
    readonly buffers: Readonly<Record<Binding, Float32Array | Uint32Array>>;
    readonly constants?: Constants;
  },
): Promise<void> {
  const { code } = await library.load(kernel.name);
  const bindings: Record<string, unknown> = { 0: { uniform: packParams(kernel, call.params) } };
  (Object.keys(kernel.bindings) as Binding[]).forEach((name, index) => {
    bindings[index + 1] = call.buffers[name];
  });
  const { races, errors } = detectRaces(
    code,
    "main",
    [call.groups, 1, 1],
    { 0: bindings },
    {
      constants: call.constants ?? {},
    },
  );
  expect(errors).toEqual([]);
  expect(races.map(({ message }) => message)).toEqual([]);
}
