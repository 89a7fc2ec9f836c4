/**
 * WebGPU in Node, by Dawn. The only file that imports `webgpu`, and the only one of this folder that needs Node: a
 * browser passes its own adapter and its own shader reader to `GpuDevice`.
 */
import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { BrodmannError, messageOf } from "../../errors.ts";
import { type DeviceLimits, GpuDevice } from "./gpu-device.ts";
import type { ShaderReader } from "./shader-source.ts";

export interface OpenNodeGpuOptions {
  /**
   * `hardware`: adapters of installed drivers only. `any`: hardware first, else SwiftShader. `software`: SwiftShader.
   * Drivers are looked for once per process, so the first call decides what later ones can find. Default `any`.
   */
  readonly adapter?: "hardware" | "any" | "software" | undefined;
  /** Smaller limits than the device's own, for tests. */
  readonly limits?: Partial<DeviceLimits> | undefined;
  /** Where shaders come from; default the package's own folder. */
  readonly readShader?: ShaderReader | undefined;
}

/** One GPU object per process: starting Dawn a second time can crash. */
let gpu: Promise<GPU> | null = null;

/**
 * A device of the best adapter. Throws `E_DEVICE_MISSING` with what to do when there is none.
 *
 * @example
 * const device = await openNodeGpu({ adapter: "software" });
 * device.facts.name; // "swiftshader"
 */
export async function openNodeGpu(options: OpenNodeGpuOptions = {}): Promise<GpuDevice> {
  const { adapter, limits, readShader = readShaderFile } = options;
  return GpuDevice.open(await requestNodeAdapter(adapter), readShader, limits);
}

/** The best adapter; throws `E_DEVICE_MISSING` with what to do when there is none. */
export async function requestNodeAdapter(
  wanted: "hardware" | "any" | "software" = "any",
): Promise<GPUAdapter> {
  if (wanted === "hardware" && !hasHardware()) throw missingAdapter(wanted);
  if (gpu === null) {
    gpu = startDawn(wanted);
    gpu.catch(() => {
      gpu = null;
    });
  }
  const adapter = await (await gpu).requestAdapter({ powerPreference: "high-performance" });
  if (adapter !== null) return adapter;
  throw missingAdapter(wanted);
}

function missingAdapter(wanted: string): BrodmannError {
  const kind = wanted === "any" ? "" : `${wanted} `;
  return new BrodmannError("E_DEVICE_MISSING", `WebGPU: found no ${kind}adapter`, {
    hint: missingHint(wanted),
  });
}

/** Where the Vulkan loader looks for driver descriptions. */
const DRIVER_FOLDERS = [
  "/etc",
  "/usr/share",
  "/usr/local/share",
  "/usr/local/etc",
  "/usr/local/nvidia/share",
];

/**
 * Whether there are a graphics card and a driver for it; other systems than Linux always bring both. Without a card the
 * drivers that distributions install would only have software adapters, of which Dawn refuses older ones with warnings.
 */
function hasHardware(): boolean {
  const { VK_ICD_FILENAMES, VK_DRIVER_FILES, VK_ADD_DRIVER_FILES } = process.env;
  if (process.platform !== "linux" || VK_ICD_FILENAMES || VK_DRIVER_FILES || VK_ADD_DRIVER_FILES) return true;
  const hasFile = (folder: string, pattern: RegExp) =>
    existsSync(folder) && readdirSync(folder).some((name) => pattern.test(name));
  // Cards of Mesa's drivers; of NVIDIA's; of the host of a Linux inside Windows.
  const hasCard = hasFile("/dev/dri", /^renderD/) || hasFile("/dev", /^(nvidia\d+|dxg)$/);
  return hasCard && DRIVER_FOLDERS.some((folder) => hasFile(join(folder, "vulkan/icd.d"), /\.json$/));
}

async function startDawn(wanted: "hardware" | "any" | "software"): Promise<GPU> {
  const icd = wanted === "hardware" ? null : findSwiftShader();
  // The Vulkan loader reads these when the first adapter is asked for. What the user has set stays.
  if (
    icd !== null &&
    process.env.VK_ICD_FILENAMES === undefined &&
    process.env.VK_DRIVER_FILES === undefined
  ) {
    // Added drivers come behind the installed ones; the other variable replaces them.
    if (wanted === "any" && hasHardware()) process.env.VK_ADD_DRIVER_FILES ??= icd;
    else process.env.VK_ICD_FILENAMES = icd;
  }
  try {
    const { create } = await import("webgpu");
    return create([]);
  } catch (cause) {
    throw new BrodmannError(
      "E_DEVICE_MISSING",
      `WebGPU: could not load the package webgpu (${messageOf(cause)})`,
      {
        hint: "Install it: npm install webgpu. Or pass --device cpu.",
        cause,
      },
    );
  }
}

function missingHint(wanted: string): string {
  if (process.platform !== "linux") return "Update the graphics driver, or pass --device cpu.";
  if (wanted === "hardware") return "Install the GPU's Vulkan driver and libvulkan1, or pass --device cpu.";
  return findSwiftShader() === null
    ? "Install a software adapter: apt-get install chromium libvulkan1. Or pass --device cpu."
    : "Install the Vulkan loader: apt-get install libvulkan1. Or pass --device cpu.";
}

const ICD_FILE = "vk_swiftshader_icd.json";
const BROWSER_FOLDERS = [
  "/usr/lib/chromium",
  "/usr/lib/chromium-browser",
  "/opt/google/chrome",
  "/opt/google/chrome-beta",
  "/opt/chromium.org/chromium",
  "/usr/lib64/chromium-browser",
];
const BROWSER_NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** The SwiftShader driver description that lies beside an installed Chromium or Chrome, or null. */
export function findSwiftShader(environment: NodeJS.ProcessEnv = process.env): string | null {
  const folders = [...BROWSER_FOLDERS];
  const named = environment.PUPPETEER_EXECUTABLE_PATH;
  if (named !== undefined) folders.unshift(dirname(named));
  for (const folder of (environment.PATH ?? "").split(delimiter)) {
    for (const name of BROWSER_NAMES) {
      const file = join(folder, name);
      // A link in the path leads to the folder of the browser itself.
      if (existsSync(file)) folders.push(dirname(realpathSync(file)));
    }
  }
  return folders.map((folder) => join(folder, ICD_FILE)).find(isDriver) ?? null;
}

/** Whether a driver description is there together with the library that it names. */
function isDriver(file: string): boolean {
  if (!existsSync(file)) return false;
  try {
    const { ICD } = JSON.parse(readFileSync(file, "utf8")) as { ICD?: { library_path?: string } };
    return ICD?.library_path !== undefined && existsSync(join(dirname(file), ICD.library_path));
  } catch {
    return false;
  }
}

/** Reads from the `shaders` folder of the package, which lies three folders up from `src` and from `dist` alike. */
export const readShaderFile: ShaderReader = (path) =>
  readFile(new URL(`../../../shaders/${path}`, import.meta.url), "utf8");
