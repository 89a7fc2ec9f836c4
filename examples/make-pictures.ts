/**
 * The README's pictures: the report of the embedded network, in light and dark, on a wide and a narrow screen.
 *
 * Run: npx tsx examples/make-pictures.ts
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import puppeteer, { type Page } from "puppeteer";
import { browserPath } from "../src/chrome/browser.ts";
import { runProgram } from "../src/cli/program.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** What is seen of the report: its beginning, and its map. */
const VIEWS = [
  { name: "report", hash: "", width: 1440, height: 900 },
  { name: "report-narrow", hash: "", width: 390, height: 844 },
  { name: "report-map", hash: "#/section/map", width: 1240, height: 900 },
] as const;

async function show(
  page: Page,
  address: string,
  { hash, width, height }: (typeof VIEWS)[number],
): Promise<void> {
  await page.setViewport({ width, height });
  await page.goto("about:blank");
  await page.goto(address + hash);
  await page.waitForSelector("#map");
  if (hash !== "")
    await page.evaluate('document.getElementById("map").scrollIntoView({ behavior: "instant" })');
  // Two frames: what the address selects is drawn then.
  await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
}

const folder = await mkdtemp(join(tmpdir(), "brodmann-pictures-"));
const browser = await puppeteer.launch({
  executablePath: await browserPath(),
  args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
});
try {
  const code = await runProgram([
    "demo",
    "--nulls",
    "20",
    "--stability",
    "5",
    "--agreement",
    "--out",
    folder,
  ]);
  if (code !== 0) throw new Error(`demo: exit code ${code}`);
  const address = pathToFileURL(join(folder, "report.html")).href;
  const page = await browser.newPage();
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMediaFeatures([
      { name: "prefers-color-scheme", value: theme },
      { name: "prefers-reduced-motion", value: "reduce" },
    ]);
    for (const view of VIEWS) {
      await show(page, address, view);
      await page.screenshot({ path: here(`${view.name}-${theme}.png`) as `${string}.png` });
    }
  }
} finally {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
}
