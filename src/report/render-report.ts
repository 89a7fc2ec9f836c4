/** `report.html`: one file with script, style and data, which asks no network for anything. */
import { type Bundle, readBundle } from "../bundle.ts";
import type { ReportData } from "./report-data.ts";

/**
 * A report as a page of its own. Names of layers, classes and files stand in its data alone, where they cannot be markup.
 *
 * @example
 * await writeFile("report.html", await renderReport(data));
 */
export async function renderReport(data: ReportData): Promise<string> {
  return reportPage(await readBundle("report"), data);
}

function reportPage({ script, style }: Bundle, data: ReportData): string {
  // No `replace` with these as replacements: they may hold `$&`.
  return [
    '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="${POLICY}">`,
    "<title>Brodmann</title>",
    `<style>${style}</style>`,
    '</head>\n<body>\n<div id="report"><noscript>This report draws its pictures by JavaScript.</noscript></div>',
    `<script type="application/json" id="report-data">${inertJson(data)}</script>`,
    // A bundle may hold the end tag within a string.
    `<script type="module">${script.replaceAll("</script", "<\\/script")}</script>`,
    "</body>\n</html>\n",
  ].join("\n");
}

/** Nothing may be fetched; pictures and saved files are data of the page. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'";

/** JSON in which nothing can end its script element or begin a comment. */
function inertJson(data: ReportData): string {
  return JSON.stringify(data, (_, value: unknown) =>
    typeof value === "number" && !Number.isFinite(value) ? null : value,
  ).replaceAll("<", "\\u003c");
}
