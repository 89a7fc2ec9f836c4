/**
 * What a pass over the inputs with many lesions leaves behind as it goes. A visit is one run of a lesion on one batch of
 * inputs (and with one draw of donors); lesions are visited in turn, batch by batch, so the records of a pass hold
 * sums over the visits so far. They may be written at any time: which lesions run together does not depend on them,
 * and sums that go on from a record are those of a pass that was never interrupted, to the last bit.
 */
import { BrodmannError } from "../errors.ts";
import { type Outcome, outcomesOf, type Sums } from "./outcomes.ts";

/** The first record of a pass: what it consists of. */
export interface PassShape {
  readonly lesions: number;
  /** Visits of every lesion. */
  readonly visits: number;
  /** How often every input is run, and the terms of a lesion's loss in all: its sum is divided by these. */
  readonly runs: number;
  readonly terms: number;
  readonly classes: number;
}

/** Further visits of some lesions: from the number of visits before to that after. */
export interface PassRecord {
  readonly first: number;
  readonly from: number;
  readonly to: number;
  /** For each lesion from `first` on the sum of its losses in all visits so far. */
  readonly loss: readonly number[];
  /** For each the right answers of each class in these visits; a negative number leaves out as many classes. */
  readonly correct: readonly (readonly number[])[];
}

/** Where a pass leaves its records and finds those of an earlier run: its shape, then what was visited. */
export interface PassLog {
  /** Names the pass in errors. */
  readonly key: string;
  readonly earlier: readonly unknown[];
  readonly onRecord: (record: PassShape | PassRecord) => void;
}

/** Keeps the records of a pass while its sums grow. */
export interface PassKeeper {
  /** Whether a visit is in the sums already. */
  hasVisit(lesion: number, visit: number): boolean;
  /** Adds a lesion's next visit to the sums by `count`. */
  visit(lesion: number, count: () => void): void;
  /** Writes what is not written yet if that is due. */
  tick(): void;
  /** Writes what is not written yet. */
  flush(): void;
}

/**
 * Records come this often. Where a batch takes in many lesions, each would be written anew with every batch: then they
 * come a millisecond apart for every lesion, 5 s at the most, so that a journal grows by some 50 kB a second.
 */
const INTERVAL_MS = 200;
const LONGEST_INTERVAL_MS = 5000;

/** Begins a pass: `sums`, still zero, take in what was recorded. Throws `E_INPUT_JOURNAL` for records of another pass. */
export function keepPass(sums: Sums, shape: PassShape, log: PassLog): PassKeeper {
  const visits = addRecords(sums, shape, log);
  if (log.earlier.length === 0) log.onRecord(shape);
  const { classes } = shape;
  const correctOf = (lesion: number) => sums.correct.subarray(lesion * classes, (lesion + 1) * classes);
  /** Lesions with visits that are not written yet, as they were before. */
  const before = new Map<number, { readonly visits: number; readonly correct: Int32Array | null }>();
  let writtenMs = performance.now();

  function flush(): void {
    const lesions = [...before.keys()].sort((a, b) => a - b);
    const rangeOf = (lesion: number) => `${before.get(lesion)?.visits} ${visits[lesion]}`;
    for (let start = 0, end = 0; start < lesions.length; start = end) {
      const first = lesions[start] as number;
      while (lesions[end] === first + end - start && rangeOf(lesions[end] as number) === rangeOf(first))
        end++;
      const range = lesions.slice(start, end);
      log.onRecord({
        first,
        from: before.get(first)?.visits ?? 0,
        to: visits[first] as number,
        loss: range.map((lesion) => sums.loss[lesion] as number),
        correct: range.map((lesion) => shortCounts(correctOf(lesion), before.get(lesion)?.correct ?? null)),
      });
    }
    before.clear();
    writtenMs = performance.now();
  }

  return {
    hasVisit: (lesion, visit) => (visits[lesion] as number) > visit,
    visit(lesion, count) {
      const done = visits[lesion] as number;
      if (!before.has(lesion)) {
        before.set(lesion, { visits: done, correct: done === 0 ? null : correctOf(lesion).slice() });
      }
      count();
      visits[lesion] = done + 1;
    },
    tick() {
      const interval = Math.min(LONGEST_INTERVAL_MS, Math.max(INTERVAL_MS, before.size));
      if (performance.now() - writtenMs >= interval) flush();
    },
    flush,
  };
}

/** The outcomes of a pass whose records are complete; null where visits are missing, or all of it. */
export function recordedOutcomes(key: string, entries: readonly unknown[]): Outcome[] | null {
  const shape = entries.find(isShape);
  if (shape === undefined) return null;
  const { lesions, visits, runs, terms, classes } = shape;
  const sums = { classes, correct: new Int32Array(lesions * classes), loss: new Float64Array(lesions) };
  const visited = addRecords(sums, shape, { key, earlier: entries });
  return visited.every((count) => count === visits) ? outcomesOf(sums, terms, runs) : null;
}

/** Adds records to sums; returns the visits of each lesion that these then hold. */
function addRecords(sums: Sums, shape: PassShape, { key, earlier }: Omit<PassLog, "onRecord">): Int32Array {
  const visits = new Int32Array(shape.lesions);
  for (const entry of earlier) {
    if (isShape(entry)) {
      const names = ["lesions", "visits", "runs", "terms", "classes"] as const;
      const other = names.find((name) => entry[name] !== shape[name]);
      if (other === undefined) continue;
      throw damaged(key, `a pass of ${other} ${entry[other]}`, `${other} ${shape[other]}`);
    }
    if (!isRecord(entry)) throw damaged(key, "a record of another kind", "lesions with their sums");
    if (entry.first + entry.loss.length > shape.lesions) {
      throw damaged(key, `lesion ${entry.first + entry.loss.length}`, `${shape.lesions} lesions`);
    }
    entry.loss.forEach((loss, i) => {
      const lesion = entry.first + i;
      // Two runs of one journal at a time record the same visits twice.
      if (visits[lesion] !== entry.from) return;
      visits[lesion] = entry.to;
      sums.loss[lesion] = loss;
      let at = lesion * shape.classes;
      for (const count of entry.correct[i] ?? []) {
        if (count < 0) at -= count;
        else {
          sums.correct[at] = (sums.correct[at] as number) + count;
          at++;
        }
      }
    });
  }
  return visits;
}

/** Counts less those before, every stretch of zeros as one negative number. */
function shortCounts(counts: Int32Array, before: Int32Array | null): number[] {
  const short: number[] = [];
  let zeros = 0;
  counts.forEach((count, c) => {
    const added = count - (before === null ? 0 : (before[c] as number));
    if (added === 0) zeros++;
    else {
      if (zeros > 0) short.push(-zeros);
      zeros = 0;
      short.push(added);
    }
  });
  return short;
}

function isShape(entry: unknown): entry is PassShape {
  return typeof entry === "object" && entry !== null && "lesions" in entry;
}

function isRecord(entry: unknown): entry is PassRecord {
  if (typeof entry !== "object" || entry === null) return false;
  const { first, from, to, loss, correct } = entry as Partial<Record<keyof PassRecord, unknown>>;
  const areCounts = [first, from, to].every((value) => Number.isSafeInteger(value) && (value as number) >= 0);
  return (
    areCounts &&
    Array.isArray(loss) &&
    Array.isArray(correct) &&
    correct.every((counts) => Array.isArray(counts))
  );
}

function damaged(key: string, found: string, expected: string): BrodmannError {
  return new BrodmannError("E_INPUT_JOURNAL", `${key}: found ${found}, expected ${expected}`, {
    hint: "Something else than this program has written to the journal: run without --resume to start afresh.",
  });
}
