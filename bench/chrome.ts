/** The problems of the bench in headless Chrome: the page opens, runs, checks and times them. */
import { fileURLToPath } from "node:url";
import { openPage } from "../src/chrome/open-page.ts";
import { pageFiles } from "../src/chrome/page-files.ts";
import { bundle } from "./bundle.ts";
import type { BenchCalls, BenchPageFacts } from "./chrome-calls.ts";
import type { Peaks } from "./gpu-peaks.ts";
import { benchShaders } from "./shaders.ts";
import type { TimedProblem } from "./timed-way.ts";

/**
 * Chrome rounds the GPU's timestamps to 0.1 ms against the timing attacks of web pages; here there are none
 * (https://developer.chrome.com/docs/web-platform/webgpu/developer-features). Nothing else that we use depends on it.
 */
const EXACT_TIMES = ["--enable-webgpu-developer-features"];

export interface BenchPage extends BenchPageFacts {
  /** As the browser tells it: "Chrome/156.0.8078.79". */
  readonly version: string;
  /** Flags beside those of the program. */
  readonly flags: readonly string[];
  peaks(runs: number): Promise<Peaks>;
  /** Opens a problem in the place of the one before. */
  open(kernel: string, size: string): Promise<TimedProblem>;
  close(): Promise<void>;
}

/** Throws `E_DEVICE_MISSING` where there is no browser that starts, or none of its adapters is of the kind that is wanted. */
export async function openBenchPage(adapter: "any" | "hardware" | "software"): Promise<BenchPage> {
  const { browser, call, page, close } = await openPage<BenchCalls>(
    async () => pageFiles(await pageScript(), {}),
    { shaders: benchShaders(), adapter },
    { flags: EXACT_TIMES, ...(adapter !== "any" && { adapters: [adapter] }) },
  );
  return {
    ...page,
    version: browser.version,
    flags: EXACT_TIMES,
    peaks: (runs) => call("peaks", { runs }),
    async open(kernel, size) {
      const forms = await call("openProblem", { kernel, size });
      return {
        ways: forms.map((form, way) => ({
          device: "chrome",
          form,
          check: (expected) => call("check", { way, expected }),
          time: (effort) => call("time", { way, effort }),
        })),
        dispose: () => call("closeProblem", {}),
      };
    },
    close,
  };
}

/** Built from the sources in a checkout: a second or two. */
export async function pageScript(): Promise<string> {
  if (bundle !== null) return bundle.page;
  const { buildBundle } = await import("../src/bundle.ts");
  return (await buildBundle("page", fileURLToPath(new URL("page/main.ts", import.meta.url)))).script;
}
