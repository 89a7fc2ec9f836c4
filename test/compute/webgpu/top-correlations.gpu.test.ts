import { afterAll, describe, expect, test } from "vitest";
import { Matmul } from "../../../src/compute/cpu/matmul.ts";
import { topCorrelations as cpuTopCorrelations } from "../../../src/compute/cpu/top-correlations.ts";
import { finishLists, makeTopLists, offer } from "../../../src/compute/cpu/top-k.ts";
import { correlations } from "../../../src/compute/webgpu/correlations.ts";
import type { GpuDevice } from "../../../src/compute/webgpu/gpu-device.ts";
import { topCorrelations } from "../../../src/compute/webgpu/top-correlations.ts";
import {
  clearSteps,
  makeLists,
  readLists,
  releaseLists,
  TOP_K,
  topSteps,
} from "../../../src/compute/webgpu/top-k.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { catchError } from "../../support/catch-error.ts";
import { openAsHardware, SIZES, useGpu } from "../../support/gpu.ts";
import { expectLayout, runOnInterpreter } from "../../support/shader-checks.ts";
import { bruteForceTop, tiedRows } from "../../support/top-lists.ts";

const gpu = useGpu();
const hardware = useGpu({}, openAsHardware);
// Panels of 8 units, and lists in pieces of fewer.
const small = useGpu({ bindingBytes: 1024, groupsPerDimension: 3, workgroupBytes: 1024 });
const matmul = new Matmul();
afterAll(() => matmul.dispose());

/**
 * Exactly the head of each sorted row of the device's own correlations; values as on the CPU, whose order of equal ones
 * may differ, since other sums round otherwise.
 */
async function expectTop(
  device: GpuDevice,
  units: number,
  samples: number,
  k: number,
  residentBytes?: number,
): Promise<void> {
  const rows = tiedRows(units, samples);
  const found = await topCorrelations(device, rows, units, samples, "spearman", k, {}, residentBytes);
  expect(found).toEqual(bruteForceTop(await correlations(device, rows, units, samples, "spearman"), k));
  const expected = await cpuTopCorrelations(matmul, rows.slice(), units, samples, "spearman", k);
  expect(found.isDead).toEqual(expected.isDead);
  for (let at = 0; at < expected.values.length; at++) {
    expect(Math.abs((found.values[at] as number) - (expected.values[at] as number))).toBeLessThan(1e-5);
  }
}

describe("topCorrelations", () => {
  test.each(SIZES.slice(0, 5))("%i units: the largest of each row, with many ties", async (units) => {
    await expectTop(gpu(), units, 12, 5);
  });

  test("1000 units, twice the same bytes", async () => {
    await expectTop(gpu(), 1000, 12, 32);
    const run = () => topCorrelations(gpu(), tiedRows(1000, 12), 1000, 12, "spearman", 32);
    expect(await run()).toEqual(await run());
  });

  test("in large workgroups, several lists in each", async () => {
    await expectTop(hardware(), 300, 12, 16);
    await expectTop(hardware(), 300, 12, 256);
  });

  test.each([45, 64])("%i units in several panels, on the device and in main memory", async (units) => {
    await expectTop(small(), units, 12, 5);
    await expectTop(small(), units, 12, 5, 2000);
  });

  test("the same lists with panels as without", async () => {
    const whole = await topCorrelations(gpu(), tiedRows(61, 12), 61, 12, "pearson", 7);
    expect(await topCorrelations(small(), tiedRows(61, 12), 61, 12, "pearson", 7)).toEqual(whole);
  });

  test("refuses lists that workgroup memory cannot sort", async () => {
    const error = await catchError(() => topCorrelations(small(), tiedRows(99, 12), 99, 12, "pearson", 40));
    expect(error.code).toBe("E_DEVICE_LIMIT");
    expect(error.message).toContain("k = 40, expected at most 32");
    expect(error.hint).toContain("--top-k 32");
  });

  test("an aborted signal stops the work", async () => {
    const controller = new AbortController();
    const onProgress = ({ done }: { readonly done: number }) => {
      if (done > 9) controller.abort();
    };
    const { signal } = controller;
    const run = topCorrelations(small(), tiedRows(64, 12), 64, 12, "pearson", 5, { signal, onProgress });
    expect((await catchError(() => run)).code).toBe("E_INTERRUPTED");
  });
});

describe("lists", () => {
  /** A tile of few different values, a third of them zero. */
  function tileOf(rows: number, columns: number): Float32Array {
    const stream = rng(8, "tile", rows, columns);
    return Float32Array.from({ length: rows * columns }, () => Math.max(0, stream.integer(12) - 4) / 8);
  }

  /** Both feeds of two tiles: rows from one, and columns of the other behind them. */
  test.each([
    [1, 1, 1],
    [3, 70, 16],
    [65, 64, 3],
    [20, 1000, 40],
    [17, 129, 500],
  ])("%i rows of %i values, k = %i: as on the CPU", async (rows, width, k) => {
    const forward = tileOf(rows, width);
    const mirrored = tileOf(width, rows);
    const twin = makeTopLists(rows, k);
    for (let row = 0; row < rows; row++) {
      const put = (value: number, column: number) => {
        if (value > (twin.threshold[row] as number)) offer(twin, row, value, column);
      };
      for (let column = 0; column < width; column++) put(forward[row * width + column] as number, column);
      for (let other = 0; other < width; other++) put(mirrored[other * rows + row] as number, width + other);
    }
    finishLists(twin);
    for (const device of [gpu(), hardware()]) {
      const lists = makeLists(device, rows, k);
      using first = device.upload("correlation/squared", forward);
      using second = device.upload("correlation/squared", mirrored);
      try {
        await device.submit("top-k", [
          ...clearSteps(lists),
          // The order of tiles does not matter.
          ...topSteps(device, lists, { values: second, rows: width, columns: rows }, width, true),
          ...topSteps(device, lists, { values: first, rows, columns: width }, 0, false),
        ]);
        const [values, columns] = [new Float32Array(rows * k), new Int32Array(rows * k)];
        await readLists(device, lists, 0, values, columns);
        expect(values).toEqual(twin.values);
        expect(columns).toEqual(twin.columns);
      } finally {
        releaseLists(lists);
      }
    }
  });
});

describe("shaders", () => {
  test("top-k binds what the host passes", () => expectLayout(TOP_K));

  test("no lane races in top-k, on the interpreter", async () => {
    const squared = new Uint32Array(Float32Array.of(0.5, 0, 0.25, 0.5, 1, 0.75, 0.5, 0.5, 0.25, 1).buffer);
    const entries = new Uint32Array(2 * 2 * 2);
    await runOnInterpreter(TOP_K, {
      groups: 1,
      params: { lists: 2, elements: 5, first: 0, list_step: 5, element_step: 1, first_column: 10 },
      buffers: { squared, entries },
      constants: { WORKGROUP_SIZE: 4, LISTS: 2, K: 2, SLOTS: 8 },
    });
    const bits = (value: number) => new Uint32Array(Float32Array.of(value).buffer)[0];
    expect(Array.from(entries)).toEqual([bits(1), 14, bits(0.5), 10, bits(1), 19 - 5, bits(0.75), 10]);
  });
});
