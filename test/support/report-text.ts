/** The text of a report. */

/** A report without what is in it of run.json: times and the command line, which differ from run to run. */
export function withoutRun(html: string): string {
  const [, json = "null"] = /<script type="application\/json"[^>]*>(.*?)<\/script>/s.exec(html) ?? [];
  const data: unknown = JSON.parse(json);
  return html.replace(json, () => JSON.stringify({ ...(data as object), run: null }));
}
