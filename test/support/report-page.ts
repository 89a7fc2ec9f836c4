/** Reports in a real browser, opened from disk. What a page complains about or asks a network for fails the test. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer, { type Browser, type Page } from "puppeteer";
import { afterAll, expect } from "vitest";
import { browserPath } from "../../src/chrome/browser.ts";
import { renderReport } from "../../src/report/render-report.ts";
import type { ReportData } from "../../src/report/report-data.ts";
import { temporaryFolder } from "./cli.ts";

export interface ReportView {
  readonly theme?: "light" | "dark";
  readonly width?: number;
  /** Of the address: "#/section/map". */
  readonly hash?: string;
}

export interface OpenedReport {
  readonly page: Page;
  /** Errors and warnings of the console, exceptions, dialogs. */
  readonly problems: readonly string[];
  /** Addresses that the page asked for, but for its own file and data. */
  readonly requests: readonly string[];
  /** Closes the page; fails where there were problems or requests. */
  close(): Promise<void>;
}

let browser: Promise<Browser> | undefined;

// One browser for each test file.
afterAll(async () => (await browser)?.close());

async function launch(): Promise<Browser> {
  return puppeteer.launch({
    executablePath: await browserPath(),
    headless: true,
    pipe: true,
    args: [
      // Pictures by WebGL work without a GPU.
      "--use-angle=swiftshader",
      "--enable-unsafe-swiftshader",
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ],
  });
}

/**
 * Opens a document, or the report at a path, in a page of its own, drawn to its end. To be called within a test.
 *
 * @example
 * const { page, close } = await openReport(reportData(), { theme: "dark", width: 390 });
 */
export async function openReport(
  report: ReportData | string,
  { theme = "light", width = 1440, hash = "" }: ReportView = {},
): Promise<OpenedReport> {
  browser ??= launch();
  const path = typeof report === "string" ? report : await writeReport(report);
  const page = await (await browser).newPage();
  const problems: string[] = [];
  const requests: string[] = [];
  const address = pathToFileURL(path).href;
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("dialog", (dialog) => {
    problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !/^(data|blob):/.test(url)) requests.push(url);
  });
  await page.setViewport({ width, height: width < 640 ? 844 : 900 });
  await page.emulateMediaFeatures([
    { name: "prefers-color-scheme", value: theme },
    { name: "prefers-reduced-motion", value: "reduce" },
  ]);
  await page.goto(`${address}${hash}`);
  await page.waitForSelector("#overview");
  await twoFrames(page);
  return {
    page,
    problems,
    requests,
    async close() {
      await page.close();
      expect({ problems, requests }).toEqual({ problems: [], requests: [] });
    },
  };
}

/** Writes `report.html` of a document into a temporary folder, and names it. */
export async function writeReport(data: ReportData, folder: string = temporaryFolder()): Promise<string> {
  const path = join(folder, "report.html");
  writeFileSync(path, await renderReport(data));
  return path;
}

/** What a click or a new address changes is on the screen after this. (Text, since tests know no DOM.) */
export async function twoFrames(page: Page): Promise<void> {
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
}

/** Goes to another address of the same report. */
export async function goTo(page: Page, hash: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
  await twoFrames(page);
}
