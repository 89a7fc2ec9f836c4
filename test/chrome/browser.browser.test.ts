/** What goes wrong with browsers ends in an error, never in waiting, and leaves nothing behind. */
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it, vi } from "vitest";
import { openChrome } from "../../src/chrome/open-chrome.ts";
import { loadDataset } from "../../src/data/dataset.ts";
import { loadNetwork } from "../../src/network/load-network.ts";
import { browsersOf } from "../support/browser-processes.ts";
import { catchError } from "../support/catch-error.ts";
import { temporaryFolder, writePlanted } from "../support/cli.ts";

afterEach(async () => {
  vi.unstubAllEnvs();
  // Killed processes take a moment to go.
  await vi.waitFor(() => expect(browsersOf(process.pid)).toEqual({ processes: [], profiles: [] }), {
    timeout: 10_000,
  });
});

/** A shell script in the place of the browser. */
function namedBrowser(script: string): string {
  const path = join(temporaryFolder(), "chrome");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  vi.stubEnv("PUPPETEER_EXECUTABLE_PATH", path);
  return path;
}

describe("a browser that is no browser", () => {
  it.each([
    ["ends at once", "exit 0"],
    ["fails", "echo 'cannot open display' >&2; exit 1"],
    ["does not speak the protocol", "exec cat <&3 >/dev/null"],
  ])("which %s", async (_, script) => {
    const path = namedBrowser(script);
    const error = await catchError(() => openChrome({ startTimeoutMs: 5000 }));
    expect(error.code).toBe("E_DEVICE_MISSING");
    expect(error.message).toContain(`${path}: found a browser that does not start`);
    expect(error.hint).toContain("PUPPETEER_EXECUTABLE_PATH");
  });
});

/** Opens Chrome, starts a long call, does `harm` in the middle of it and gives the call's error. */
async function errorAfter(harm: (browser: number) => void) {
  const { engine, browser } = await openChrome();
  try {
    const files = writePlanted(temporaryFolder());
    const network = await loadNetwork(files.model);
    const data = await loadDataset(files.data);
    const graph = await engine.unitGraph(network, null);
    const partition = await engine.partition(graph, { method: "random", k: 3 });
    let isDone = false;
    return await catchError(() =>
      engine.importance(network, data, partition, {
        protocol: "paper",
        shuffles: 20_000,
        onProgress: ({ done }) => {
          if (isDone || done === 0) return;
          isDone = true;
          harm(browser.processId ?? 0);
        },
      }),
    );
  } finally {
    await engine.dispose();
  }
}

describe("in the middle of the work", () => {
  it("a page that crashes", async () => {
    const error = await errorAfter(() => {
      const { processes } = browsersOf(process.pid);
      const pages = processes.filter(({ command }) => command.includes("--type=renderer"));
      expect(pages.length).toBeGreaterThan(0);
      for (const { id } of pages) process.kill(id, "SIGKILL");
    });
    expect(error.code).toBe("E_DEVICE_LOST");
    expect(error.message).toMatch(/: the page crashed$/);
    expect(error.hint).toContain("--device webgpu or cpu");
  });

  it("a browser that is killed", async () => {
    const error = await errorAfter((browser) => process.kill(browser, "SIGKILL"));
    expect(error.code).toBe("E_DEVICE_LOST");
    expect(error.message).toContain("the browser ended in the middle of the work");
  });
});
