import { styleText } from "node:util";
import type { BrodmannError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import type { Flags } from "./flags.ts";

/** Progress appears for counts that take longer than this. */
const PATIENCE_MS = 2000;
/** Where lines cannot be overwritten (a log file), they come at least this far apart; elsewhere the line is renewed. */
const LOG_INTERVAL_MS = 10_000;
const LIVE_INTERVAL_MS = 200;

/** One count of steps: its start, and how far it was when last heard of. */
interface Count {
  readonly startMs: number;
  readonly total: number;
  done: number;
}

/** Messages and progress on stderr; stdout is left to the results. */
export class Terminal {
  readonly #isQuiet: boolean;
  readonly #hasProgress: boolean;
  readonly #isLive = process.stderr.isTTY === true && !process.env.CI;
  readonly #counts = new Map<string, Count>();
  #latest: Count | null = null;
  #lastLineMs = Number.NEGATIVE_INFINITY;
  #hasLine = false;

  constructor(flags: Pick<Flags, "quiet" | "no-progress">) {
    this.#isQuiet = flags.quiet === true;
    this.#hasProgress = !this.#isQuiet && flags["no-progress"] !== true;
  }

  /** A line for people. */
  say(message: string): void {
    if (!this.#isQuiet) this.warn(message);
  }

  /** A line that is told in any case: something asked for is missing. */
  warn(message: string): void {
    this.endProgress();
    process.stderr.write(`${message}\n`);
  }

  /** Shows how far a phase is, with its total and the time left. */
  readonly progress = ({ phase, done, total, etaMs }: Progress): void => {
    if (!this.#hasProgress) return;
    const now = performance.now();
    const count = this.#countOf(phase, done, total, now);
    const interval = this.#isLive ? LIVE_INTERVAL_MS : LOG_INTERVAL_MS;
    if (now - count.startMs < PATIENCE_MS || now - this.#lastLineMs < interval) return;
    this.#lastLineMs = now;
    const percent = total > 0 ? Math.floor((100 * done) / total) : 100;
    const left = etaMs === null ? "" : `, ${formatDuration(etaMs)} left`;
    const line = `${phase}: ${done.toLocaleString("en")} of ${total.toLocaleString("en")} (${percent}%${left})`;
    process.stderr.write(this.#isLive ? `\r\u001b[K${line}` : `${line}\n`);
    this.#hasLine = this.#isLive;
  };

  /** Ends an overwritten line, so that the next output starts on its own. */
  endProgress(): void {
    if (this.#hasLine) process.stderr.write("\r\u001b[K");
    this.#hasLine = false;
  }

  /**
   * The count that a report belongs to. Phases may alternate (one inside another), and one count may run through
   * several phases (a phase for every layer): neither starts the clock again. Only a count that falls back is new.
   */
  #countOf(phase: string, done: number, total: number, now: number): Count {
    const goesOn = (count: Count | null | undefined) =>
      count && count.total === total && done >= count.done ? count : undefined;
    const count = goesOn(this.#counts.get(phase)) ??
      (done > 0 ? goesOn(this.#latest) : undefined) ?? { startMs: now, total, done };
    count.done = done;
    this.#counts.set(phase, count);
    this.#latest = count;
    return count;
  }
}

/** An error as people read it: what is wrong, then what to do. An interruption was asked for, and is none. */
export function formatError(error: BrodmannError): string {
  const isInterruption = error.code === "E_INTERRUPTED";
  const message = isInterruption ? error.message : `${paint("red", "error")} ${error.message}`;
  return error.hint === "" ? message : `${message}\n${error.hint}`;
}

function paint(colour: "red", text: string): string {
  const { NO_COLOR, FORCE_COLOR } = process.env;
  const isForced = FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0";
  const isColoured = !NO_COLOR && (isForced || process.stderr.isTTY === true);
  return isColoured ? styleText(colour, text, { validateStream: false }) : text;
}

/** 95000 -> "1 min 35 s". */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Columns as aligned text; numbers to the right. */
export function formatTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    rows.reduce((width, row) => Math.max(width, (row[column] ?? "").length), title.length),
  );
  const isNumeric = header.map((_, column) =>
    rows.every((row) => /^[-+<]?[\d.,%e+-]*$/.test(row[column] ?? "")),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        isNumeric[column] ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}
