/** The whole page, in a real browser, from disk. */
import { describe, expect, it } from "vitest";
import { HOSTILE, reportData } from "../support/report-data.ts";
import { openReport } from "../support/report-page.ts";

describe("a report", () => {
  it("opens from disk without an error or a request, and shows hostile names as text", async () => {
    const { page, close } = await openReport(reportData());
    expect(await page.title()).toBe(`${HOSTILE}.onnx – Brodmann`);
    expect(await page.$eval("body", (body) => body.textContent)).toContain(HOSTILE);
    expect(await page.$$("img[src=x]")).toHaveLength(0);
    await close();
  });
});
