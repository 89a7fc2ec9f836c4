/** The page of a subcluster in a real browser, from disk. */
import { describe, expect, it } from "vitest";
import type { ReportData } from "../../src/report/report-data.ts";
import { withFindings } from "../support/findings-data.ts";
import { HOSTILE, reportData } from "../support/report-data.ts";
import { goTo, openReport } from "../support/report-page.ts";

const data = reportData();
const address = (layer: string, cluster: number): string =>
  `#/subcluster/${encodeURIComponent(layer)}/${cluster}`;

describe("the page of a subcluster", () => {
  it("opens by its address, with every score against its random groups, and pictures", async () => {
    const { page, close } = await openReport(data, { hash: address("conv1", 0) });
    const text = (selector: string) => page.$eval(selector, (element) => element.textContent);
    expect(await text("h1")).toBe("Cluster 0 in conv1");
    expect(await page.evaluate("document.activeElement.tagName")).toBe("H1");
    expect(await page.evaluate("document.getElementById('overview').hidden")).toBe(true);
    const [entry] = data.scores?.subclusters ?? [];
    expect(await text(".lede .first")).toMatch(/^Lesioning these 4 units (costs|gains) /);
    // A strip for each measure that has an amount, its mark where the curve's scale has it.
    const measures = [...Object.keys(entry?.importance?.p ?? {}), ...Object.keys(entry?.coherence?.p ?? {})];
    const strips = await page.$$eval(".null-strip", (all) =>
      all.map((strip) => ({
        label: strip.getAttribute("aria-label") ?? "",
        curve: strip.querySelector(".null")?.getAttribute("d") ?? "",
        mark: Number(strip.querySelector("line.mark")?.getAttribute("x1")),
        median: Number(strip.querySelector(".median")?.getAttribute("x1")),
      })),
    );
    expect(strips).toHaveLength(measures.length);
    const { amount, quantiles } = entry?.importance?.nullSpread.accuracy ?? { amount: null, quantiles: [] };
    expect(strips[0]?.label).toMatch(/^Accuracy: this subcluster /);
    expect(Math.sign((strips[0]?.mark ?? 0) - (strips[0]?.median ?? 0))).toBe(
      Math.sign((amount ?? 0) - (quantiles[10] ?? 0)),
    );
    for (const { curve } of strips) {
      expect(curve).toMatch(/^M[\d.]+ 38(L-?[\d.]+ -?[\d.]+)+Z$/);
    }
    // Images have been decoded: broken ones have no size.
    const images = await page.$$eval("#detail img", (all) =>
      all.map((image) => ({ alt: image.alt, width: image.naturalWidth })),
    );
    expect(images.map(({ alt }) => alt)).toEqual([
      "Image optimised for the units of cluster 0 in conv1",
      "Image optimised for random group 1",
      "Image optimised for random group 2",
      `Input 4 of class ${HOSTILE}`,
      "Input 7 of class zero",
    ]);
    expect(images.every(({ width }) => width > 0)).toBe(true);
    // Classes, company, units.
    expect(await page.$$(".class-chart .bar")).toHaveLength(3);
    expect(await text(".classes tbody tr")).toBe("zero97.0 %40.0 %−57.00.90");
    expect(await text(".relations")).toContain(HOSTILE);
    expect(await page.$$(".unit-list li")).toHaveLength(4);
    expect(await text(".unit-list li")).toMatch(/^unit \d+degree [\d.]+stability \d+ %$/);
    await close();
  });

  it("shows hostile names as text, without sideways scroll on a telephone", async () => {
    for (const theme of ["light", "dark"] as const) {
      const { page, close } = await openReport(data, { hash: address(HOSTILE, 1), theme, width: 390 });
      expect(await page.$eval("h1", ({ textContent }) => textContent)).toBe(`Cluster 1 in ${HOSTILE}`);
      expect(await page.$$("img[src=x]")).toHaveLength(0);
      expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
      await close();
    }
  });

  it("is gone through by keyboard", async () => {
    const { page, close } = await openReport(data, { hash: address("conv1", 1) });
    const focused = () => page.evaluate("document.activeElement.getAttribute('aria-label')");
    const waitForHeading = (words: string) =>
      page.waitForFunction(`document.querySelector("#detail h1")?.textContent === ${JSON.stringify(words)}`);
    // The heading has the focus; the links to the neighbours stand in front of it.
    await page.keyboard.down("Shift");
    await page.keyboard.press("Tab");
    await page.keyboard.up("Shift");
    expect(await focused()).toBe("Next subcluster: conv1 · 2");
    await page.keyboard.press("Enter");
    await waitForHeading("Cluster 2 in conv1");
    expect(await page.evaluate("location.hash")).toMatch(/conv1\/2$/);
    await goTo(page, address("conv1", 0));
    expect(await page.$$(".pager a.prev")).toHaveLength(0);
    await page.focus("#detail .pager .back");
    await page.keyboard.press("Enter");
    await page.waitForFunction("!document.getElementById('overview').hidden");
    expect(await page.evaluate("location.hash")).toBe("#/cluster/0");
    await page.goBack();
    await page.waitForFunction("document.getElementById('overview').hidden");
    await waitForHeading("Cluster 0 in conv1");
    await close();
  });

  it("tells what patterns and populations say of it, where they were found", async () => {
    const without = await openReport(data, { hash: address("conv1", 1) });
    expect(await without.page.$$("#detail .further")).toHaveLength(0);
    await without.close();
    const { page, close } = await openReport(withFindings(reportData()), { hash: address("conv1", 0) });
    const text = await page.$eval("#detail .further", ({ textContent }) => textContent ?? "");
    expect(text).toContain("Patterns and populations");
    expect(text).toMatch(/co-response/);
    await close();
  });

  it("says so where an address leads nowhere, and in which layers the cluster is", async () => {
    const { page, close } = await openReport(data, { hash: address("conv1", 77) });
    const text = () => page.$eval("#detail", ({ textContent }) => textContent);
    expect(await text()).toContain("Layer conv1 of this network has no cluster 77.");
    expect(await page.$$eval("#detail .subcluster-link", (links) => links.length)).toBe(3);
    await goTo(page, address(`no ${HOSTILE}`, 1));
    expect(await text()).toContain(`This network has no layer no ${HOSTILE}.`);
    await page.click("#detail a[href='#/']");
    await page.waitForFunction("!document.getElementById('overview').hidden");
    await close();
  });

  it("has less to show of an analysis without scores, or of a part of them", async () => {
    const [entry] = data.scores?.subclusters ?? [];
    if (entry === undefined || data.scores === null) throw new Error("found no scores");
    const nothing: ReportData = { ...data, scores: null };
    const bare = await openReport(nothing, { hash: address("conv1", 0) });
    const text = (page: typeof bare.page) => page.$eval("#detail", ({ textContent }) => textContent);
    expect(await text(bare.page)).toContain("Nothing was scored in this analysis");
    expect(await bare.page.$$(".unit-list li")).toHaveLength(4);
    await bare.close();
    const { importance: _, ...rest } = entry;
    const half: ReportData = {
      ...data,
      classNames: null,
      pictures: { inputs: {}, subclusters: [] },
      scores: { ...data.scores, subclusters: [rest] },
    };
    const { page, close } = await openReport(half, { hash: address("conv1", 0) });
    expect(await text(page)).toContain("No image of this subcluster lies beside the scores");
    expect(await text(page)).toContain("No pictures: the network reads no images");
    expect(await page.$$(".class-chart .dot")).toHaveLength(3);
    expect(await page.$$(".class-chart .bar")).toHaveLength(0);
    await close();
  });
});
