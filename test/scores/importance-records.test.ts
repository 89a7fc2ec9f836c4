import { describe, expect, it } from "vitest";
import { decodeLine, encodeLine } from "../../src/journal/journal-lines.ts";
import { loadNetworkBytes } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import type { Partition } from "../../src/partition/partition.ts";
import type { Records } from "../../src/records.ts";
import { type ImportanceOptions, scoreImportance } from "../../src/scores/importance.ts";
import { mergeImportance, scoreImportanceShard } from "../../src/scores/importance-shards.ts";
import { formatScores } from "../../src/scores/scores-file.ts";
import { rng } from "../../src/statistics/rng.ts";
import { catchError } from "../support/catch-error.ts";
import { plantedMlp } from "../support/planted.ts";

/** The planted network with a partition of four clusters, and a count of the batches that are read. */
async function prepare() {
  const planted = plantedMlp(2);
  const network = await loadNetworkBytes(planted.model, "planted");
  const [count, size] = planted.inputShape;
  const reads = { count: 0 };
  const data: LabelledInputs = {
    count,
    labels: planted.labels,
    batch(start, rows) {
      reads.count++;
      return planted.inputs.slice(start * size, (start + rows) * size);
    },
  };
  const partition: Partition = {
    layers: planted.layers.slice(0, 2).map(({ name, blocks }) => ({
      name,
      labels: blocks.map((block, unit) => 2 * block + (unit % 2)),
    })),
    clusters: 4,
    method: { name: "external" },
    quality: null,
  };
  return { network, data, partition, reads };
}

type Entry = readonly [key: string, value: unknown];

/** Takes records as a file would give them back. */
function recorder() {
  const entries: Entry[] = [];
  const onRecord = (key: string, value: unknown) => {
    entries.push(decodeLine(encodeLine([key, value])) as Entry);
  };
  return { entries, onRecord };
}

function byKey(entries: readonly Entry[]): Records {
  const records = new Map<string, unknown[]>();
  for (const [key, value] of entries) records.set(key, [...(records.get(key) ?? []), value]);
  return records;
}

const SETTINGS: Record<string, ImportanceOptions> = {
  strict: {},
  paper: { protocol: "paper" },
  sequential: { isSequential: true },
  "compared kinds": { compare: ["mean", "resample"], protocol: "paper" },
  "resampled lesions": { lesion: "resample", protocol: "paper" },
  "matched activations": { match: "activation" },
};

describe.each(Object.entries(SETTINGS))("importance with records: %s", (_, options) => {
  it("goes on from any of them to the same bytes; complete, they leave nothing to run", async () => {
    const { network, data, partition, reads } = await prepare();
    const plain = formatScores(await scoreImportance(network, data, partition, options));
    const all = recorder();
    const scores = await scoreImportance(network, data, partition, { ...options, onRecord: all.onRecord });
    expect(formatScores(scores)).toBe(plain);
    const random = rng(3, "cuts");
    const cuts = Array.from({ length: 2 }, () => random.integer(all.entries.length));
    for (const kept of cuts) {
      const before = all.entries.slice(0, kept);
      const after = recorder();
      const resumed = { ...options, earlier: byKey(before), onRecord: after.onRecord };
      expect(formatScores(await scoreImportance(network, data, partition, resumed))).toBe(plain);
      const merged = await mergeImportance([byKey([...before, ...after.entries])]);
      expect(formatScores(merged)).toBe(plain);
    }
    reads.count = 0;
    const again = recorder();
    const complete = { ...options, earlier: byKey(all.entries), onRecord: again.onRecord };
    expect(formatScores(await scoreImportance(network, data, partition, complete))).toBe(plain);
    expect({ reads: reads.count, records: again.entries }).toEqual({ reads: 0, records: [] });
  });

  it.skipIf(options.isSequential)("is the same from shards, in any order", async () => {
    const { network, data, partition } = await prepare();
    const plain = formatScores(await scoreImportance(network, data, partition, options));
    const shards: Records[] = [];
    for (const number of [1, 2, 3]) {
      const { entries, onRecord } = recorder();
      const shard = { number, of: 3 };
      await scoreImportanceShard(network, data, partition, shard, { ...options, onRecord });
      // Interrupted at its half, a shard goes on as well.
      const half = entries.slice(0, Math.floor(entries.length / 2));
      const rest = recorder();
      const resumed = { ...options, earlier: byKey(half), onRecord: rest.onRecord };
      await scoreImportanceShard(network, data, partition, shard, resumed);
      shards.push(byKey([...half, ...rest.entries]));
    }
    const [one, two, three] = shards as [Records, Records, Records];
    for (const order of [
      [one, two, three],
      [three, one, two],
      [two, three, one],
    ]) {
      expect(formatScores(await mergeImportance(order))).toBe(plain);
    }
    for (const some of [[one, two], [two, three], [one]]) {
      const error = await catchError(() => mergeImportance(some));
      expect(error.code).toBe("E_INPUT_JOURNAL");
      expect(error.message).toMatch(/^journal: found no complete importance\/\S+, expected one$/);
    }
  });
});

describe("shards", () => {
  it("are refused where they do not exist or cannot be", async () => {
    const { network, data, partition } = await prepare();
    for (const [number, of] of [
      [0, 3],
      [4, 3],
      [1, 0],
      [1.5, 2],
    ] as const) {
      const run = () => scoreImportanceShard(network, data, partition, { number, of });
      expect((await catchError(run)).message).toContain(`found ${number}/${of}`);
    }
    const run = () =>
      scoreImportanceShard(network, data, partition, { number: 1, of: 2 }, { isSequential: true });
    expect((await catchError(run)).code).toBe("E_USAGE_SHARD");
  });
});
