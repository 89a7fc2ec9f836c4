import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { formatDuration, formatError, formatTable, Terminal } from "../../src/cli/terminal.ts";
import { BrodmannError } from "../../src/errors.ts";

let written: string[] = [];

beforeEach(() => {
  written = [];
  vi.useFakeTimers({ toFake: ["performance"] });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    written.push(String(text));
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

/** Reports of a count, `stepMs` apart; each is a phase and a number of steps done. */
function report(
  terminal: Terminal,
  total: number,
  reports: readonly (readonly [string, number])[],
  stepMs: number,
): void {
  for (const [phase, done] of reports) {
    terminal.progress({ phase, done, total, etaMs: done > 0 ? (total - done) * stepMs : null });
    vi.advanceTimersByTime(stepMs);
  }
}

const countTo = (phase: string, steps: number) =>
  Array.from({ length: steps + 1 }, (_, done) => [phase, done] as const);

describe("progress in a log", () => {
  it("says nothing about what is done within two seconds", () => {
    report(new Terminal({}), 19, countTo("recording", 19), 100);
    expect(written).toEqual([]);
  });

  it("speaks up after two seconds and then every ten", () => {
    report(new Terminal({}), 25, countTo("recording", 25), 1000);
    expect(written).toEqual([
      "recording: 2 of 25 (8%, 23 s left)\n",
      "recording: 12 of 25 (48%, 13 s left)\n",
      "recording: 22 of 25 (88%, 3 s left)\n",
    ]);
  });

  it("counts on where one count runs through several phases", () => {
    const phases = Array.from(
      { length: 31 },
      (_, done) => [`lesions of ${Math.floor(done / 2)}`, done] as const,
    );
    report(new Terminal({}), 30, phases, 500);
    expect(written).toEqual([
      "lesions of 2: 4 of 30 (13%, 13 s left)\n",
      "lesions of 12: 24 of 30 (80%, 3 s left)\n",
    ]);
  });

  it("counts on where phases alternate", () => {
    const terminal = new Terminal({});
    for (let part = 0; part < 6; part++) {
      terminal.progress({ phase: "partition", done: part, total: 6, etaMs: null });
      report(terminal, 3, countTo("k-means", 3), 200);
    }
    // No k-means lasts two seconds, all parts together do.
    expect(written).toEqual(["partition: 3 of 6 (50%)\n"]);
  });

  it("starts the clock again where a count starts again", () => {
    const terminal = new Terminal({});
    for (let run = 0; run < 20; run++) report(terminal, 5, countTo("k-means", 5), 200);
    expect(written).toEqual([]);
  });

  it("waits through a phase that stays at zero", () => {
    const terminal = new Terminal({});
    report(
      terminal,
      100,
      Array.from({ length: 6 }, () => ["eigenvectors", 0] as const),
      500,
    );
    expect(written).toEqual(["eigenvectors: 0 of 100 (0%)\n"]);
  });

  it.each([{ quiet: true }, { "no-progress": true }])("is silent with %o", (flags) => {
    report(new Terminal(flags), 25, countTo("recording", 25), 1000);
    expect(written).toEqual([]);
  });
});

describe("say", () => {
  it("writes a line, but not with --quiet", () => {
    new Terminal({}).say("hello");
    new Terminal({ "no-progress": true }).say("again");
    new Terminal({ quiet: true }).say("nothing");
    expect(written).toEqual(["hello\n", "again\n"]);
  });
});

describe("text", () => {
  it("formatDuration", () => {
    expect([400, 59_400, 95_000, 3_599_000, 7_260_000].map(formatDuration)).toEqual([
      "0 s",
      "59 s",
      "1 min 35 s",
      "59 min 59 s",
      "2 h 1 min",
    ]);
  });

  it("formatTable sets numbers to the right and words to the left", () => {
    const rows = [
      ["a", "1", "0.5 +- 0.1"],
      ["long", "100", "-"],
    ];
    expect(formatTable(["name", "n", "effect"], rows)).toBe(
      ["name    n  effect", "----  ---  ----------", "a       1  0.5 +- 0.1", "long  100  -"].join("\n"),
    );
  });

  it("formatError calls an interruption none", () => {
    const kept = new BrodmannError("E_INTERRUPTED", "interrupted; kept: a", { hint: "Go on." });
    expect(formatError(kept)).toBe("interrupted; kept: a\nGo on.");
    expect(formatError(new BrodmannError("E_INPUT_X", "x: bad"))).toBe("error x: bad");
  });
});
