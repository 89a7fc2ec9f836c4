import { join } from "node:path";
import { expect, it } from "vitest";
import {
  coherence,
  coherenceShard,
  formatScores,
  type ImportanceOptions,
  importance,
  importanceShard,
  loadDataset,
  loadNetwork,
  mergeShards,
  openJournal,
  type Partition,
  readJournal,
} from "../../src/index.ts";
import { catchError } from "../support/catch-error.ts";
import { temporaryFolder, writePlanted } from "../support/cli.ts";

it("scripts keep journals, go on from them, and divide a run", async () => {
  const folder = temporaryFolder();
  const { model, data, planted } = writePlanted(folder);
  const network = await loadNetwork(model);
  const digits = await loadDataset(data);
  const partition: Partition = {
    layers: planted.layers.slice(0, 2).map(({ name, blocks }) => ({ name, labels: blocks })),
    clusters: 2,
    method: { name: "external" },
    quality: null,
  };
  const options: ImportanceOptions = { protocol: "paper" };
  const plain = formatScores(await importance(network, digits, partition, options));

  const whole = await openJournal(join(folder, "whole.jsonl"), { run: 1 });
  const first = await importance(network, digits, partition, { ...options, ...whole });
  whole.close();
  const again = await openJournal(whole.path, { run: 1 }, { isResumed: true });
  const second = await importance(network, digits, partition, { ...options, ...again });
  again.close();
  expect([first, second].map((scores) => formatScores(scores))).toEqual([plain, plain]);
  expect(formatScores((await mergeShards([await readJournal(whole.path)])).importance)).toBe(plain);

  for (const number of [1, 2]) {
    const shard = { number, of: 2 };
    const journal = await openJournal(join(folder, `${number}.jsonl`), { run: 1, shard });
    await importanceShard(network, digits, partition, shard, { ...options, ...journal });
    journal.close();
  }
  const shards = await Promise.all([2, 1].map((number) => readJournal(join(folder, `${number}.jsonl`))));
  expect(formatScores((await mergeShards(shards)).importance)).toBe(plain);
  expect((await catchError(() => mergeShards(shards.slice(1)))).message).toContain("no shard 2/2");

  // Both scores in one journal; a shard is finished when both are.
  const both = formatScores(
    await importance(network, digits, partition, options),
    await coherence(network, digits, partition, options),
  );
  const header = { run: 1, scores: ["importance", "coherence"] };
  for (const number of [1, 2]) {
    const shard = { number, of: 2 };
    const journal = await openJournal(join(folder, `both-${number}.jsonl`), { ...header, shard });
    await importanceShard(network, digits, partition, shard, { ...options, ...journal });
    if (number === 2) {
      const unfinished = await readJournal(journal.path);
      const one = await readJournal(join(folder, "both-1.jsonl"));
      const error = await catchError(() => mergeShards([one, unfinished]));
      expect(error.message).toContain("found shard 2/2 unfinished");
    }
    await coherenceShard(network, digits, partition, shard, { ...options, ...journal });
    journal.close();
  }
  const parts = await Promise.all([2, 1].map((number) => readJournal(join(folder, `both-${number}.jsonl`))));
  const merged = await mergeShards(parts);
  expect(formatScores(merged.importance, merged.coherence)).toBe(both);
});
