import { describe, expect, test } from "vitest";
import { adapterFacts, GpuDevice } from "../../../src/compute/webgpu/gpu-device.ts";
import {
  findSwiftShader,
  openNodeGpu,
  readShaderFile,
  requestNodeAdapter,
} from "../../../src/compute/webgpu/open-node-gpu.ts";
import { dispatch, type ShaderKernel } from "../../../src/compute/webgpu/shader-kernel.ts";
import { catchError } from "../../support/catch-error.ts";
import { useGpu } from "../../support/gpu.ts";

const gpu = useGpu();

const DOUBLE: ShaderKernel<"count", "values"> = {
  name: "double",
  params: { count: "u32" },
  bindings: { values: "read_write" },
};
const DOUBLE_SHADER = `// #include "lib/twice.wgsl"
struct Params { count: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> values: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < params.count) { values[id.x] = twice(values[id.x]); }
}`;
const TWICE = "fn twice(value: f32) -> f32 { return 2.0 * value; }";

/** A device whose shaders are those given here; tells how often each was read. */
async function withShaders(
  files: Readonly<Record<string, string>>,
  run: (device: GpuDevice) => Promise<void>,
) {
  const readShader = async (path: string) => {
    const text = files[path];
    if (text === undefined) throw new Error(`no ${path}`);
    return text;
  };
  const device = await openNodeGpu({ adapter: "software", readShader });
  try {
    await run(device);
  } finally {
    device.dispose();
  }
}

const runDouble = async (device: GpuDevice, values: Float32Array) => {
  using buffer = device.upload("double/values", values);
  const step = dispatch(DOUBLE, { groups: 1, params: { count: values.length }, buffers: { values: buffer } });
  await device.submit("double", [step]);
  return new Float32Array(await device.readBack(buffer));
};

describe("adapter", () => {
  test("SwiftShader is found beside the browser and called a software adapter", () => {
    expect(findSwiftShader()).toMatch(/vk_swiftshader_icd\.json$/);
    expect(gpu().facts).toMatchObject({ name: "swiftshader", vendor: "google", type: "software" });
  });

  test("a driver without the fallback flag is known by its name", () => {
    const info = { device: "llvmpipe (LLVM 15.0.6, 256 bits)", description: "", vendor: "mesa" };
    const adapter = {
      info: { ...info, architecture: "", isFallbackAdapter: false },
    } as unknown as GPUAdapter;
    expect(adapterFacts(adapter).type).toBe("software");
  });

  test("limits are raised to the adapter's", async () => {
    const { limits } = await requestNodeAdapter("software");
    expect(gpu().limits.bindingBytes).toBe(limits.maxStorageBufferBindingSize);
    expect(gpu().limits.workgroupBytes).toBe(limits.maxComputeWorkgroupStorageSize);
  });
});

describe("work", () => {
  test("a kernel with an include runs; steps see what those before them wrote", async () => {
    await withShaders({ "double.wgsl": DOUBLE_SHADER, "lib/twice.wgsl": TWICE }, async (device) => {
      using a = device.upload("double/a", Float32Array.of(1, 2, 3));
      using b = device.buffer("double/b", 12);
      const step = (values: typeof a) =>
        dispatch(DOUBLE, { groups: 1, params: { count: 3 }, buffers: { values } });
      const copy = {
        kind: "copy",
        source: a,
        sourceOffset: 0,
        target: b,
        targetOffset: 4,
        sizeBytes: 8,
      } as const;
      await device.submit("double", [step(a), { kind: "clear", target: b }, copy, step(b)]);
      expect(Array.from(new Float32Array(await device.readBack(a)))).toEqual([2, 4, 6]);
      expect(Array.from(new Float32Array(await device.readBack(b)))).toEqual([0, 4, 8]);
      expect(Array.from(new Float32Array(await device.readBack(b, 4, 4)))).toEqual([4]);
    });
  });

  test("memory is reused, and free after release", async () => {
    await withShaders({ "double.wgsl": DOUBLE_SHADER, "lib/twice.wgsl": TWICE }, async (device) => {
      await runDouble(device, Float32Array.of(1));
      const live = device.liveBuffers;
      for (let run = 0; run < 20; run++) await runDouble(device, Float32Array.of(run));
      expect(device.liveBuffers).toBe(live);
      expect(device.lentBuffers).toBe(0);
    });
  });
});

describe("errors", () => {
  test("a shader that does not compile names file, line, column and the source line", async () => {
    const broken = {
      "double.wgsl": DOUBLE_SHADER,
      "lib/twice.wgsl": `// first line\n${TWICE.replace("value;", "valeu;")}`,
    };
    await withShaders(broken, async (device) => {
      const error = await catchError(() => runDouble(device, Float32Array.of(1)));
      expect(error.code).toBe("E_DEVICE_SHADER");
      expect(error.message).toContain("shaders/lib/twice.wgsl:2:44: unresolved value 'valeu'");
      expect(error.message).toContain("fn twice(value: f32) -> f32 { return 2.0 * valeu; }");
      // Reported each time, not only to the first caller.
      expect((await catchError(() => runDouble(device, Float32Array.of(1)))).message).toBe(error.message);
    });
  });

  test("a binding that the shader uses otherwise is an error of that shader", async () => {
    await withShaders({ "double.wgsl": DOUBLE_SHADER, "lib/twice.wgsl": TWICE }, async (device) => {
      using values = device.upload("double/values", Float32Array.of(1));
      const wrong = { ...DOUBLE, bindings: { values: "read" } } as const;
      const step = dispatch(wrong, { groups: 1, params: { count: 1 }, buffers: { values } });
      const error = await catchError(() => device.submit("double", [step]));
      expect(error.code).toBe("E_DEVICE_SHADER");
      expect(error.message).toMatch(/^shaders\/double\.wgsl: no pipeline/);
    });
  });

  test("refused work is reported with its name, and the device is good afterwards", async () => {
    using small = gpu().buffer("copy/small", 16);
    const step = {
      kind: "copy",
      source: small,
      sourceOffset: 0,
      target: small,
      targetOffset: 0,
      sizeBytes: 9999,
    };
    await gpu().submit("copy", [step as never]);
    const error = await catchError(() => gpu().settle());
    expect(error.code).toBe("E_DEVICE_VALIDATION");
    expect(error.message).toMatch(/^copy: WebGPU refused the work/);
    await gpu().settle();
  });

  test("a buffer beyond the limits is refused by name and size", async () => {
    const bytes = gpu().limits.bindingBytes + 4;
    const error = await catchError(() => gpu().buffer("gram/vectors", bytes));
    expect(error.code).toBe("E_DEVICE_LIMIT");
    expect(error.message).toContain(`gram/vectors: found ${bytes} bytes`);
  });

  test("a lost device is reported as such, by whatever is called next", async () => {
    const raw = await (await requestNodeAdapter("software")).requestDevice();
    const facts = { name: "swiftshader", vendor: "", architecture: "", type: "software" } as const;
    const device = new GpuDevice(raw, { readShader: readShaderFile, facts });
    const buffer = device.upload("any/values", Float32Array.of(1));
    const reading = catchError(() => device.readBack(buffer));
    raw.destroy();
    await raw.lost;
    expect((await catchError(() => device.upload("any/values", Float32Array.of(1)))).code).toBe(
      "E_DEVICE_LOST",
    );
    // Whether the read under way still ends well is up to the driver.
    await reading.catch(() => {});
    expect((await catchError(() => device.readBack(buffer))).code).toBe("E_DEVICE_LOST");
    device.dispose();
  });

  test("a disposed device refuses work and may be disposed of again", async () => {
    const device = await openNodeGpu({ adapter: "software" });
    device.dispose();
    device.dispose();
    expect((await catchError(() => device.buffer("any/values", 4))).code).toBe("E_INTERNAL_DISPOSED");
  });
});
