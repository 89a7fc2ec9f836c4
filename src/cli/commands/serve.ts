import { runSite } from "../../serve/run-site.ts";
import { serveSite } from "../../serve/server.ts";
import { explorerSite } from "../../serve/site.ts";
import type { CommandContext } from "../command-context.ts";
import { printResult } from "../output.ts";

/** `brodmann serve [RUN/]`: until it is interrupted. */
export async function run({ flags, positionals, terminal, signal }: CommandContext): Promise<void> {
  const [folder] = positionals;
  const own = folder === undefined ? [] : await runSite(folder);
  const server = await serveSite(new Map([...(await explorerSite()), ...own]), flags.port);
  try {
    const pages = { explorer: server.url, ...(folder !== undefined && { report: `${server.url}run/` }) };
    if (flags.json) await printResult(JSON.stringify(pages));
    terminal.say(`explorer: ${pages.explorer}`);
    if (pages.report) terminal.say(`report of ${folder}: ${pages.report}`);
    terminal.say("Only this machine can reach it, and nothing is uploaded. Ctrl-C ends it.");
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  } finally {
    await server.close();
  }
}
