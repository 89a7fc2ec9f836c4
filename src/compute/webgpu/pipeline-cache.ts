/**
 * Pipelines by kernel and override constants. Compilations under way are remembered as well, so that two callers in
 * the same moment compile one shader once; a failed one is forgotten, so that its error is reported each time.
 */
import { BrodmannError, messageOf } from "../../errors.ts";
import type { Constants, ShaderKernel } from "./shader-kernel.ts";
import { describeCompilation, type ShaderLibrary } from "./shader-source.ts";

export class PipelineCache {
  readonly #device: GPUDevice;
  readonly #shaders: ShaderLibrary;
  readonly #pipelines = new Map<string, Promise<GPUComputePipeline>>();
  readonly #modules = new Map<string, Promise<GPUShaderModule>>();

  constructor(device: GPUDevice, shaders: ShaderLibrary) {
    this.#device = device;
    this.#shaders = shaders;
  }

  /** The pipeline of a kernel; throws `E_DEVICE_SHADER` with file, line and column when it does not compile. */
  get(kernel: ShaderKernel, constants: Constants): Promise<GPUComputePipeline> {
    const key = `${kernel.name} ${JSON.stringify(constants)}`;
    return remember(this.#pipelines, key, () => this.#compile(kernel, constants));
  }

  async #compile(kernel: ShaderKernel, constants: Constants): Promise<GPUComputePipeline> {
    const { name } = kernel;
    const module = await remember(this.#modules, name, () => this.#module(name));
    const device = this.#device;
    const bindings = Object.values(kernel.bindings);
    try {
      const layout = device.createBindGroupLayout({
        label: `${name}/layout`,
        entries: [
          { binding: 0, visibility: COMPUTE_STAGE, buffer: { type: "uniform" } },
          ...bindings.map(
            (access, index): GPUBindGroupLayoutEntry => ({
              binding: index + 1,
              visibility: COMPUTE_STAGE,
              buffer: { type: access === "read" ? "read-only-storage" : "storage" },
            }),
          ),
        ],
      });
      return await device.createComputePipelineAsync({
        label: `${name}/pipeline`,
        layout: device.createPipelineLayout({ label: `${name}/layout`, bindGroupLayouts: [layout] }),
        compute: { module, entryPoint: "main", constants },
      });
    } catch (cause) {
      throw new BrodmannError("E_DEVICE_SHADER", `shaders/${name}.wgsl: no pipeline (${messageOf(cause)})`, {
        cause,
      });
    }
  }

  async #module(name: string): Promise<GPUShaderModule> {
    const source = await this.#shaders.load(name);
    this.#device.pushErrorScope("validation");
    const module = this.#device.createShaderModule({ label: `${name}/module`, code: source.code });
    const error = await this.#device.popErrorScope();
    if (error === null) return module;
    const { messages } = await module.getCompilationInfo();
    throw new BrodmannError("E_DEVICE_SHADER", describeCompilation(source, messages) || error.message);
  }
}

/** GPUShaderStage.COMPUTE, which Node has no global of. */
const COMPUTE_STAGE = 0x4;

function remember<Value>(
  cache: Map<string, Promise<Value>>,
  key: string,
  make: () => Promise<Value>,
): Promise<Value> {
  let value = cache.get(key);
  if (value === undefined) {
    value = make();
    cache.set(key, value);
    value.catch(() => cache.delete(key));
  }
  return value;
}
