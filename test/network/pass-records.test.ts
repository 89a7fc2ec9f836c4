import { afterEach, describe, expect, it, vi } from "vitest";
import { decodeLine, encodeLine } from "../../src/journal/journal-lines.ts";
import { type LayerLesions, openLesions, type Shard } from "../../src/network/lesions.ts";
import { layerNamed, loadNetworkBytes } from "../../src/network/network.ts";
import type { Outcome } from "../../src/network/outcomes.ts";
import { recordedOutcomes } from "../../src/network/pass-records.ts";
import type { LesionKind } from "../../src/network/replacement.ts";
import { rng } from "../../src/statistics/rng.ts";
import { catchError } from "../support/catch-error.ts";
import { randomData, sketch } from "../support/models.ts";

const CLASSES = 30;

/** A dense network: one lesion a run, or all where its batch is fixed. */
function dense(batch: string | number): Uint8Array {
  const model = sketch([6], { seed: 3, batch });
  const a = model.node("Relu", [model.dense("x", "a", 6, 12)]);
  return model.encode(model.dense(a, "logits", 12, CLASSES));
}

/** Convolutions: one batch, many lesions a run. */
function convolutional(): Uint8Array {
  const model = sketch([2, 4, 4], { seed: 4 });
  const a = model.node("Relu", [model.conv("x", { name: "a", inputs: 2, units: 12 })]);
  const b = model.node("Relu", [model.conv(a, { name: "b", inputs: 12, units: 5 })]);
  const flat = model.node("Flatten", [b]);
  return model.encode(model.dense(flat, "logits", 80, CLASSES));
}

const CASES = {
  dense: { model: dense("n"), shape: [6], count: 8192 + 900, sets: 20 },
  padded: { model: dense(8), shape: [6], count: 45, sets: 20 },
  convolutional: { model: convolutional(), shape: [2, 4, 4], count: 60, sets: 170 },
};

interface Case {
  readonly name: keyof typeof CASES;
  readonly kind: LesionKind;
}
const ALL: readonly Case[] = [
  { name: "dense", kind: "zero" },
  { name: "padded", kind: "zero" },
  { name: "padded", kind: "resample" },
  { name: "convolutional", kind: "mean" },
];

/** Random lesions of a network, and a count of the batches that were read for them. */
async function prepare({ name, kind }: Case) {
  const { model, shape, count, sets } = CASES[name];
  const network = await loadNetworkBytes(model, name);
  const layer = layerNamed(network, "a");
  const random = rng(1, "sets");
  const lesions = Array.from({ length: sets }, () =>
    Int32Array.from({ length: layer.units }, (_, unit) => unit).filter(() => random.uniform() < 0.4),
  );
  const drawn = randomData(count, shape, CLASSES, 2);
  const reads = { count: 0 };
  const data = {
    ...drawn,
    batch: (start: number, rows: number) => {
      reads.count++;
      return drawn.batch(start, rows);
    },
  };
  const opened = await openLesions(network, layer, data, { lesion: kind, seed: 5 });
  reads.count = 0;
  return { opened, lesions, reads };
}

interface RunSettings {
  readonly earlier?: readonly unknown[];
  readonly shard?: Shard;
  /** Interrupts the pass at its so-manieth report of progress. */
  readonly until?: number;
}

/** A pass with its new records, as a file would give them back. */
async function record(
  opened: LayerLesions,
  lesions: readonly Int32Array[],
  { earlier = [], shard, until = Number.POSITIVE_INFINITY }: RunSettings = {},
) {
  const records: unknown[] = [];
  const abort = new AbortController();
  let reports = 0;
  const log = {
    key: "test",
    earlier,
    onRecord: (entry: unknown) => records.push(decodeLine(encodeLine(entry))),
  };
  const onProgress = () => {
    if (++reports >= until) abort.abort();
  };
  const outcomes = await opened
    .run(lesions, { log, shard, signal: abort.signal, onProgress })
    .catch((error: { code: string }) => {
      if (error.code === "E_INTERRUPTED") return null;
      throw error;
    });
  return { records, outcomes, reports };
}

afterEach(() => void vi.restoreAllMocks());

/** A clock that runs so fast that records are due after every few lesions. */
function hurry(): void {
  let now = 0;
  vi.spyOn(performance, "now").mockImplementation(() => {
    now += 90;
    return now;
  });
}

const same = (found: readonly Outcome[] | null, expected: readonly Outcome[]) =>
  expect(found?.map(({ correct, loss, runs }) => [[...correct], loss, runs])).toEqual(
    expected.map(({ correct, loss, runs }) => [[...correct], loss, runs]),
  );

describe.each(ALL)("a pass of $kind lesions of a $name network", ({ name, kind }) => {
  it("goes on from any of its records to the same bits, and runs nothing that is done", async () => {
    const { opened, lesions, reads } = await prepare({ name, kind });
    const plain = await opened.run(lesions);
    hurry();
    const { records, outcomes } = await record(opened, lesions);
    same(outcomes, plain);
    expect(records.length).toBeGreaterThan(name === "dense" ? 10 : 2);
    same(recordedOutcomes("test", records), plain);
    const step = Math.ceil(records.length / 12);
    for (let kept = 0; kept < records.length; kept += step) {
      const earlier = records.slice(0, kept);
      expect(recordedOutcomes("test", earlier)).toBeNull();
      const resumed = await record(opened, lesions, { earlier });
      same(resumed.outcomes, plain);
      same(recordedOutcomes("test", [...earlier, ...resumed.records]), plain);
    }
    reads.count = 0;
    const again = await record(opened, lesions, { earlier: records });
    same(again.outcomes, plain);
    expect({ reads: reads.count, records: again.records }).toEqual({ reads: 0, records: [] });
    await opened.dispose();
  });

  it("keeps all that was counted before an interruption", async () => {
    const { opened, lesions } = await prepare({ name, kind });
    const plain = await opened.run(lesions);
    const { reports } = await record(opened, lesions);
    const random = rng(7, "interruptions");
    for (let time = 0; time < 6; time++) {
      // Interrupted again and again.
      let earlier: unknown[] = [];
      for (let part = 0; part < 3; part++) {
        const until = 1 + random.integer(reports - 1);
        const { records, outcomes } = await record(opened, lesions, { earlier, until });
        earlier = [...earlier, ...records];
        if (outcomes !== null) same(outcomes, plain);
      }
      same((await record(opened, lesions, { earlier })).outcomes, plain);
    }
    await opened.dispose();
  });

  it.each([1, 2, 5, 300])("is the same in %i shards", async (of) => {
    const { opened, lesions } = await prepare({ name, kind });
    const plain = await opened.run(lesions);
    const parts: unknown[] = [];
    for (let number = of; number >= 1; number--) {
      // Shards without a lesion of their own change nothing.
      if (of > 5 && number % 60 !== 1) continue;
      const { records } = await record(opened, lesions, { shard: { number, of } });
      if (number > 1 && of <= 5) expect(recordedOutcomes("test", records)).toBeNull();
      parts.push(...records);
    }
    if (of <= 5) same(recordedOutcomes("test", parts), plain);
    else same((await record(opened, lesions, { earlier: parts })).outcomes, plain);
    await opened.dispose();
  });
});

describe("records of a pass", () => {
  it("may come twice, from two runs of one journal at a time", async () => {
    const { opened, lesions } = await prepare({ name: "dense", kind: "zero" });
    const plain = await opened.run(lesions);
    const slow = await record(opened, lesions);
    hurry();
    const fast = await record(opened, lesions);
    const mixed = fast.records.flatMap((entry, i) => [entry, ...slow.records.slice(i, i + 1)]);
    same(recordedOutcomes("test", mixed), plain);
    await opened.dispose();
  });

  it("are refused where they are not this pass's", async () => {
    const { opened, lesions } = await prepare({ name: "dense", kind: "zero" });
    const { records } = await record(opened, lesions);
    const fewer = await catchError(() => record(opened, lesions.slice(1), { earlier: records }));
    expect(fewer.message).toBe("test: found a pass of lesions 20, expected lesions 19");
    for (const entry of [7, null, {}, { first: 0 }, { first: -1, from: 0, to: 1, loss: [], correct: [] }]) {
      const error = await catchError(() => record(opened, lesions, { earlier: [...records, entry] }));
      expect(error.code).toBe("E_INPUT_JOURNAL");
    }
    const beyond = { first: 19, from: 0, to: 1, loss: [1, 2], correct: [[], []] };
    const error = await catchError(() => record(opened, lesions, { earlier: [...records, beyond] }));
    expect(error.message).toBe("test: found lesion 21, expected 20 lesions");
    await opened.dispose();
  });
});
