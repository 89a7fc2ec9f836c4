import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { headerDifference, openJournal, readJournal } from "../../src/journal/journal-file.ts";
import { decodeLine, encodeLine } from "../../src/journal/journal-lines.ts";
import { rng } from "../../src/statistics/rng.ts";
import { catchError } from "../support/catch-error.ts";
import { temporaryFolder } from "../support/cli.ts";

const HEADER = { model: "a1", data: "b2", partition: "c3", seed: 0, shuffles: 199, compare: ["mean"] };
const RESUMED = { isResumed: true };

/** A journal of three records, the last of which holds letters of several bytes. */
async function threeRecords(): Promise<string> {
  const path = join(temporaryFolder(), "scores.jsonl");
  const journal = await openJournal(path, HEADER);
  journal.onRecord("first", { values: [0.1, Number.NaN] });
  journal.onRecord("layer/é", [1, 2, 3]);
  journal.onRecord("layer/é", { cluster: "größte ✓", loss: 0.30000000000000004 });
  journal.close();
  return path;
}

describe("a journal", () => {
  it("gives back what was recorded, by key and in order", async () => {
    const { header, records, count } = await readJournal(await threeRecords());
    expect(header).toEqual({ schema: "brodmann/journal/1", ...HEADER });
    expect(count).toBe(3);
    expect([...records]).toEqual([
      ["first", [{ values: [0.1, Number.NaN] }]],
      ["layer/é", [[1, 2, 3], { cluster: "größte ✓", loss: 0.30000000000000004 }]],
    ]);
  });

  it("keeps every bit of a number", () => {
    const random = rng(1, "bits");
    const bits = new DataView(new ArrayBuffer(8));
    const values = Array.from({ length: 2000 }, () => {
      bits.setUint32(0, random.integer(2 ** 32));
      bits.setUint32(4, random.integer(2 ** 32));
      return bits.getFloat64(0);
    });
    const all = [...values, 0, -0, 5e-324, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const found = decodeLine(encodeLine({ all })) as { all: number[] };
    found.all.forEach((value, i) => {
      expect(Object.is(value, all[i])).toBe(true);
    });
  });

  it("forgives a last line that was cut anywhere, and writes on behind the line before", async () => {
    const path = await threeRecords();
    const whole = readFileSync(path);
    const lineStart = whole.subarray(0, -1).lastIndexOf(10) + 1;
    for (let cut = lineStart; cut < whole.length; cut++) {
      writeFileSync(path, whole.subarray(0, cut));
      const journal = await openJournal(path, HEADER, RESUMED);
      expect(journal.earlier.get("layer/é")).toEqual([[1, 2, 3]]);
      expect(journal.found).toEqual({ continued: 2 });
      journal.onRecord("layer/é", { cluster: "größte ✓", loss: 0.30000000000000004 });
      journal.close();
      expect(readFileSync(path).equals(whole)).toBe(true);
    }
  });

  it("starts from the beginning where its first line was cut anywhere", async () => {
    const path = await threeRecords();
    const whole = readFileSync(path);
    const header = whole.subarray(0, whole.indexOf(10) + 1);
    for (let cut = 0; cut < header.length; cut++) {
      writeFileSync(path, whole.subarray(0, cut));
      const journal = await openJournal(path, HEADER, RESUMED);
      journal.close();
      expect({ found: journal.found, records: journal.earlier.size }).toEqual({ found: null, records: 0 });
      expect(readFileSync(path).equals(header)).toBe(true);
    }
  });

  it("is made where there is none to continue, and replaced where it is not to be continued", async () => {
    const path = join(temporaryFolder(), "scores.jsonl");
    const first = await openJournal(path, HEADER, RESUMED);
    first.onRecord("a", 1);
    first.close();
    const next = await openJournal(path, { ...HEADER, seed: 1 });
    expect({ found: next.found, records: next.earlier.size }).toEqual({ found: "replaced", records: 0 });
    await next.remove();
    expect(existsSync(path)).toBe(false);
  });

  it.each(["model", "data", "partition", "seed", "shuffles", "compare"] as const)(
    "of another %s is refused, and stays as it is",
    async (key) => {
      const path = await threeRecords();
      const before = readFileSync(path);
      const error = await catchError(() => openJournal(path, { ...HEADER, [key]: "other" }, RESUMED));
      const isInput = ["model", "data", "partition"].includes(key);
      expect(error.code).toBe(isInput ? "E_INPUT_JOURNAL" : "E_USAGE_RESUME");
      expect(error.message).toBe(
        `${path}: found the journal of another run (${key}: ${JSON.stringify(HEADER[key])}), expected that of this command (${key}: "other")`,
      );
      expect(error.hint).toContain("leave out --resume");
      expect(readFileSync(path).equals(before)).toBe(true);
    },
  );

  it("says which keys one header has and the other has not", () => {
    expect(headerDifference({ a: 1 }, { a: 1, b: 2 })).toEqual({ key: "b", found: "nothing", expected: "2" });
    expect(headerDifference({ a: 1, b: 2 }, { a: 1 })).toEqual({ key: "b", found: "2", expected: "nothing" });
    expect(headerDifference({ a: 1, b: 2 }, { a: 1, b: 3 }, ["b"])).toBeNull();
  });

  it.each([
    ["no JSON", '{"key":"x","value":[1,2'],
    ["no record", '{"name":"x"}'],
    ["an empty line", ""],
    ["a key that is no text", '{"key":1,"value":2}'],
  ])("with %s in its middle is refused with the line's number", async (_, line) => {
    const path = await threeRecords();
    const lines = readFileSync(path, "utf8").split("\n");
    lines.splice(2, 0, line);
    writeFileSync(path, lines.join("\n"));
    const error = await catchError(() => openJournal(path, HEADER, RESUMED));
    expect(error.code).toBe("E_INPUT_JOURNAL");
    expect(error.message).toContain(`${path}, line 3: found ${line}`);
  });

  it.each(["[1, 2]\n", "text without an end", '{"schema":"brodmann/scores/1"}\n', "\n"])(
    "never replaces a file that is none: %j",
    async (text) => {
      const path = join(temporaryFolder(), "scores.jsonl");
      writeFileSync(path, text);
      for (const isResumed of [true, false]) {
        const error = await catchError(() => openJournal(path, HEADER, { isResumed }));
        expect(error.code).toBe("E_OUTPUT_FILE");
        expect(readFileSync(path, "utf8")).toBe(text);
      }
      expect((await catchError(() => readJournal(path))).code).toBe("E_INPUT_JOURNAL");
    },
  );

  it("that is not there cannot be read", async () => {
    expect((await catchError(() => readJournal(join(temporaryFolder(), "none")))).code).toBe(
      "E_INPUT_NOT_FOUND",
    );
  });

  it("is read whole where lines are longer than what is read at once", async () => {
    const path = join(temporaryFolder(), "long.jsonl");
    const journal = await openJournal(path, HEADER);
    const value = Array.from({ length: 400_000 }, (_, i) => i);
    for (const key of ["a", "b"]) journal.onRecord(key, value);
    journal.close();
    const { records } = await readJournal(path);
    expect([records.get("a"), records.get("b")]).toEqual([[value], [value]]);
  });
});
