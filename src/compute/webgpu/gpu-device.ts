/**
 * One GPU device with what Brodmann needs of it: limits and features, a buffer pool, a pipeline cache, command
 * submission, reading back. Every WebGPU error reaches the caller as a `BrodmannError` that names the kernel: errors of
 * creation and submission are collected in error scopes and thrown by the next `readBack` or `settle`, since waiting for
 * each scope would stop the queue between any two kernels.
 */
import { BrodmannError, messageOf } from "../../errors.ts";
import { BufferPool, type CreateBuffer, type DeviceBuffer } from "./device-buffer.ts";
import { PipelineCache } from "./pipeline-cache.ts";
import { type DispatchStep, dispatchGrid, type Step } from "./shader-kernel.ts";
import { ShaderLibrary, type ShaderReader } from "./shader-source.ts";

/** What is known of the adapter behind a device. */
export interface AdapterFacts {
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** A software adapter runs kernels on the CPU and is never called a GPU. */
  readonly type: "hardware" | "software";
}

/** The limits that decide how work is cut into pieces. Tests make them small. */
export interface DeviceLimits {
  /** Most bytes of one storage binding. */
  readonly bindingBytes: number;
  readonly bufferBytes: number;
  /** Most workgroups in one direction of a dispatch. */
  readonly groupsPerDimension: number;
  readonly workgroupBytes: number;
  readonly workgroupInvocations: number;
}

export interface GpuDeviceOptions {
  readonly readShader: ShaderReader;
  readonly facts: AdapterFacts;
  /** Smaller limits than the device's own. */
  readonly limits?: Partial<DeviceLimits> | undefined;
}

/** Raised as far as the adapter goes; everything else stays at the default that all WebGPU devices have. */
const RAISED_LIMITS = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;
/** Used where offered, never required. */
const USED_FEATURES: readonly GPUFeatureName[] = ["subgroups", "shader-f16", "timestamp-query"];
/** Uniforms of the steps of one submission lie this far apart. */
const UNIFORM_STRIDE = 256;
/** Larger uploads go in pieces, because the queue stages a copy of each. */
const UPLOAD_BYTES = 64 * 2 ** 20;
/** Free staging memory that is kept for reading back. */
const STAGING_POOL_BYTES = 64 * 2 ** 20;
/** Time that the report of a loss may take after the first failure that it caused. */
const LOSS_REPORT_MS = 200;

type Data = Float32Array | Uint32Array | Int32Array;

/** Facts of an adapter. */
export function adapterFacts(adapter: GPUAdapter): AdapterFacts {
  const { device, description, vendor, architecture, isFallbackAdapter } = adapter.info;
  // Some software drivers do not call themselves a fallback; their names tell.
  const isSoftware =
    isFallbackAdapter === true ||
    /swiftshader|llvmpipe|lavapipe|basic render/i.test(`${architecture} ${device} ${description}`);
  return {
    name:
      (isSoftware ? architecture || device : device || description) || architecture || vendor || "unnamed",
    vendor,
    architecture,
    type: isSoftware ? "software" : "hardware",
  };
}

/**
 * A device of `adapter` with the limits and features that Brodmann uses, for one who shares it with others.
 * Throws `E_DEVICE_MISSING`.
 */
export async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  try {
    return await adapter.requestDevice({
      label: "brodmann/device",
      requiredLimits: Object.fromEntries(RAISED_LIMITS.map((name) => [name, adapter.limits[name]])),
      requiredFeatures: USED_FEATURES.filter((feature) => adapter.features.has(feature)),
    });
  } catch (cause) {
    throw new BrodmannError(
      "E_DEVICE_MISSING",
      `${adapterFacts(adapter).name}: found an adapter that gives no device (${messageOf(cause)})`,
      { hint: "Close programs that use the GPU, or pass --device cpu.", cause },
    );
  }
}

/**
 * Owns a `GPUDevice`. Methods that record work return when it is submitted, not when it is done.
 *
 * @example
 * const device = await GpuDevice.open(adapter, readShader);
 * const buffer = device.upload("squares/values", Float32Array.of(1, 2, 3));
 * await device.submit("squares", [dispatch(SQUARES, { groups: 1, params: { count: 3 }, buffers: { buffer } })]);
 * const squares = new Float32Array(await device.readBack(buffer));
 * buffer.release();
 * device.dispose();
 */
export class GpuDevice {
  readonly facts: AdapterFacts;
  readonly limits: DeviceLimits;
  readonly features: ReadonlySet<string>;
  readonly #device: GPUDevice;
  readonly #pool: BufferPool;
  readonly #uniforms: BufferPool;
  readonly #staging: BufferPool;
  readonly #pipelines: PipelineCache;
  readonly #checks = new Set<Promise<void>>();
  #error: BrodmannError | null = null;
  #isDisposed = false;

  /** A device of `adapter`, see `requestDevice`. Throws `E_DEVICE_MISSING`. */
  static async open(
    adapter: GPUAdapter,
    readShader: ShaderReader,
    limits?: Partial<DeviceLimits>,
  ): Promise<GpuDevice> {
    const device = await requestDevice(adapter);
    return new GpuDevice(device, { readShader, facts: adapterFacts(adapter), limits });
  }

  constructor(device: GPUDevice, options: GpuDeviceOptions) {
    const { limits } = device;
    this.#device = device;
    this.facts = options.facts;
    this.features = new Set(device.features as unknown as Iterable<string>);
    const own: DeviceLimits = {
      // Bindings are rounded up to quadruples of floats; some adapters have a limit that is no multiple of that.
      bindingBytes: limits.maxStorageBufferBindingSize - (limits.maxStorageBufferBindingSize % 16),
      bufferBytes: limits.maxBufferSize,
      groupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
      workgroupBytes: limits.maxComputeWorkgroupStorageSize,
      workgroupInvocations: limits.maxComputeInvocationsPerWorkgroup,
    };
    this.limits = { ...own, ...options.limits };
    const create =
      (usage: GPUBufferUsageFlags): CreateBuffer =>
      (size, label, onFailure) =>
        this.#checked(label, () => device.createBuffer({ label, size, usage }), onFailure);
    // The numbers are those of GPUBufferUsage, which Node has no global of.
    this.#pool = new BufferPool(create(USAGE.storage | USAGE.copySource | USAGE.copyTarget), own.bufferBytes);
    this.#uniforms = new BufferPool(create(USAGE.uniform | USAGE.copyTarget), own.bufferBytes);
    this.#staging = new BufferPool(
      create(USAGE.mapRead | USAGE.copyTarget),
      own.bufferBytes,
      STAGING_POOL_BYTES,
    );
    this.#pipelines = new PipelineCache(device, new ShaderLibrary(options.readShader));
    void device.lost.then((info) => {
      if (!this.#isDisposed) this.#fail(lostError(this.facts, info.message));
    });
    device.addEventListener("uncapturederror", (event) => {
      this.#fail(scopeError("device", (event as GPUUncapturedErrorEvent).error));
    });
  }

  /**
   * Lanes of a workgroup whose lanes work together by barriers. CPU adapters run lanes in groups of a few (4 on
   * SwiftShader) and switch between groups at each barrier, at about 20 us for each group and workgroup: there, one group
   * is several times faster than 64 lanes.
   */
  get cooperatingLanes(): number {
    return this.facts.type === "software" ? 4 : 64;
  }

  /** Buffers that exist on the device, those in pools included. */
  get liveBuffers(): number {
    return this.#pool.live + this.#uniforms.live + this.#staging.live;
  }

  /** Buffers that were taken and not released. */
  get lentBuffers(): number {
    return this.#pool.lent + this.#uniforms.lent + this.#staging.lent;
  }

  /** A storage buffer of undefined contents. `label` is "kernel/role". Throws `E_DEVICE_LIMIT` when it is too large. */
  buffer(label: string, sizeBytes: number): DeviceBuffer {
    this.#requireLive();
    const most = Math.min(this.limits.bindingBytes, this.limits.bufferBytes);
    if (sizeBytes > most) {
      throw new BrodmannError(
        "E_DEVICE_LIMIT",
        `${label}: found ${sizeBytes} bytes, expected at most ${most}, the largest buffer of ${this.facts.name}`,
        { hint: "Use fewer units or inputs, another adapter, or --device cpu." },
      );
    }
    return this.#pool.take(label, sizeBytes);
  }

  /** A storage buffer with these contents. */
  upload(label: string, data: Data): DeviceBuffer {
    const buffer = this.buffer(label, data.byteLength);
    this.write(buffer, data);
    return buffer;
  }

  /** Overwrites a part of a buffer; the offset counts elements of `data`'s type. */
  write(target: DeviceBuffer, data: Data, offset = 0): void {
    this.#requireLive();
    const step = UPLOAD_BYTES / 4;
    this.#checked(target.label, () => {
      for (let at = 0; at < data.length; at += step) {
        const length = Math.min(step, data.length - at);
        const bytes = data.buffer as ArrayBuffer;
        const byteOffset = data.byteOffset + 4 * at;
        this.#device.queue.writeBuffer(target.buffer, 4 * (offset + at), bytes, byteOffset, 4 * length);
      }
    });
  }

  /** Records and submits steps in their order; each sees what those before it wrote. */
  async submit(label: string, steps: readonly Step[]): Promise<void> {
    this.#requireLive();
    const dispatches = steps.filter((step): step is DispatchStep => step.kind === "dispatch");
    const pipelines = await this.#orLoss(
      Promise.all(dispatches.map((step) => this.#pipelines.get(step.kernel, step.constants))),
    );
    this.#requireLive();
    const uniforms = this.#uniforms.take(`${label}/params`, Math.max(1, dispatches.length) * UNIFORM_STRIDE);
    const params = new Uint8Array(dispatches.length * UNIFORM_STRIDE);
    dispatches.forEach((step, index) => {
      params.set(new Uint8Array(step.params), index * UNIFORM_STRIDE);
    });
    const names = new Set(dispatches.map(({ kernel }) => kernel.name));
    try {
      this.#checked([label, ...names].join(", "), () => {
        this.#device.queue.writeBuffer(uniforms.buffer, 0, params);
        const encoder = this.#device.createCommandEncoder({ label: `${label}/commands` });
        let pass: GPUComputePassEncoder | null = null;
        let index = 0;
        for (const step of steps) {
          if (step.kind === "dispatch") {
            const pipeline = pipelines[index] as GPUComputePipeline;
            const { name } = step.kernel;
            const [x, y] = dispatchGrid(name, step.groups, this.limits.groupsPerDimension);
            const group = this.#device.createBindGroup({
              label: `${name}/bindings`,
              layout: pipeline.getBindGroupLayout(0),
              entries: [
                {
                  binding: 0,
                  resource: {
                    buffer: uniforms.buffer,
                    offset: UNIFORM_STRIDE * index,
                    size: step.params.byteLength,
                  },
                },
                ...step.buffers.map(({ buffer, sizeBytes }, i) => ({
                  binding: i + 1,
                  resource: { buffer, size: Math.ceil(sizeBytes / 16) * 16 },
                })),
              ],
            });
            pass ??= encoder.beginComputePass({ label: `${label}/pass` });
            pass.setPipeline(pipeline);
            pass.setBindGroup(0, group);
            pass.dispatchWorkgroups(x, y);
            index++;
            continue;
          }
          pass?.end();
          pass = null;
          if (step.kind === "clear") encoder.clearBuffer(step.target.buffer);
          else {
            const { source, sourceOffset, target, targetOffset, sizeBytes } = step;
            if (sizeBytes > 0)
              encoder.copyBufferToBuffer(source.buffer, sourceOffset, target.buffer, targetOffset, sizeBytes);
          }
        }
        pass?.end();
        this.#device.queue.submit([encoder.finish({ label: `${label}/commands` })]);
      });
    } finally {
      uniforms.release();
    }
  }

  /** Bytes of a buffer, once all submitted work is done. Throws the first error of that work. */
  async readBack(
    source: DeviceBuffer,
    offset = 0,
    sizeBytes: number = source.sizeBytes,
  ): Promise<ArrayBuffer> {
    this.#requireLive();
    if (sizeBytes === 0) return new ArrayBuffer(0);
    const staging = this.#staging.take(`${source.label}/staging`, sizeBytes);
    try {
      this.#checked(source.label, () => {
        const encoder = this.#device.createCommandEncoder({ label: `${source.label}/read` });
        encoder.copyBufferToBuffer(source.buffer, offset, staging.buffer, 0, sizeBytes);
        this.#device.queue.submit([encoder.finish()]);
      });
      await staging.buffer.mapAsync(MAP_READ, 0, sizeBytes);
      const bytes = staging.buffer.getMappedRange(0, sizeBytes).slice(0);
      staging.buffer.unmap();
      await this.settle();
      return bytes;
    } catch (cause) {
      if (cause instanceof BrodmannError) throw cause;
      staging.discard();
      // Mapping fails for want of a device, or because of an earlier error; both have reports of their own on the way.
      await this.#settleLoss();
      await this.settle();
      throw new BrodmannError("E_DEVICE_READ", `${source.label}: could not read back (${messageOf(cause)})`, {
        hint: "Run again; if it happens again, update the graphics driver, or pass --device cpu.",
        cause,
      });
    } finally {
      staging.release();
    }
  }

  /** Waits for the error reports of everything submitted so far and throws the first. */
  async settle(): Promise<void> {
    await Promise.all(this.#checks);
    this.#requireLive();
  }

  /** Waits until the device has done all submitted work. */
  async finish(): Promise<void> {
    await this.#orLoss(this.#device.queue.onSubmittedWorkDone());
    await this.settle();
  }

  /** Frees all memory and destroys the device. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    this.#pool.clear();
    this.#uniforms.clear();
    this.#staging.clear();
    this.#device.destroy();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }

  /** Runs `work` inside error scopes; what they catch is kept for `settle`, and `onError` called. */
  #checked<Result>(label: string, work: () => Result, onError?: () => void): Result {
    for (const filter of SCOPES) this.#device.pushErrorScope(filter);
    try {
      return work();
    } finally {
      for (const _ of SCOPES) {
        const check = this.#device.popErrorScope().then(
          (error) => {
            if (error === null) return;
            onError?.();
            this.#fail(scopeError(label, error));
          },
          // A lost device answers no scope; its loss is reported by itself.
          () => {},
        );
        this.#checks.add(check);
        void check.then(() => this.#checks.delete(check));
      }
    }
  }

  #fail(error: BrodmannError): void {
    // A loss ends everything, so it outranks what else is waiting to be reported.
    if (this.#error === null || error.code === "E_DEVICE_LOST") this.#error = error;
    if (error.code !== "E_DEVICE_MEMORY") return;
    // What is kept for later use may be just what was missing.
    for (const pool of [this.#pool, this.#uniforms, this.#staging]) pool.clear();
  }

  #requireLive(): void {
    const error = this.#error;
    if (error !== null) {
      // A lost device stays lost; after any other error the device is still good.
      if (error.code !== "E_DEVICE_LOST") this.#error = null;
      throw error;
    }
    if (this.#isDisposed) {
      throw new BrodmannError("E_INTERNAL_DISPOSED", `${this.facts.name}: used after dispose()`);
    }
  }

  /** Work that fails in many ways on a lost device: then the loss is what is thrown. */
  async #orLoss<Result>(work: Promise<Result>): Promise<Result> {
    try {
      return await work;
    } catch (error) {
      await this.#settleLoss();
      if (this.#error?.code === "E_DEVICE_LOST") throw this.#error;
      throw error;
    }
  }

  /** Gives the report of a loss, which may come right after the failure that it caused, the time to arrive. */
  async #settleLoss(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const timeout = new Promise((resolve) => {
      timer = setTimeout(resolve, LOSS_REPORT_MS);
    });
    await Promise.race([this.#device.lost, timeout]);
    clearTimeout(timer);
  }
}

const USAGE = { mapRead: 0x1, copySource: 0x4, copyTarget: 0x8, uniform: 0x40, storage: 0x80 } as const;
const MAP_READ = 0x1;
const SCOPES: readonly GPUErrorFilter[] = ["validation", "out-of-memory", "internal"];

function lostError(facts: AdapterFacts, reason: string): BrodmannError {
  return new BrodmannError(
    "E_DEVICE_LOST",
    `${facts.name}: the GPU device was lost (${reason || "no reason"})`,
    {
      hint: "Run again; if it happens again, use fewer units or inputs, or --device cpu.",
    },
  );
}

function scopeError(label: string, error: GPUError): BrodmannError {
  const isMemory = error.constructor.name === "GPUOutOfMemoryError";
  return new BrodmannError(
    isMemory ? "E_DEVICE_MEMORY" : "E_DEVICE_VALIDATION",
    `${label}: ${isMemory ? "found too little GPU memory" : "WebGPU refused the work"} (${error.message.trim()})`,
    { hint: isMemory ? "Use fewer units or inputs, or --device cpu." : "", cause: error },
  );
}
