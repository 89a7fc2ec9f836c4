/** A report without what differs between runs of the same command: run.json's content, and its size among the files. */
export function withoutRun(report: string): string {
  return report.replace(/(?<=id="report-data">).*?(?=<\/script>)/s, (text) => {
    const { run: _, files, ...data } = JSON.parse(text) as Record<string, unknown>;
    const others = (files as { readonly name: string }[]).filter(({ name }) => name !== "run.json");
    return JSON.stringify({ ...data, files: others });
  });
}
