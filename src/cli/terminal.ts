import { styleText } from "node:util";
import type { BrodmannError } from "../errors.ts";
import type { Progress } from "../progress.ts";
import type { Flags } from "./flags.ts";

/** Progress appears for phases that take longer than this. */
const PATIENCE_MS = 2000;
/** Where lines cannot be overwritten (a log file), they come this far apart. */
const LOG_INTERVAL_MS = 10_000;

/** Messages and progress on stderr; stdout is left to the results. */
export class Terminal {
  readonly #isQuiet: boolean;
  readonly #hasProgress: boolean;
  readonly #isLive = process.stderr.isTTY === true;
  #phase = "";
  #phaseStartMs = 0;
  #lastMs = 0;
  #hasLine = false;

  constructor(flags: Pick<Flags, "quiet" | "no-progress">) {
    this.#isQuiet = flags.quiet === true;
    this.#hasProgress = !this.#isQuiet && flags["no-progress"] !== true;
  }

  /** A line for people. */
  say(message: string): void {
    if (this.#isQuiet) return;
    this.endProgress();
    process.stderr.write(`${message}\n`);
  }

  /** Shows how far a phase is, with its total and the time left. */
  readonly progress = ({ phase, done, total, etaMs }: Progress): void => {
    if (!this.#hasProgress) return;
    const now = performance.now();
    if (phase !== this.#phase) {
      this.endProgress();
      this.#phase = phase;
      this.#phaseStartMs = now;
      this.#lastMs = now;
      return;
    }
    const interval = this.#isLive ? 200 : LOG_INTERVAL_MS;
    const isDue =
      now - this.#phaseStartMs > PATIENCE_MS && now - this.#lastMs > Math.min(interval, PATIENCE_MS * 5);
    if (!isDue) return;
    this.#lastMs = now;
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
    this.#phase = "";
  }
}

/** An error as people read it: what is wrong, then what to do. */
export function formatError(error: BrodmannError): string {
  const label = paint("red", "error");
  return error.hint === "" ? `${label} ${error.message}` : `${label} ${error.message}\n${error.hint}`;
}

function paint(colour: "red", text: string): string {
  const isColoured = process.stderr.isTTY === true && !process.env.NO_COLOR;
  return isColoured || (process.env.FORCE_COLOR && !process.env.NO_COLOR)
    ? styleText(colour, text, { validateStream: false })
    : text;
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
    Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)),
  );
  const isNumeric = header.map((_, column) =>
    rows.every((row) => /^[-+<]?[\d.,%e+-]*$|^-$/.test(row[column] ?? "")),
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
