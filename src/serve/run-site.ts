/** The folder of an analysis as part of a site: its report, and its files to look at. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readRun } from "../report/read-run.ts";
import { renderReport } from "../report/render-report.ts";
import type { SiteFile } from "./site.ts";

/** Files below `run/`; the report is rendered now, so that it fits the files. Throws `E_INPUT_...` as `readRun`. */
export async function runSite(folder: string): Promise<Map<string, SiteFile>> {
  const report = await renderReport(await readRun(folder));
  const site = new Map<string, SiteFile>();
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isFile()) site.set(`run/${entry.name}`, () => readFile(join(folder, entry.name)));
  }
  return site.set("run/index.html", async () => report);
}
