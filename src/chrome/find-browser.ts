import { accessSync, constants, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import { BrodmannError } from "../errors.ts";

const NAMES: Readonly<Record<string, readonly string[]>> = {
  linux: ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"],
  win32: ["chrome.exe"],
  darwin: ["chromium", "google-chrome"],
};

const PLACES: Readonly<Record<string, readonly string[]>> = {
  linux: [
    "/usr/bin/chromium",
    "/usr/lib/chromium/chromium",
    "/opt/google/chrome/chrome",
    "/snap/bin/chromium",
  ],
  darwin: [
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
  ],
};

/** Folders that hold `Google\Chrome\Application` on Windows. */
const WINDOWS_ROOTS = ["PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"];

/**
 * The browser to start: that of PUPPETEER_EXECUTABLE_PATH, else an installed Chromium or Chrome, else `downloaded`, the one
 * that Puppeteer has fetched. Throws `E_DEVICE_MISSING` where there is none.
 *
 * @example
 * findBrowser(process.env, null); // "/usr/bin/chromium"
 */
export function findBrowser(environment: NodeJS.ProcessEnv, downloaded: string | null): string {
  const named = environment.PUPPETEER_EXECUTABLE_PATH;
  if (named !== undefined && named !== "") {
    if (isProgram(named)) return named;
    throw new BrodmannError(
      "E_DEVICE_MISSING",
      `PUPPETEER_EXECUTABLE_PATH: found no program at ${named}, expected Chrome or Chromium`,
      { hint: "Correct it, or unset it to use an installed browser; or pass --device webgpu or cpu." },
    );
  }
  const folders = (environment.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const names = NAMES[process.platform] ?? [];
  const places = [
    ...folders.flatMap((folder) => names.map((name) => join(folder, name))),
    ...(PLACES[process.platform] ?? []),
    ...(process.platform === "win32" ? windowsPlaces(environment) : []),
    ...(downloaded === null ? [] : [downloaded]),
  ];
  const found = places.find(isProgram);
  if (found !== undefined) return found;
  throw new BrodmannError("E_DEVICE_MISSING", "Chrome: found no browser, expected Chrome or Chromium", {
    hint: `${installHint()} Or pass --device webgpu or cpu.`,
  });
}

/** How to come by a browser. */
function installHint(): string {
  const download = "npx puppeteer browsers install chrome";
  return process.platform === "linux"
    ? `Install one: apt-get install chromium, or ${download}.`
    : `Install Chrome, or ${download}.`;
}

function windowsPlaces(environment: NodeJS.ProcessEnv): string[] {
  return WINDOWS_ROOTS.flatMap((name) => {
    const root = environment[name];
    return root === undefined ? [] : [join(root, "Google", "Chrome", "Application", "chrome.exe")];
  });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
