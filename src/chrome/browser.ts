/**
 * Headless Chrome with one page. The only file that imports `puppeteer`.
 *
 * Whatever ends the browser or the page (a crash, a kill, an exception nobody caught) ends what waits for it as well, and
 * nothing outlives this process: the browser hangs on a pipe and goes when the pipe breaks, its profile is a temporary
 * folder.
 */
import { rmSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page, Browser as PuppeteerBrowser } from "puppeteer";
import { BrodmannError, messageOf } from "../errors.ts";
import { findBrowser } from "./find-browser.ts";

/** A browser that shows our page. */
export interface Browser {
  readonly path: string;
  /** As the browser tells it: "Chrome/156.0.8078.79". */
  readonly version: string;
  /** Number of the browser's process. */
  readonly processId: number | undefined;
  /** Rejects with `E_DEVICE_LOST` once page or browser are gone, whatever the reason; never resolves. */
  readonly gone: Promise<never>;
  /** Runs an expression in the page and waits for it. */
  evaluate(expression: string): Promise<unknown>;
  close(): Promise<void>;
}

const LAUNCH_TIMEOUT_MS = 60_000;
const CLOSE_TIMEOUT_MS = 5000;

/** Chrome asks nobody anything, and shows nothing. */
const QUIET_FLAGS = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-domain-reliability",
  "--disable-sync",
  "--no-default-browser-check",
  "--no-first-run",
  "--no-pings",
];

/** Linux hands out adapters only where told to. */
const ADAPTER_FLAGS: Readonly<Record<"hardware" | "software", readonly string[]>> = {
  hardware: ["--enable-unsafe-webgpu", "--enable-features=Vulkan"],
  software: [
    "--enable-unsafe-webgpu",
    "--enable-features=Vulkan",
    "--use-webgpu-adapter=swiftshader",
    "--enable-unsafe-swiftshader",
  ],
};

/** Profiles are named after the process that they belong to. */
const PROFILE = "brodmann-chrome-";

/** Path of the browser to start. Throws `E_DEVICE_MISSING` where there is none, or no Puppeteer. */
export async function browserPath(): Promise<string> {
  const puppeteer = await loadPuppeteer();
  let downloaded: string | null = null;
  try {
    downloaded = await puppeteer.executablePath();
  } catch {
    // It knows of none.
  }
  return findBrowser(process.env, downloaded);
}

async function loadPuppeteer(): Promise<Pick<typeof import("puppeteer"), "executablePath" | "launch">> {
  try {
    return await import("puppeteer");
  } catch (cause) {
    throw new BrodmannError(
      "E_DEVICE_MISSING",
      `Chrome: could not load the package puppeteer (${messageOf(cause)})`,
      { hint: "Install it: npm install puppeteer. Or pass --device webgpu or cpu.", cause },
    );
  }
}

export interface StartOptions {
  /** How long the browser may take to start; default a minute. */
  readonly timeoutMs?: number | undefined;
  /** Flags beside ours. */
  readonly flags?: readonly string[] | undefined;
}

/**
 * Starts the browser at `path` and opens `url` in it. Throws `E_DEVICE_MISSING` for one that does not start, and for one
 * that cannot run our page.
 */
export async function startBrowser(
  path: string,
  url: string,
  adapter: "hardware" | "software",
  { timeoutMs = LAUNCH_TIMEOUT_MS, flags = [] }: StartOptions = {},
): Promise<Browser> {
  const puppeteer = await loadPuppeteer();
  await removeStaleProfiles();
  const profile = await mkdtemp(join(tmpdir(), `${PROFILE}${process.pid}-`));
  const removeProfile = () =>
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  process.once("exit", removeProfile);
  let browser: PuppeteerBrowser;
  // Puppeteer's own limit does not hold for what starts and then says nothing.
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), timeoutMs);
  try {
    browser = await puppeteer.launch({
      executablePath: path,
      headless: true,
      pipe: true,
      userDataDir: profile,
      args: [
        ...QUIET_FLAGS,
        ...ADAPTER_FLAGS[adapter],
        ...flags,
        ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      ],
      timeout: timeoutMs,
      signal: patience.signal,
      // A call lasts as long as the work does.
      protocolTimeout: 0,
      // The command line ends by itself, and keeps what is done.
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
  } catch (cause) {
    process.off("exit", removeProfile);
    removeProfile();
    throw startError(path, patience.signal.aborted ? `no answer in ${timeoutMs / 1000} s` : cause);
  } finally {
    clearTimeout(timer);
  }
  // Now behind Puppeteer's own listener, which kills the browser.
  process.off("exit", removeProfile);
  process.once("exit", removeProfile);
  const close = async () => {
    const isClosed = await within(CLOSE_TIMEOUT_MS, browser.close());
    if (!isClosed) browser.process()?.kill("SIGKILL");
    process.off("exit", removeProfile);
    await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  };
  try {
    const version = await browser.version();
    const [page = await browser.newPage()] = await browser.pages();
    const gone = watch(browser, page, version);
    const evaluate = (expression: string) => Promise.race([page.evaluate(expression), gone]);
    await Promise.race([page.goto(url), gone]);
    if ((await evaluate("typeof brodmann")) !== "object") {
      throw new Error(`${version} could not run the page; version 134 or newer is needed`);
    }
    return { path, version, processId: browser.process()?.pid, gone, evaluate, close };
  } catch (cause) {
    await close();
    throw cause instanceof BrodmannError ? cause : startError(path, cause);
  }
}

/** Removes what processes that were killed have left behind. */
async function removeStaleProfiles(): Promise<void> {
  const isRunning = (processId: number): boolean => {
    try {
      return process.kill(processId, 0);
    } catch (error) {
      // Somebody else's process is there as well.
      return (error as NodeJS.ErrnoException).code !== "ESRCH";
    }
  };
  for (const name of await readdir(tmpdir())) {
    const owner = Number(name.startsWith(PROFILE) ? name.slice(PROFILE.length).split("-")[0] : Number.NaN);
    if (!(owner > 0) || isRunning(owner)) continue;
    await rm(join(tmpdir(), name), { recursive: true, force: true }).catch(() => {});
  }
}

function startError(path: string, cause: unknown): BrodmannError {
  const [reason] = messageOf(cause).trim().split("\n");
  return new BrodmannError("E_DEVICE_MISSING", `${path}: found a browser that does not start (${reason})`, {
    hint: "Name another one by PUPPETEER_EXECUTABLE_PATH, or pass --device webgpu or cpu.",
    cause,
  });
}

/** A promise that rejects as soon as the page can answer no more. */
function watch(browser: PuppeteerBrowser, page: Page, version: string): Promise<never> {
  const gone = new Promise<never>((_, reject) => {
    const lose = (code: string, reason: string, cause?: unknown) =>
      reject(
        new BrodmannError(code, `${version}: ${reason}`, {
          hint: "Run again; if it happens again, use fewer units or inputs, or pass --device webgpu or cpu.",
          cause,
        }),
      );
    browser.on("disconnected", () => lose("E_DEVICE_LOST", "the browser ended in the middle of the work"));
    page.on("error", (error) => lose("E_DEVICE_LOST", "the page crashed", error));
    page.on("close", () => lose("E_DEVICE_LOST", "the page was closed in the middle of the work"));
    page.on("pageerror", (error) =>
      lose("E_INTERNAL_PAGE", `an error that nothing in the page caught (${messageOf(error)})`, error),
    );
  });
  // Whoever waits gets it; it is no unhandled rejection before.
  gone.catch(() => {});
  return gone;
}

/** Whether a promise ends, well or badly, within a time. */
async function within(timeMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), timeMs);
  });
  const done = work.then(
    () => true,
    () => true,
  );
  const isDone = await Promise.race([done, late]);
  clearTimeout(timer);
  return isDone;
}
