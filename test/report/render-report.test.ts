import { describe, expect, it } from "vitest";
import { renderReport } from "../../src/report/render-report.ts";
import { HOSTILE, reportData } from "../support/report-data.ts";

describe("the page of a report", () => {
  it("holds its data so that nothing in it is markup, and comes back whole", async () => {
    const data = reportData();
    const page = await renderReport(data);
    const [, json = ""] =
      /<script type="application\/json" id="report-data">(.*?)<\/script>/s.exec(page) ?? [];
    expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(data)));
    expect(page).not.toContain(HOSTILE);
    expect(page).not.toContain("<img src=x");
    // Its data and its code, each ended once.
    expect(page.match(/<\/script/g)).toHaveLength(2);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/<(?:link|script)[^>]*(?:href|src)=/);
  });

  it("writes what is no number as null", async () => {
    const data = reportData();
    const quality = { ...data.partition.quality, ncut: Number.NaN, modularity: Number.POSITIVE_INFINITY };
    const page = await renderReport({ ...data, partition: { ...data.partition, quality } });
    expect(page).toContain('"ncut":null,"modularity":null');
  });

  it("is the same for the same document", async () => {
    expect(await renderReport(reportData())).toBe(await renderReport(reportData()));
  });
});
