/**
 * Shader checks without a device, on wgsl_reflect (the only file that imports it): does a kernel's text bind what the
 * host passes, and do the lanes of a workgroup race?
 */
import { expect } from "vitest";
import {
  detectRaces,
  ResourceType,
  WgslReflect,
  WorkgroupScheduler,
} from "wgsl_reflect/wgsl_reflect.module.js";
import { readShaderFile } from "../../src/compute/webgpu/open-node-gpu.ts";
import { type Constants, packParams, type ShaderKernel } from "../../src/compute/webgpu/shader-kernel.ts";
import { ShaderLibrary } from "../../src/compute/webgpu/shader-source.ts";

const library = new ShaderLibrary(readShaderFile);

/** The parts of the interpreter's scheduler that are needed to run lanes in another order. */
interface Scheduler {
  readonly _debug: { stepStack(stack: unknown, isStatement: boolean): unknown };
  readonly _tracker: { currentInvocation: number; currentLine: number; endPhase(): void };
  readonly _invocations: readonly {
    readonly index: number;
    readonly stack: unknown;
    state: number;
    barrierNode: unknown;
  }[];
  _peek(lane: unknown): { readonly line: number } | null;
  _asBarrier(command: unknown): unknown;
  _syncBarrier(parked: unknown): void;
}

/**
 * The interpreter (1.6.0) steps all lanes statement by statement, but keeps the result of a function call in the syntax
 * tree that they share: every lane then sees the last one's. Here each lane runs up to the next barrier before the next
 * lane does; races are looked for between barriers, so that they are found all the same.
 */
(WorkgroupScheduler.prototype as unknown as { run(this: Scheduler): void }).run = function (this: Scheduler) {
  const [running, atBarrier, done] = [0, 1, 2];
  for (;;) {
    for (const lane of this._invocations) {
      while (lane.state === running) {
        const command = this._peek(lane);
        const barrier = command === null ? null : this._asBarrier(command);
        if (command === null) lane.state = done;
        else if (barrier !== null) {
          lane.state = atBarrier;
          lane.barrierNode = barrier;
        } else {
          this._tracker.currentInvocation = lane.index;
          this._tracker.currentLine = command.line;
          this._debug.stepStack(lane.stack, true);
        }
      }
    }
    const parked = this._invocations.filter(({ state }) => state === atBarrier);
    if (parked.length === 0) {
      this._tracker.endPhase();
      return;
    }
    this._syncBarrier(parked);
  }
};

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
  // The interpreter does not know sizes of workgroup arrays that are override constants, so they become plain ones.
  const plain = Object.entries(call.constants ?? {}).reduce(
    (text, [name, value]) =>
      text.replace(new RegExp(`override ${name}: u32 = \\w+;`), `const ${name}: u32 = ${value}u;`),
    (await library.load(kernel.name)).code,
  );
  // Nor does it know this function, which is a read between two barriers.
  const loads = plain.replace(
    /let (\w+) = workgroupUniformLoad\(&(\w+)\);/g,
    "workgroupBarrier(); let $1 = $2; workgroupBarrier();",
  );
  // Nor subgroups: each is one lane, at place 0 of it.
  const code = loads
    .replace("enable subgroups;", "")
    .replace(/@builtin\(subgroup_invocation_id\) (\w+): u32,(.*?\{)/s, "$2\n  let $1 = 0u;");
  const bindings: Record<string, unknown> = { 0: { uniform: packParams(kernel, call.params) } };
  (Object.keys(kernel.bindings) as Binding[]).forEach((name, index) => {
    bindings[index + 1] = call.buffers[name];
  });
  const { races, errors } = detectRaces(code, "main", [call.groups, 1, 1], { 0: bindings });
  expect(errors).toEqual([]);
  expect(races.map(({ message }) => message)).toEqual([]);
}
