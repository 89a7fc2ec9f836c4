import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { findBrowser } from "../../src/chrome/find-browser.ts";
import { catchError } from "../support/catch-error.ts";
import { temporaryFolder } from "../support/cli.ts";

/** A program of this name in a new folder. */
function program(name: string, mode = 0o755): { folder: string; path: string } {
  const folder = temporaryFolder();
  const path = join(folder, name);
  writeFileSync(path, "#!/bin/sh\n");
  chmodSync(path, mode);
  return { folder, path };
}

it("takes the browser that is named, before all others", () => {
  const named = program("my-browser");
  const installed = program("chromium");
  const environment = { PUPPETEER_EXECUTABLE_PATH: named.path, PATH: installed.folder };
  expect(findBrowser(environment, null)).toBe(named.path);
});

it("takes none in place of one that is named and not there", async () => {
  const { folder } = program("chromium");
  const folderInPlace = join(folder, "folder");
  mkdirSync(folderInPlace);
  const unfit = [join(folder, "none"), program("plain-file", 0o644).path, folderInPlace];
  for (const named of process.getuid?.() === 0 ? unfit.toSpliced(1, 1) : unfit) {
    const error = await catchError(() =>
      findBrowser({ PUPPETEER_EXECUTABLE_PATH: named, PATH: folder }, null),
    );
    expect(error.code).toBe("E_DEVICE_MISSING");
    expect(error.message).toContain(named);
    expect(error.hint).toContain("--device webgpu or cpu");
  }
});

it.runIf(process.platform === "linux")("takes one of the path, Chromium before Chrome in each folder", () => {
  const { folder, path } = program("chromium");
  const other = join(folder, "google-chrome");
  writeFileSync(other, "");
  chmodSync(other, 0o755);
  expect(findBrowser({ PATH: `/no/such/folder:${folder}` }, "/downloaded/chrome")).toBe(path);
  expect(findBrowser({ PATH: program("google-chrome").folder, PUPPETEER_EXECUTABLE_PATH: "" }, null)).toMatch(
    /google-chrome$/,
  );
});
