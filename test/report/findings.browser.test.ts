/** Patterns and populations in a real browser: what is drawn, chosen and left out. */
import type { Page } from "puppeteer";
import { describe, expect, it } from "vitest";
import {
  madeLayer,
  madePattern,
  madePatterns,
  madePopulations,
  withFindings,
} from "../support/findings-data.ts";
import { HOSTILE, reportData } from "../support/report-data.ts";
import { openReport, twoFrames } from "../support/report-page.ts";

const texts = (page: Page, selector: string) =>
  page.$$eval(selector, (found) => found.map((element) => element.textContent ?? ""));
const text = async (page: Page, selector: string) => (await texts(page, selector)).join("\n");
const press = (page: Page, selector: string) =>
  page.$eval(selector, (element) => (element as unknown as { click(): void }).click());
const overflow = (page: Page) =>
  page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");

describe("patterns", () => {
  it("are not there where none were looked for", async () => {
    const { page, close } = await openReport(reportData());
    expect(await page.$("#patterns, #populations")).toBeNull();
    await close();
  });

  it("show the layer that is chosen, in cards with its pictures", async () => {
    const { page, close } = await openReport(withFindings(reportData()));
    // The layer with discrete patterns comes first.
    expect(await text(page, "#patterns .finding")).toBe(
      `Only ${HOSTILE} has discrete patterns; the other layer varies continuously.`,
    );
    expect(await text(page, "#patterns .pattern-layer h3")).toBe(`Patterns of ${HOSTILE}`);
    expect(await texts(page, ".pattern-card .classes strong")).toEqual([HOSTILE, "zero", "two"]);
    // Of the three inputs of a card, the report has pictures of two; the network gets one of them wrong.
    expect(await page.$$(".pattern-card:first-child .thumbnails img")).toHaveLength(2);
    expect(await page.$$(".pattern-card:first-child .thumbnails .wrong")).toHaveLength(1);
    expect(await texts(page, ".class-heatmap .some + text")).toEqual(["20", "15", "2", "8"]);
    expect(await page.$(".continuum-warning")).toBeNull();
    await press(page, '#patterns .data-table button[title="conv1"]');
    expect(await text(page, "#patterns .pattern-layer h3")).toBe("Patterns of conv1");
    expect(await text(page, ".continuum-warning")).toMatch(
      /^No discrete patterns: conv1 varies continuously/,
    );
    await page.select(".pattern-layer select", "1");
    expect(await text(page, "#patterns .pattern-layer h3")).toBe("Patterns of cluster 0 in conv1");
    expect(await text(page, "#patterns .statements")).toMatch(/Against 19 random sets/);
    await close();
  });

  it("flow through the layers, and open short lists", async () => {
    const many = Array.from({ length: 15 }, (_, number) => madePattern(number, [5, 0, 0]));
    const layers = [madeLayer("conv1", many), ...madePatterns().layers.slice(2)];
    const { page, close } = await openReport(withFindings(reportData(), madePatterns({ layers }), null));
    expect(await page.$("#populations")).toBeNull();
    expect(await page.$$(".pattern-flow .ribbon")).toHaveLength(5);
    expect(await page.$$(".pattern-flow .ribbon.loose")).toHaveLength(3);
    expect(await texts(page, ".pattern-flow tbody th")).toEqual(["· → 0", "0 → 1"]);
    await page.select(".pattern-layer select", "0");
    expect(await page.$$(".pattern-card")).toHaveLength(12);
    await page.focus(".pattern-detail .more");
    await page.keyboard.press("Enter");
    expect(await page.$$(".pattern-card")).toHaveLength(15);
    expect(await page.evaluate("document.activeElement.textContent")).toBe("show the first 12");
    await close();
  });

  it("do without labels, images and other layers", async () => {
    const bare = madePattern(0, [5], {
      classes: null,
      predictions: null,
      misclassified: null,
      exemplars: [{ input: 3, probability: 1, outlier: 0 }],
      boundary: [],
    });
    const found = { ami: null, permuted: null, stability: null, noiseAgreement: null, counts: [] };
    const layers = [madeLayer("recorded", [bare], { ...found, outliers: { threshold: null, inputs: [] } })];
    const { page, close } = await openReport(
      withFindings(reportData(), madePatterns({ layers, flow: null }), null),
      { width: 390, theme: "dark" },
    );
    expect(await text(page, ".pattern-card")).toMatch(/most typical inputs: 3/);
    expect(await page.$(".class-heatmap, .pattern-flow, .outliers, .pattern-layer select")).toBeNull();
    expect(await overflow(page)).toBe(0);
    await close();
  });
});

describe("populations", () => {
  it("draw units in the colours of their clusters, and a click selects", async () => {
    const { page, close } = await openReport(withFindings(reportData()));
    expect(await page.$$(".unit-scatter:first-child svg circle")).not.toHaveLength(0);
    const clusters = await page.$$eval("[aria-label^='Magnitude'] [data-cluster]", (dots) =>
      dots.map((dot) => dot.getAttribute("data-cluster")),
    );
    // The units that live, those that cost most first: 10 is in cluster 1, 9 in 0, 8 in 2.
    expect(clusters).toHaveLength(11);
    expect(clusters.slice(0, 3)).toEqual(["1", "0", "2"]);
    const dot = await page.$("[aria-label^='Magnitude'] [data-cluster='2']");
    await dot?.scrollIntoView();
    await dot?.hover();
    await dot?.click();
    await twoFrames(page);
    expect(await page.evaluate("location.hash")).toBe("#/cluster/2");
    const away = await page.$$eval("[aria-label^='Magnitude'] .away", (dots) => dots.length);
    expect(away).toBe(8);
    await page.select("#populations .controls select", "1");
    expect(await page.$$(`[aria-label*="of ${HOSTILE}"] [data-cluster]`)).toHaveLength(18);
    await close();
  });

  it("tell the claim, correlations, agreement, groups and pairs", async () => {
    const { page, close } = await openReport(withFindings(reportData()));
    expect(await text(page, "#populations .finding")).toMatch(/^Nothing measured of a unit tells/);
    expect(
      await page.$$("[aria-label^='What tells'] circle, [aria-label^='What tells'] path"),
    ).not.toHaveLength(0);
    const table = (name: string) => `[aria-label="${name}"] tbody`;
    const correlations = table("Spearman's correlation with loss impact");
    expect(await page.$$(`${correlations} tr`)).toHaveLength(6);
    expect(await texts(page, `${correlations} tr:first-child strong`)).toEqual([
      "−0.20 [−0.30, −0.10]",
      "0.20 [0.10, 0.30]",
    ]);
    expect(
      await text(page, `${table("Agreement of the populations and the partition")} tr:first-child`),
    ).toBe("all layers0.300 (0.010) p .002–");
    const groups = `${table("Populations, those that cost most first")} th`;
    expect(await texts(page, groups)).toEqual(["co-response 1", "co-response 0", "co-impact 7"]);
    await page.evaluate(`
      const kinds = [...document.querySelectorAll("#populations select")].find((select) =>
        select.textContent.includes("all kinds"));
      kinds.selectedIndex = 2;
      kinds.dispatchEvent(new Event("change"));
    `);
    expect(await texts(page, groups)).toEqual(["co-impact 7"]);
    expect(await texts(page, `${table("Pairs of units, those that interact most first")} th`)).toEqual([
      "5 and 6",
      "0 and 3",
    ]);
    await close();
  });

  it("do with recorded activations on a small dark screen", async () => {
    const {
      lesions: _,
      relations: _relations,
      agreements: _agreements,
      groups: _groups,
      pairs: _pairs,
      claim: _claim,
      ...recorded
    } = madePopulations();
    const { page, close } = await openReport(withFindings(reportData(), madePatterns(), recorded), {
      width: 390,
      theme: "dark",
    });
    expect(await text(page, "#populations")).toMatch(/nothing can be lesioned in/);
    expect(await page.$(".unit-scatter, #populations .finding")).toBeNull();
    expect(await overflow(page)).toBe(0);
    await close();
  });
});
