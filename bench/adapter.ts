import { adapterFacts, type GpuDevice } from "../src/compute/webgpu/gpu-device.ts";

/** The adapter behind a run. */
export interface BenchAdapter {
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** "GPU", or "software adapter": such a one runs on the CPU and is never called a GPU. */
  readonly kind: "GPU" | "software adapter";
  readonly device: string;
  /** The driver, in its own words. */
  readonly description: string;
  readonly subgroupSizes: readonly [number | null, number | null];
  readonly limits: Readonly<Record<string, number>>;
  readonly features: readonly string[];
}

const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxStorageBuffersPerShaderStage",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupsPerDimension",
] as const;

export function benchAdapter(adapter: GPUAdapter): BenchAdapter {
  const { name, vendor, architecture, type } = adapterFacts(adapter);
  const { device, description, subgroupMinSize, subgroupMaxSize } = adapter.info;
  return {
    name,
    vendor,
    architecture,
    kind: type === "software" ? "software adapter" : "GPU",
    device,
    description,
    subgroupSizes: [subgroupMinSize ?? null, subgroupMaxSize ?? null],
    limits: Object.fromEntries(LIMITS.map((limit) => [limit, adapter.limits[limit]])),
    features: [...(adapter.features as unknown as Iterable<string>)].sort(),
  };
}

/** Most bytes of one buffer that kernels can use. */
export function largestBuffer({ limits }: GpuDevice): number {
  return Math.min(limits.bindingBytes, limits.bufferBytes);
}
