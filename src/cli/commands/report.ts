import { join } from "node:path";
import { readRun } from "../../report/read-run.ts";
import { renderReport } from "../../report/render-report.ts";
import type { CommandContext } from "../command-context.ts";
import { printResult, writeText } from "../output.ts";

/** `brodmann report RUN/ [--out report.html]`. */
export async function run({ flags, positionals, terminal }: CommandContext): Promise<void> {
  const [folder = ""] = positionals;
  const path = flags.out ?? join(folder, "report.html");
  const data = await readRun(folder);
  await writeText(path, await renderReport(data));
  terminal.say(`written: ${path}`);
  if (flags.json) await printResult(JSON.stringify({ report: path }));
}
