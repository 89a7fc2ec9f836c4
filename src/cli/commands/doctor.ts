import { BrodmannError } from "../../errors.ts";
import { runtimeFacts } from "../../runtime/session.ts";
import type { CommandContext } from "../command-context.ts";
import { printResult } from "../output.ts";
import { versionOf } from "../run-file.ts";
import { formatTable } from "../terminal.ts";

/** One thing that the program relies on, whether it is there, and what to do if not. */
interface Finding {
  readonly what: string;
  readonly works: boolean;
  readonly found: string;
  readonly advice: string;
}

/** `brodmann doctor`. */
export async function run({ flags }: CommandContext): Promise<void> {
  const runtime = runtimeFacts();
  const findings: Finding[] = [
    { what: "Brodmann", works: true, found: await versionOf(), advice: "" },
    {
      what: "Node",
      works: isNodeFit(),
      found: process.version,
      advice: isNodeFit() ? "" : "Install Node 20.19 or newer.",
    },
    {
      what: "ONNX Runtime",
      works: runtime.providers.includes("cpu"),
      found: `${runtime.version}, CPU with ${runtime.threads} threads`,
      advice: "",
    },
    await imageSupport(),
    await gpuSupport(),
    await chromeSupport(),
  ];
  if (flags.json) {
    await printResult(JSON.stringify({ schema: "brodmann/doctor/1", findings }));
    return;
  }
  const rows = findings.map(({ what, works, found, advice }) => [what, works ? "yes" : "no", found, advice]);
  await printResult(formatTable(["what", "works", "found", "what to do"], rows));
}

function isNodeFit(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  return major > 20 || (major === 20 && minor >= 19);
}

/** The adapter that `--device webgpu` would take; a software one works, but `auto` passes it over. */
async function gpuSupport(): Promise<Finding> {
  try {
    const { openNodeGpu } = await import("../../compute/webgpu/open-node-gpu.ts");
    const device = await openNodeGpu({ adapter: "any" });
    try {
      const { name, vendor, type } = device.facts;
      const megabytes = Math.round(device.limits.bindingBytes / 2 ** 20);
      return {
        what: "WebGPU",
        works: true,
        found: `${vendor} ${name} (${type}), bindings of ${megabytes} MB, ${[...device.features].join(" ")}`,
        advice: type === "software" ? "--device auto takes the CPU, which is faster than this adapter." : "",
      };
    } finally {
      device.dispose();
    }
  } catch (error) {
    if (!(error instanceof BrodmannError)) throw error;
    return { what: "WebGPU", works: false, found: error.message, advice: error.hint };
  }
}

/** The browser that `--device chrome` would start, and what works in it. */
async function chromeSupport(): Promise<Finding> {
  const { openChrome } = await import("../../chrome/open-chrome.ts");
  try {
    const { engine, browser, page } = await openChrome();
    await engine.dispose();
    const { adapter, runtime } = page;
    return {
      what: "Chrome",
      works: true,
      found: `${browser.version} at ${browser.path}, WebGPU on ${adapter.vendor} ${adapter.name} (${adapter.type}), onnxruntime-web ${runtime.version} with ${runtime.threads} threads`,
      advice: adapter.type === "software" ? "--device cpu is faster than this adapter." : "",
    };
  } catch (error) {
    if (!(error instanceof BrodmannError)) throw error;
    return { what: "Chrome", works: false, found: error.message, advice: error.hint };
  }
}

async function imageSupport(): Promise<Finding> {
  try {
    const { default: sharp } = await import("sharp");
    return {
      what: "PNG and JPEG folders",
      works: true,
      found: `sharp ${sharp.versions.sharp ?? ""}`,
      advice: "",
    };
  } catch {
    return {
      what: "PNG and JPEG folders",
      works: false,
      found: "sharp is not installed",
      advice: "npm install sharp",
    };
  }
}
