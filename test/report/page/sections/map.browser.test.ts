/** The map in a real browser. Scripts for the page are text, since tests know no DOM. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { ElementHandle, Page } from "puppeteer";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../../support/cli.ts";
import { HOSTILE, reportData } from "../../../support/report-data.ts";
import { openReport, twoFrames } from "../../../support/report-page.ts";

const DATA = reportData();
const UNITS = DATA.map.units.layer.length;

const hash = (page: Page): Promise<unknown> => page.evaluate("location.hash");
const text = (page: Page, selector: string): Promise<unknown> =>
  page.evaluate(`document.querySelector(${JSON.stringify(selector)})?.textContent`);
const style = (page: Page, selector: string, property: string): Promise<unknown> =>
  page.evaluate(
    `getComputedStyle(document.querySelector(${JSON.stringify(selector)})).getPropertyValue("${property}")`,
  );
const area = (layer: number, cluster: number): string =>
  `.area[data-layer="${layer}"][data-cluster="${cluster}"]`;

async function found(page: Page, selector: string): Promise<ElementHandle> {
  const element = await page.waitForSelector(selector);
  if (element === null) throw new Error(`${selector}: not on the page`);
  return element;
}

async function middle(page: Page, selector: string): Promise<{ x: number; y: number }> {
  const element = await found(page, selector);
  await element.scrollIntoView();
  const box = await element.boundingBox();
  if (box === null) throw new Error(`${selector}: not seen`);
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}

/** From the last control above it. */
async function tabToMap(page: Page): Promise<void> {
  await page.focus(".map-slider input");
  await page.keyboard.press("Tab");
}

describe("the layer map", () => {
  it("draws every unit, and selects by pointer, everywhere and in the address", async () => {
    const { page, close } = await openReport(DATA);
    await found(page, ".area");
    const dots = `[...document.querySelectorAll(".dots")].map((path) => path.getAttribute("d").match(/M/g).length)`;
    expect(await page.evaluate(`${dots}.reduce((sum, one) => sum + one)`)).toBe(UNITS);
    await page.click(area(0, 1));
    await twoFrames(page);
    expect(await hash(page)).toBe("#/cluster/1");
    const pressed = `[...document.querySelectorAll(".area[aria-pressed=true]")].map((one) => one.dataset.cluster)`;
    expect(await page.evaluate(pressed)).toEqual(["1", "1", "1"]);
    expect(await style(page, `${area(0, 0)} .dots`, "stroke-opacity")).toBe("0.2");
    expect(await style(page, `${area(0, 1)} .dots`, "stroke-opacity")).toBe("1");
    expect(await style(page, ".bundle:not(.is-selected)", "fill-opacity")).toBe("0.05");
    expect(await text(page, ".map-legend [aria-pressed=true]")).toBe("cluster 1");
    expect(await text(page, ".map-selection")).toContain("10 units in 3 layers");
    // The ground of the map takes the selection back.
    const { x, y } = await middle(page, ".map-view");
    await page.mouse.click(x, y + 110);
    await twoFrames(page);
    expect(await hash(page)).toBe("#/");
    expect(await style(page, `${area(0, 0)} .dots`, "stroke-opacity")).toBe("1");
    await close();
  });

  it("is walked by arrow keys and selects by Enter", async () => {
    const { page, close } = await openReport(DATA);
    await found(page, ".area");
    expect(await page.evaluate(`document.querySelectorAll(".area[tabindex='0']").length`)).toBe(1);
    await tabToMap(page);
    for (const key of ["ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowDown"] as const) {
      await page.keyboard.press(key);
    }
    const label = `document.activeElement.getAttribute("aria-label")`;
    expect(await page.evaluate(label)).toMatch(`cluster 2 in ${HOSTILE}, 3 units, importance (loss): p .`);
    expect(await text(page, ".map-tooltip")).toContain(`cluster 2 in ${HOSTILE}`);
    await page.keyboard.press("Enter");
    await twoFrames(page);
    expect(await hash(page)).toBe("#/cluster/2");
    await page.keyboard.press("Escape");
    await twoFrames(page);
    expect(await hash(page)).toBe("#/");
    await close();
  });

  it("zooms by buttons, keys and the wheel with Ctrl, and is dragged without a click", async () => {
    const { page, close } = await openReport(DATA);
    await found(page, ".area");
    const zoom = async (): Promise<number> =>
      Number(await page.evaluate(`document.querySelector(".map-view").dataset.zoom`));
    expect(await zoom()).toBe(1);
    await page.click("[aria-label='Zoom in']");
    expect(await zoom()).toBeCloseTo(1.4);
    await tabToMap(page);
    await page.keyboard.press("+");
    expect(await zoom()).toBeCloseTo(1.96);
    const before = await middle(page, area(1, 1));
    const at = await middle(page, ".map-view");
    await page.mouse.move(at.x, at.y + 60);
    await page.mouse.down();
    await page.mouse.move(at.x - 100, at.y + 50, { steps: 4 });
    await page.mouse.up();
    await page.waitForSelector(".layer-map:not(.is-moving)");
    expect((await middle(page, area(1, 1))).x - before.x).toBeCloseTo(-100, 0);
    expect(await hash(page)).toBe("");
    await page.mouse.wheel({ deltaY: -40 });
    await page.keyboard.down("Control");
    const unzoomed = await zoom();
    expect(unzoomed).toBeCloseTo(1.96);
    await page.mouse.wheel({ deltaY: -40 });
    await page.keyboard.up("Control");
    await page.waitForFunction(`document.querySelector(".map-view").dataset.zoom > ${unzoomed}`);
    await page.keyboard.press("0");
    expect(await zoom()).toBe(1);
    await close();
  });

  it("tells of units, and of layers whose names are markup, in text", async () => {
    const { page, close } = await openReport(DATA, { theme: "dark" });
    const { x, y } = await middle(page, `${area(1, 0)} .dots`);
    // The first of its two rows.
    await page.mouse.move(x - 6, y - 6);
    await page.waitForSelector(".map-tooltip:not([hidden])");
    const tip = await page.evaluate(
      `[...document.querySelector(".map-tooltip").children].map((one) => one.textContent)`,
    );
    expect(tip).toEqual([
      `${HOSTILE} · unit 0`,
      "cluster 0",
      expect.stringMatching(/^degree \d/),
      "stability 0.30",
      expect.stringMatching(/^subcluster: 3 units, importance \(loss\): p \.001, effect 1\.8/),
    ]);
    expect(await page.evaluate(`document.querySelectorAll("#map img").length`)).toBe(0);
    expect(await page.evaluate(`document.querySelector(".ring").getAttribute("display")`)).toBeNull();
    await close();
  });

  it("draws as many bundles as the slider says, and saves what is seen as an SVG file", async () => {
    const { page, close } = await openReport(DATA);
    await found(page, ".bundle");
    await page.evaluate(
      `{ const slider = document.querySelector(".map-slider input"); slider.value = 4; slider.dispatchEvent(new Event("input")); }`,
    );
    expect(await page.evaluate(`document.querySelectorAll(".bundle").length`)).toBe(4);
    expect(await text(page, ".map-slider")).toBe("strongest 4 of 18 bundles");
    await page.click(".map-legend .chip");
    await twoFrames(page);
    // Of the nine bundles between two layers five touch cluster 0.
    expect(await page.evaluate(`document.querySelectorAll(".bundle.is-selected").length`)).toBe(10);
    await page.click(".map-legend .chip");
    await twoFrames(page);
    const folder = temporaryFolder();
    const client = await page.createCDPSession();
    await client.send("Browser.setDownloadBehavior", {
      behavior: "allow",
      downloadPath: folder,
      eventsEnabled: true,
    });
    const saved = new Promise<void>((done) => {
      client.on("Browser.downloadProgress", ({ state }) => state === "completed" && done());
    });
    await page.click("[aria-label='Save layer-map as SVG']");
    await saved;
    const svg = readFileSync(join(folder, "layer-map.svg"), "utf8");
    expect(svg.match(/class="bundle"/g)).toHaveLength(4);
    expect(svg.match(/h\.01/g)).toHaveLength(UNITS);
    expect(svg).not.toContain("<img");
    await close();
  });

  it("fits a telephone, with more layers than its width holds", async () => {
    const layers = Array.from({ length: 20 }, (_, at) => ({ name: `/blocks.${at}/mlp/MatMul`, units: 60 }));
    const { page, close } = await openReport(reportData({ layers, clusters: 30 }), {
      width: 390,
      hash: "#/cluster/3",
    });
    await found(page, ".area");
    expect(await page.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    await page.type(".map [type=search]", "29");
    expect(
      await page.evaluate(`document.querySelectorAll(".map-legend li:not([hidden]) .chip").length`),
    ).toBe(1);
    await close();
  });
});

describe("the unit graph", () => {
  it("draws all units by WebGL while it is seen, and follows the selection", async () => {
    const { page, close } = await openReport(DATA);
    expect(await page.evaluate(`document.querySelectorAll("canvas").length`)).toBe(0);
    await page.click("#map-tab-graph");
    await page.waitForSelector(`.graph-view[data-nodes="${UNITS}"]`);
    await twoFrames(page);
    const coloured = async (): Promise<number> => {
      const picture = await (await found(page, ".graph-view")).screenshot({ encoding: "base64" });
      // Pixels that are not grey.
      return (await page.evaluate(`(async () => {
        const bytes = Uint8Array.from(atob("${picture}"), (letter) => letter.charCodeAt(0));
        const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
        const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
        context.drawImage(bitmap, 0, 0);
        const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
        let count = 0;
        for (let at = 0; at < data.length; at += 4) if (Math.max(data[at], data[at + 1], data[at + 2]) - Math.min(data[at], data[at + 1], data[at + 2]) > 60) count++;
        return count;
      })()`)) as number;
    };
    const all = await coloured();
    expect(all).toBeGreaterThan(400);
    await page.evaluate(`location.hash = "#/cluster/0"`);
    await twoFrames(page);
    const selected = await coloured();
    expect(selected).toBeGreaterThan(100);
    expect(selected).toBeLessThan(all);
    await page.click("#map-tab-layers");
    expect(await page.evaluate(`document.querySelectorAll("canvas").length`)).toBe(0);
    await close();
  });

  it("says what to do where there is no WebGL", async () => {
    const { page, close } = await openReport(DATA);
    await page.evaluate("HTMLCanvasElement.prototype.getContext = () => null");
    await page.click("#map-tab-graph");
    await page.waitForSelector(".graph-host .empty");
    expect(await text(page, ".graph-host")).toContain("has no WebGL");
    await close();
  });
});
