/** The whole page, in a real browser, from disk. */
import { createRequire } from "node:module";
import type { Page } from "puppeteer";
import { describe, expect, it } from "vitest";
import { readRun } from "../../src/report/read-run.ts";
import type { ReportData } from "../../src/report/report-data.ts";
import { withFindings } from "../support/findings-data.ts";
import { HOSTILE, reportData } from "../support/report-data.ts";
import { goTo, openReport, twoFrames, writeReport } from "../support/report-page.ts";
import { writeRunFolder } from "../support/run-folder.ts";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const subclusterHash = `#/subcluster/${encodeURIComponent(HOSTILE)}/0`;

/** Serious and critical findings of axe-core, with the elements that they are about. */
async function findings(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: AXE });
  return (await page.evaluate(`axe.run().then(({ violations }) => violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ target }) => id + ": " + target.join(" "))))`)) as string[];
}

const text = (page: Page, selector: string) => page.$eval(selector, (element) => element.textContent ?? "");
const evaluate = <Value>(page: Page, expression: string) => page.evaluate(expression) as Promise<Value>;

describe("a report", () => {
  it("opens from disk without an error or a request, and shows hostile names as text", async () => {
    const { page, close } = await openReport(reportData());
    expect(await page.title()).toBe(`${HOSTILE}.onnx – Brodmann`);
    expect(await text(page, "h1")).toBe(`${HOSTILE}.onnx`);
    expect(await text(page, "#headline")).toContain(HOSTILE);
    expect(await text(page, "#quality")).toContain("</script>");
    expect(await text(page, "#provenance")).toContain(`'models/${HOSTILE}.onnx'`);
    await goTo(page, subclusterHash);
    expect(await page.title()).toContain(`${HOSTILE}, cluster 0`);
    expect(await page.$$("img[src=x]")).toHaveLength(0);
    await close();
  });

  it("says what the network's statistics say, and where", async () => {
    const { page, close } = await openReport(reportData());
    expect(await text(page, ".answer")).toBe(
      "Its clusters are important beyond chance; for coherence there is a hint",
    );
    expect(await text(page, ".verdict")).toContain("lesions of 3 of its 9 subclusters");
    expect(await page.$$(".square.by[href]")).toHaveLength(3);
    const first = await page.$eval(".leaders a", (link) => link.getAttribute("href"));
    await page.click(".leaders a");
    await twoFrames(page);
    expect(await evaluate(page, "location.hash")).toBe(first);
    expect(await evaluate(page, "[overview.hidden, detail.hidden]")).toEqual([true, false]);
    await page.goBack();
    await twoFrames(page);
    await goTo(page, "#/cluster/2");
    expect(
      await page.$$eval(".square.selected .number", (all) => all.map((number) => number.textContent)),
    ).toEqual(["2", "2", "2"]);
    await goTo(page, "#/section/quality");
    await page.waitForSelector("#sections a[aria-current][href$=quality]");
    expect(await evaluate(page, "[overview.hidden, detail.hidden]")).toEqual([false, true]);
    expect(await page.$$("h1")).toHaveLength(1);
    await close();
  });

  it.each<[string, (data: ReportData) => ReportData, RegExp]>([
    ["nothing scored", (data) => ({ ...data, scores: null }), /Not tested yet/],
    [
      "a partition made elsewhere",
      (data) => ({ ...data, partition: { ...data.partition, quality: null, coAssignment: null } }),
      /--nulls 50/,
    ],
    ["no run.json", (data) => ({ ...data, run: null, files: [], classNames: null }), /command is not known/],
  ])("has empty states: %s", async (_, change, expected) => {
    const { page, close } = await openReport(change(reportData()));
    expect(await text(page, "#overview")).toMatch(expected);
    expect(await page.$$("[role=alert]")).toHaveLength(0);
    await close();
  });
});

describe("everybody", () => {
  it.each(["light", "dark"] as const)("can read it (axe-core, %s)", async (theme) => {
    const { page, close } = await openReport(withFindings(reportData()), { theme });
    expect(await findings(page)).toEqual([]);
    await goTo(page, subclusterHash);
    expect(await findings(page)).toEqual([]);
    await close();
  });

  it("finds headings in order, under one title", async () => {
    const { page, close } = await openReport(reportData());
    const levels = await page.$$eval("#overview :is(h1, h2, h3, h4)", (all) =>
      all.map(({ tagName }) => Number(tagName.slice(1))),
    );
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    expect(levels.every((level, at) => at === 0 || level - (levels[at - 1] ?? 0) <= 1)).toBe(true);
    await close();
  });

  it("can use it by keyboard on a small screen", async () => {
    const { page, close } = await openReport(reportData(), { width: 390 });
    expect(await evaluate(page, "document.documentElement.scrollWidth")).toBeLessThanOrEqual(390);
    const focused = () =>
      evaluate<string>(page, "document.activeElement.textContent || document.activeElement.id");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    expect(await evaluate(page, "document.activeElement.id")).toBe("overview");
    await page.focus(".menu");
    const isShown = () =>
      evaluate<boolean>(page, "document.querySelector('#sections').offsetParent !== null");
    expect(await isShown()).toBe(false);
    await page.keyboard.press("Enter");
    expect(await isShown()).toBe(true);
    await page.keyboard.press("Escape");
    expect([await isShown(), await focused()]).toEqual([false, "Sections"]);
    await page.keyboard.press("Space");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Overview");
    await page.$eval("#sections a[href$=provenance]", (link) =>
      (link as unknown as { focus(): void }).focus(),
    );
    await page.keyboard.press("Enter");
    await twoFrames(page);
    expect([await isShown(), await evaluate(page, "document.activeElement.id")]).toEqual([
      false,
      "provenance",
    ]);
    expect(
      await evaluate(page, "document.querySelector('#provenance').getBoundingClientRect().top"),
    ).toBeLessThan(844);
    await close();
  });

  it("can print it: on A4 nothing is cut, and the bar stays away", async () => {
    const { page, close } = await openReport(withFindings(reportData()), { theme: "dark" });
    await page.emulateMediaType("print");
    // A4 less margins, at 96 points an inch.
    await page.setViewport({ width: 688, height: 971 });
    const cut = await page.$$eval("#overview *", (all) =>
      all
        .filter((element) => element.getBoundingClientRect().right > 690)
        .map(({ tagName, className }) => `${tagName} ${className}`),
    );
    expect(cut).toEqual([]);
    expect(await evaluate(page, "getComputedStyle(document.querySelector('.bar')).display")).toBe("none");
    expect(await evaluate(page, "getComputedStyle(document.body).backgroundColor")).toBe(
      "rgb(255, 255, 255)",
    );
    await close();
  });
});

describe("a large network", () => {
  it("of 5000 units and 400 subclusters opens at once", async () => {
    const layers = Array.from({ length: 10 }, (_, layer) => ({ name: `/blocks.${layer}/Gemm`, units: 500 }));
    const { folder } = await writeRunFolder({ layers, clusters: 40 });
    const path = await writeReport(await readRun(folder), folder);
    const { page, close } = await openReport(path);
    const drawnMs = await evaluate<number>(page, "performance.now()");
    console.log(`5000 units, 400 subclusters: drawn ${Math.round(drawnMs)} ms after the start`);
    // Generous: machines of tests are slow, and timed claims belong to benches.
    expect(drawnMs).toBeLessThan(20_000);
    expect(await page.$$(".square[href]")).toHaveLength(400);
    await close();
  });
});
