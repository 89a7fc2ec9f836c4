import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Compute } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import { finishLists, makeTopLists, offer } from "../../src/compute/cpu/top-k.ts";
import { rng } from "../../src/statistics/rng.ts";
import { catchError } from "../support/catch-error.ts";
import { bruteForceTop, tiedRows } from "../support/top-lists.ts";

let compute: Compute;
beforeAll(async () => {
  compute = await createCpuCompute();
});
afterAll(() => compute.dispose());

describe("topCorrelations", () => {
  test.each([
    [0, 3],
    [1, 3],
    [2, 3],
    [63, 1],
    [65, 32],
    [128, 200],
    [300, 7],
    [300, 256],
  ])("%i units, k = %i: the head of each sorted row, with many ties", async (units, k) => {
    const samples = 12;
    const rows = tiedRows(units, samples);
    const whole = await compute.correlations(rows.slice(), units, samples, "spearman");
    const top = await compute.topCorrelations(rows.slice(), units, samples, "spearman", k);
    expect(top).toEqual(bruteForceTop(whole, k));
    if (units > 2) expect(top.isDead.some((dead) => dead === 1)).toBe(true);
  });

  test("an aborted signal stops the work", async () => {
    const run = compute.topCorrelations(tiedRows(9, 12), 9, 12, "pearson", 2, {
      signal: AbortSignal.abort(),
    });
    expect((await catchError(() => run)).code).toBe("E_INTERRUPTED");
  });
});

test("lists keep the largest of any sequence, of equal values the first columns", () => {
  const random = rng(4, "lists");
  for (const k of [1, 2, 3, 8, 33]) {
    const offered = Array.from({ length: 200 }, (_, column) => ({
      value: Math.fround((1 + random.integer(9)) / 9),
      column,
    }));
    const lists = makeTopLists(2, k);
    for (const { value, column } of offered) {
      if (value > (lists.threshold[1] as number)) offer(lists, 1, value, column);
    }
    finishLists(lists);
    const expected = [...offered].sort((a, b) => b.value - a.value || a.column - b.column).slice(0, k);
    expect([...lists.values.subarray(k)]).toEqual(expected.map(({ value }) => value));
    expect([...lists.columns.subarray(k)]).toEqual(expected.map(({ column }) => column));
    expect([...lists.columns.subarray(0, k)]).toEqual(new Array(k).fill(-1));
  }
});
