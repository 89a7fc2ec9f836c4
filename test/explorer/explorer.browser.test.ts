/** The explorer in a real browser: the embedded example from drop to report, on a software adapter. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import puppeteer, { type Browser, type Page } from "puppeteer";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { browserPath } from "../../src/chrome/browser.ts";
import { type SiteServer, serveSite } from "../../src/serve/server.ts";
import { explorerSite } from "../../src/serve/site.ts";
import { ROOT } from "../support/cli.ts";

let server: SiteServer;
const browsers: Browser[] = [];
beforeAll(async () => {
  server = await serveSite(await explorerSite());
});
afterAll(async () => {
  for (const browser of browsers) await browser.close();
  await server.close();
});

const WEBGPU = [
  "--enable-unsafe-webgpu",
  "--enable-features=Vulkan",
  "--use-webgpu-adapter=swiftshader",
  "--enable-unsafe-swiftshader",
];

interface Visit {
  readonly page: Page;
  /** Errors of the console, exceptions, requests to other addresses. */
  readonly problems: string[];
}

async function visit(flags: readonly string[]): Promise<Visit> {
  const browser = await puppeteer.launch({
    executablePath: await browserPath(),
    headless: true,
    pipe: true,
    args: [...flags, ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
  });
  browsers.push(browser);
  const page = await browser.newPage();
  const problems: string[] = [];
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !/^(data|blob):/.test(request.url()))
      problems.push(request.url());
  });
  await page.goto(server.url);
  await page.waitForSelector(".settings");
  return { page, problems };
}

const press = (page: Page, words: string) => page.locator(`::-p-text(${words})`).click();
const textOf = (page: Page, selector: string) =>
  page.$eval(selector, (element) => (element as unknown as { textContent: string }).textContent);

/** Sets the fields whose labels begin with these words. */
async function fill(page: Page, fields: Readonly<Record<string, string>>): Promise<void> {
  for (const [label, value] of Object.entries(fields)) {
    const field = await page.waitForSelector(
      `xpath///label[span[starts-with(., "${label}")]]/*[self::input or self::select]`,
    );
    const tag = await field?.evaluate((element) => (element as unknown as { tagName: string }).tagName);
    if (tag === "SELECT") await field?.select(value);
    else {
      await field?.click({ count: 3 });
      await field?.type(value);
    }
  }
}

const QUICK = { Clusters: "6", Inputs: "60", "Random sets": "paper" };

describe("the explorer", () => {
  it("analyses the embedded example on WebGPU, the report growing on the way", async () => {
    const { page, problems } = await visit(WEBGPU);
    await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
    const faults = (await page.evaluate(
      "axe.run().then(({ violations }) => violations.filter(({ impact }) => /serious|critical/.test(impact)).map(({ id }) => id))",
    )) as string[];
    expect(faults).toEqual([]);
    await press(page, "Take the embedded example");
    await page.waitForFunction("document.querySelectorAll('.files li').length === 2");
    await fill(page, QUICK);
    await press(page, "Analyse");
    await page.waitForSelector("#report #overview", { timeout: 100_000 });
    // The map stands before the scores are there.
    expect(await textOf(page, ".progress-text")).not.toContain("Done");
    await page.waitForFunction("document.querySelector('.progress-text').textContent.startsWith('Done')", {
      timeout: 150_000,
    });
    expect(await page.title()).toContain("mnist-mlp.onnx");
    expect(await textOf(page, ".explorer")).toContain("swiftshader");
    expect(await page.$$eval("#report section", (sections) => sections.length)).toBeGreaterThan(3);
    expect(problems).toEqual([]);
  }, 300_000);

  it("takes files, runs without WebGPU and says so, and is cancelled", async () => {
    const { page, problems } = await visit(["--disable-features=WebGPU"]);
    const picker = await page.waitForSelector("#picker");
    await (picker as unknown as { uploadFile(...paths: string[]): Promise<void> }).uploadFile(
      `${ROOT}examples/mnist-mlp.onnx`,
      `${ROOT}examples/mnist-digits.npz`,
    );
    await page.waitForFunction("document.querySelectorAll('.files li').length === 2");
    await fill(page, { ...QUICK, Inputs: "1000", "Random sets": "strict" });
    await press(page, "Analyse");
    await page.waitForFunction("document.querySelector('.explorer').textContent.includes('has no WebGPU')", {
      timeout: 60_000,
    });
    await page.waitForSelector("#report #overview", { timeout: 100_000 });
    await press(page, "Cancel");
    expect(await textOf(page, ".progress-text")).toContain("Cancelled");
    // What was found stays, and another run can begin.
    expect(await page.$("#report #overview")).not.toBeNull();
    expect(
      await page.$eval(".primary", (button) => (button as unknown as { disabled: boolean }).disabled),
    ).toBe(false);
    expect(problems).toEqual([]);
  }, 200_000);

  it("names what is wrong with files, and goes on", async () => {
    const { page } = await visit(WEBGPU);
    const picker = await page.waitForSelector("#picker");
    const upload = (...paths: string[]) =>
      (picker as unknown as { uploadFile(...paths: string[]): Promise<void> }).uploadFile(...paths);
    await upload(`${ROOT}package.json`);
    await page.waitForFunction("document.querySelector('.notice').textContent.includes('package.json')");
    await press(page, "Take the embedded example");
    await page.waitForFunction("document.querySelectorAll('.files li').length === 2");
    await fill(page, { ...QUICK, Inputs: "0" });
    await press(page, "Analyse");
    // The browser itself refuses the number; nothing has begun.
    expect(
      await page.$eval("progress", (bar) => (bar as unknown as { offsetParent: unknown }).offsetParent),
    ).toBeNull();
    await fill(page, { Inputs: "20", Partitioner: "leiden" });
    expect(
      await page.$eval(
        ".field[hidden]",
        (field) => (field as unknown as { textContent: string }).textContent,
      ),
    ).toContain("Clusters");
  }, 200_000);
});
