/** A page of ours in headless Chrome, served by this process, on the best adapter that the browser has. */
import { BrodmannError } from "../errors.ts";
import { type Browser, browserPath, startBrowser } from "./browser.ts";
import type { PageMethods } from "./calls.ts";
import { type CallPage, pageClient } from "./page-client.ts";
import { type PageFiles, servePage } from "./page-server.ts";

/** A page whose first call takes an adapter, and gives null where there is none. */
export type OpeningCalls<Calls> = PageMethods<Calls> & { open(call: never): unknown };

export interface OpenedPage<Calls extends OpeningCalls<Calls>> {
  readonly browser: Browser;
  readonly call: CallPage<Calls>;
  /** What the call `open` has given. */
  readonly page: NonNullable<ReturnType<Calls["open"]>>;
  /** Ends the browser and what serves its page. */
  close(): Promise<void>;
}

export interface PageOptions {
  /** How long the browser may take to start; default a minute. */
  readonly startTimeoutMs?: number | undefined;
  /** Kinds of adapter, in the order in which they are tried; default hardware, then the browser's own software adapter. */
  readonly adapters?: readonly ("hardware" | "software")[];
  /** Flags of the browser beside ours. */
  readonly flags?: readonly string[];
  /** Told what the page says of how networks run there. */
  readonly onNotice?: (message: string) => void;
}

/**
 * Starts the browser, shows it the page of `findFiles` and calls its `open` with `argument`. Throws `E_DEVICE_MISSING` where
 * there is no browser, one that does not start, or none of its adapters works.
 */
export async function openPage<Calls extends OpeningCalls<Calls>>(
  findFiles: () => Promise<PageFiles>,
  argument: Parameters<Calls["open"]>[0],
  options: PageOptions = {},
): Promise<OpenedPage<Calls>> {
  const { adapters = ["hardware", "software"], flags, startTimeoutMs, onNotice } = options;
  const path = await browserPath();
  const server = await servePage(await findFiles());
  let browser: Browser | null = null;
  let version = "";
  const close = async () => {
    await browser?.close();
    await server.close();
  };
  try {
    for (const adapter of adapters) {
      browser = await startBrowser(path, server.url, adapter, { timeoutMs: startTimeoutMs, flags });
      const call = pageClient<Calls>(browser, server, onNotice);
      const page = await call("open", argument);
      if (page !== null) return { browser, call, page: page as OpenedPage<Calls>["page"], close };
      version = browser.version;
      await browser.close();
      browser = null;
    }
  } catch (error) {
    await close();
    throw error;
  }
  await close();
  throw new BrodmannError(
    "E_DEVICE_MISSING",
    `${version}: found no WebGPU adapter (${adapters.join(" or ")})`,
    { hint: "Update the browser and the graphics driver, or pass --device webgpu or cpu." },
  );
}
