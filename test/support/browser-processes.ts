import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";

/** A process of a browser, by its command line. */
export interface BrowserProcess {
  readonly id: number;
  readonly command: string;
}

/** Running browsers of the process `owner`, and profiles that it has left. */
export function browsersOf(owner: number): { processes: BrowserProcess[]; profiles: string[] } {
  const profile = `brodmann-chrome-${owner}-`;
  const processes = readdirSync("/proc").flatMap((name) => {
    const command = /^\d+$/.test(name) ? commandOf(name) : "";
    return command.includes(profile) ? [{ id: Number(name), command }] : [];
  });
  return { processes, profiles: readdirSync(tmpdir()).filter((name) => name.startsWith(profile)) };
}

/** What a process was started with; nothing for one that has just ended, or that waits for its parent to take note. */
function commandOf(id: string): string {
  try {
    return readFileSync(`/proc/${id}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
