/** Scoreboard and lesions in a real browser: sorting, filters, the saved table, keyboard, selection, what is missing. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "puppeteer";
import { describe, expect, it } from "vitest";
import type { ReportData } from "../../src/report/report-data.ts";
import type { ScoresDocument } from "../../src/report/scores-document.ts";
import { HOSTILE, reportData } from "../support/report-data.ts";
import { openReport, twoFrames } from "../support/report-page.ts";

const texts = (page: Page, selector: string) =>
  page.$$eval(selector, (found) => found.map((element) => element.textContent ?? ""));
const rowNames = async (page: Page) => {
  const layers = await page.$$eval(".score-table tbody td.layer a", (found) =>
    found.map((link) => link.getAttribute("title")),
  );
  const clusters = await texts(page, ".score-table tbody td.cluster");
  return layers.map((layer, at) => `${layer} ${clusters[at]}`);
};
const header = (key: string) => `.score-table th[data-key="${key}"]`;
const address = (page: Page) => page.evaluate("location.hash");

function withScores(change: (scores: ScoresDocument) => Partial<ScoresDocument>): ReportData {
  const data = reportData();
  const scores = data.scores as ScoresDocument;
  return { ...data, scores: { ...scores, ...change(scores) } };
}

describe("the scoreboard", () => {
  it("sorts by every column and says so", async () => {
    const { page, close } = await openReport(reportData());
    expect((await rowNames(page))[0]).toBe("conv1 0");
    const keys = await page.$$eval(".score-table th[data-key]", (found) =>
      found.map((cell) => cell.getAttribute("data-key") ?? ""),
    );
    expect(keys).toHaveLength(17);
    const orders = await page.evaluate(`${JSON.stringify(keys)}.map((key) => {
      const cell = document.querySelector('.score-table th[data-key="' + key + '"]');
      return [0, 1].map(() => {
        cell.querySelector("button").click();
        const sorted = document.querySelectorAll("[aria-sort]").length;
        return sorted + " " + document.querySelector('[data-key="' + key + '"]').getAttribute("aria-sort");
      }).sort().join();
    })`);
    expect(orders).toEqual(keys.map(() => "1 ascending,1 descending"));
    await page.click(`${header("lossIncrease")} button`);
    expect((await rowNames(page)).slice(0, 3)).toEqual(["conv1 0", `${HOSTILE} 0`, "/model/fc.2/Gemm 0"]);
    await page.focus(`${header("cluster")} button`);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter");
    expect((await rowNames(page))[0]).toBe("conv1 2");
    await close();
  });

  it("saves the rows shown, in their order", async () => {
    const { page, close } = await openReport(reportData());
    await page.evaluate(`
      URL.createObjectURL = (blob) => { window.saved = blob; return "data:,"; };
      HTMLAnchorElement.prototype.click = function () { window.savedName = this.download; };
    `);
    await page.click(".scoreboard .check");
    expect(await rowNames(page)).toEqual(["conv1 0", `${HOSTILE} 0`, "/model/fc.2/Gemm 0"]);
    await page.click(`${header("layer")} button`);
    await page.$$eval(".scoreboard .controls button", (found) =>
      (found[0] as unknown as { click(): void }).click(),
    );
    const lines = ((await page.evaluate("window.saved.text()")) as string).split("\n");
    expect(await page.evaluate("window.savedName")).toBe("scoreboard.csv");
    expect(lines[0]).toMatch(/^layer,cluster,units,layerUnits,lossIncrease,/);
    expect(lines.slice(1).map((line) => line.split(",").slice(0, 4).join())).toEqual([
      "/model/fc.2/Gemm,0,3,9",
      `${HOSTILE},0,3,10`,
      "conv1,0,4,12",
      "",
    ]);
    await page.select('select[aria-label="Layer"]', "1");
    expect(await rowNames(page)).toEqual(["conv1 0"]);
    await page.type('input[type="search"]', "nothing like it");
    expect(await texts(page, ".score-table tbody tr")).toEqual(["No subcluster fits these filters."]);
    expect(await texts(page, ".scoreboard output")).toEqual(["0 of 9 subclusters; bold: significant"]);
    await close();
  });

  it("shows the measures that are chosen", async () => {
    const { page, close } = await openReport(reportData());
    const marks = () => page.$$(".marks > *").then((found) => found.length);
    expect(await marks()).toBe(9);
    await page.select('select[aria-label="Importance"]', "1");
    await page.select('select[aria-label="Coherence"]', "1");
    expect((await texts(page, ".score-table .groups th")).slice(2)).toEqual([
      "Importance: class range",
      "Coherence: preferred classes",
    ]);
    // A class range is defined for three; a cosine has no effect.
    await page.select('select[aria-label="Shown as"]', "1");
    expect(await marks()).toBe(0);
    await page.select('select[aria-label="Shown as"]', "2");
    expect(await marks()).toBe(3);
    expect((await texts(page, ".scoreboard figcaption"))[0]).toContain("6 subclusters cannot be shown");
    await page.select('select[aria-label="Adjusted by"]', "1");
    expect(await texts(page, `${header("importanceQ")} button`)).toEqual(["q (BH)"]);
    await close();
  });

  it("is one stop of the tab key, and keeps the selection in the address", async () => {
    const { page, close } = await openReport(reportData());
    expect(await page.$$('.marks [tabindex="0"]')).toHaveLength(1);
    await page.evaluate(`document.querySelector('.marks [tabindex="0"]').focus()`);
    const told = () => page.$eval(".score-picture .tip", (tip) => tip.textContent ?? "");
    const first = await told();
    await page.keyboard.press("ArrowRight");
    expect(await told()).not.toBe(first);
    expect(await told()).toMatch(/cluster \d · \d units?accuracy: .*p .* · q .* · z .* · effect/);
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
    await twoFrames(page);
    expect(await address(page)).toBe("#/cluster/0");
    expect(await page.$$('.marks [aria-pressed="true"]')).toHaveLength(3);
    expect(await page.$$(".score-table tr.selected")).toHaveLength(3);
    await page.click(".score-table tbody tr:nth-child(2) td.units");
    await twoFrames(page);
    expect(await address(page)).toBe("#/subcluster/conv1/1");
    await close();
  });

  it("stands along the layers where one score alone was computed, and draws no lesions", async () => {
    const data = withScores(
      ({ subclusters, network, baseline: _, dissociations: __, pairs: ___, ...rest }) => ({
        ...rest,
        subclusters: subclusters.map(({ importance: ____, ...entry }) => entry),
        network: { coherence: network.coherence ?? {} },
      }),
    );
    const { page, close } = await openReport(
      JSON.parse(
        JSON.stringify({
          ...data,
          scores: { ...data.scores, pairs: [], dissociations: undefined, baseline: undefined },
        }),
      ),
    );
    expect(await page.$$(".marks > *")).toHaveLength(9);
    expect(await page.$('select[aria-label="Importance"]')).toBeNull();
    expect(await texts(page, "#lesions .empty")).toEqual([
      expect.stringContaining("--scores importance,coherence"),
    ]);
    await close();
  });
});

describe("scoreboard and lesions", () => {
  it.each(["light", "dark"] as const)("have no serious fault that axe-core finds, in %s", async (theme) => {
    const { page, close } = await openReport(reportData(), { theme, hash: "#/cluster/1" });
    const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
    await page.evaluate(readFileSync(axe, "utf8"));
    const found = await page.evaluate(`axe
      .run({ include: [["#scoreboard"], ["#lesions"]] }, { resultTypes: ["violations"] })
      .then(({ violations }) => violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => id + ": " + nodes[0].html))`);
    expect(found).toEqual([]);
    await close();
  });
});

describe("lesions", () => {
  it("tell class, subcluster and accuracies at every cell, by keys too", async () => {
    const { page, close } = await openReport(reportData());
    await page.focus(".heatmap-scroll");
    await page.keyboard.press("ArrowRight");
    const told = () => page.$eval(".heatmap-box .tip", (tip) => tip.textContent ?? "");
    expect(await told()).toBe(
      "class zero · conv1 · cluster 0accuracy 97.0 % intact, 40.0 % without it−57.0 pp",
    );
    await page.keyboard.press("ArrowDown");
    expect(await told()).toContain(`class ${HOSTILE} · conv1 · cluster 0`);
    await page.keyboard.press("ArrowRight");
    expect(await told()).toContain("conv1 · cluster 1accuracy 93.0 % intact, 94.0 % without it+1.0 pp");
    await page.keyboard.press("Enter");
    await twoFrames(page);
    expect(await address(page)).toBe("#/cluster/1");
    expect(await texts(page, ".lesions .grid .subcluster-link")).toEqual([
      "conv1 · 1",
      `${HOSTILE} · 1`,
      "/model/fc.2/Gemm · 1",
    ]);
    expect(await page.$eval(".heatmap > path", (path) => path.getAttribute("d")?.split("M").length)).toBe(4);
    await page.select('select[aria-label="Order of the columns"]', "1");
    expect(await texts(page, ".heatmap .headings")).toEqual([expect.stringMatching(/^000/)]);
    await close();
  });

  it("list dissociations and pairs", async () => {
    const { page, close } = await openReport(
      withScores(({ dissociations = [] }) => ({
        dissociations: Array.from({ length: 15 }, (_, at) => ({
          ...(dissociations[0] as NonNullable<typeof dissociations>[number]),
          strength: at / 100,
          q: at < 2 ? 0.01 : 0.5,
        })),
      })),
    );
    const items = () => texts(page, ".findings li");
    expect(await items()).toHaveLength(12);
    expect((await items())[0]).toBe(
      `conv1cluster 0 serves class zero, cluster 1 class ${HOSTILE}by 1.0 pp · q .010 · significant`,
    );
    expect((await items())[2]).toMatch(/by 14\.0 pp · q \.500$/);
    const all = (await page.$$("#lesions button")).at(-1);
    await all?.focus();
    await page.keyboard.press("Enter");
    expect(await items()).toHaveLength(15);
    expect(await texts(page, ".pairs tbody td")).toEqual([
      "conv1 · 0 + conv1 · 1",
      "+1.20",
      "+0.30",
      "0.10 to 0.50",
      "10.0 %",
      "back each other up",
    ]);
    await close();
  });

  it("show losses where there are no classes", async () => {
    const { page, close } = await openReport(
      withScores(({ subclusters, baseline, dissociations: _, ...rest }) => ({
        ...rest,
        task: "regression",
        dissociations: [],
        ...(baseline && { baseline: { ...baseline, accuracy: null, classAccuracy: [] } }),
        subclusters: subclusters.map((entry) => ({
          ...entry,
          ...(entry.importance && { importance: { ...entry.importance, accuracy: null, classAccuracy: [] } }),
        })),
      })),
      { width: 390 },
    );
    expect(await texts(page, "#lesions .empty")).toEqual([expect.stringContaining("no classes")]);
    expect(await page.$eval("#lesions svg", (svg) => svg.getAttribute("aria-label"))).toContain(
      "largest: conv1 · 0, +0.78",
    );
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
    await close();
  });
});
