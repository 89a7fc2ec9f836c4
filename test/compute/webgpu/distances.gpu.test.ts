import { describe, expect, test } from "vitest";
import type { Compute } from "../../../src/compute/compute.ts";
import { createCpuCompute } from "../../../src/compute/cpu/cpu-compute.ts";
import { markedDistance } from "../../../src/compute/near-distances.ts";
import {
  CORRELATION_REGISTERS,
  distanceSteps,
  distanceStride,
} from "../../../src/compute/webgpu/correlation.ts";
import { distances } from "../../../src/compute/webgpu/distances.ts";
import type { GpuDevice } from "../../../src/compute/webgpu/gpu-device.ts";
import { readFloats } from "../../../src/compute/webgpu/transfer.ts";
import { hdbscan } from "../../../src/patterns/hdbscan.ts";
import { catchError } from "../../support/catch-error.ts";
import { openAsHardware, SIZES, useGpu } from "../../support/gpu.ts";
import { expectDistances, nested, type PointSet, scattered } from "../../support/point-sets.ts";
import { runOnInterpreter } from "../../support/shader-checks.ts";

const gpu = useGpu();
const hardware = useGpu({}, openAsHardware);
const small = useGpu({ bindingBytes: 4096, groupsPerDimension: 3, workgroupBytes: 512 });

describe.each(["euclidean", "arccos"] as const)("%s", (metric) => {
  const expectRight = async (device: GpuDevice, set: PointSet, residentBytes?: number) => {
    const found = await distances(device, set.values, set.count, set.width, metric, {}, residentBytes);
    expectDistances(found, set, metric);
  };

  test.each(SIZES.slice(0, 5))("%i points", (count) => expectRight(gpu(), scattered(count, 21)));
  test.each(SIZES.slice(1))("%i columns", (width) => expectRight(gpu(), scattered(9, width)));

  test("several tiles, in both forms, twice the same bytes", async () => {
    const set = scattered(300, 20);
    await expectRight(gpu(), set);
    await expectRight(hardware(), set);
    const again = () => distances(gpu(), set.values, set.count, set.width, metric);
    expect(await again()).toEqual(await again());
  });

  test.each([1e-2, 1e-4])("groups that are %d as wide as far apart", (share) =>
    expectRight(gpu(), nested(120, 14, 3, share)),
  );

  test("panels beyond a binding, on the device and in main memory, close pairs too", async () => {
    await expectRight(small(), scattered(45, 70));
    await expectRight(small(), scattered(45, 70), 8000);
    await expectRight(small(), nested(90, 20, 2, 1e-3));
  });

  test("equal rows and rows of zeros", async () => {
    const set = scattered(20, 5);
    set.values.copyWithin(35, 0, 5);
    set.values.fill(0, 5, 15);
    await expectRight(gpu(), set);
  });
});

test("1000 points of one column", async () => {
  const set = scattered(1000, 1);
  const found = await distances(gpu(), set.values, 1000, 1, "euclidean");
  for (let at = 0; at < found.length; at += 37) {
    const [a, b] = [set.values[Math.floor(at / 1000)] as number, set.values[at % 1000] as number];
    expect(Math.abs((found[at] as number) - Math.abs(a - b))).toBeLessThanOrEqual(1e-3 * Math.abs(a - b));
  }
});

test("patterns are those of the CPU, to the last bit of labels and scores", async () => {
  const set = nested(150, 6, 5, 0.2);
  const rules = { minClusterSize: 5, minSamples: 3, selection: "leaf", epsilon: 0 } as const;
  const cpu = await createCpuCompute();
  try {
    for (const metric of ["euclidean", "arccos"] as const) {
      const onGpu: Pick<Compute, "distances"> = { distances: (...args) => distances(gpu(), ...args) };
      const [expected, found] = [cpu, onGpu].map((compute) =>
        hdbscan(compute, set.values, set.count, set.width, { ...rules, metric }),
      );
      expect((await expected)?.persistence.length).toBeGreaterThan(3);
      expect(await found).toEqual(await expected);
    }
  } finally {
    await cpu.dispose();
  }
});

test("a row beyond a binding is refused", async () => {
  const error = await catchError(() => distances(small(), new Float32Array(4096), 2, 2048, "euclidean"));
  expect(error.code).toBe("E_DEVICE_LIMIT");
});

/** Rows of 1 at place 0, 2 at 1, ... with their squared lengths. */
function rowsOf(values: readonly (readonly number[])[]): Float32Array {
  const stride = distanceStride(values[0]?.length ?? 0);
  const rows = new Float32Array(values.length * stride);
  for (const [i, row] of values.entries()) {
    rows.set(row, i * stride);
    rows[(i + 1) * stride - 4] = row.reduce((sum, value) => sum + value * value, 0);
  }
  return rows;
}

test("both forms give the same bytes, in one batch and in several", async () => {
  const set = scattered(50, 21);
  const rows = rowsOf(
    Array.from({ length: 50 }, (_, i) => Array.from(set.values.subarray(i * 21, (i + 1) * 21))),
  );
  using values = hardware().upload("distance/rows", rows);
  using target = hardware().buffer("distance/target", 4 * 50 * 50);
  const side = { rows: 50, values };
  for (const batch of [8192, 8]) {
    const found: Float32Array[] = [];
    for (const form of ["registers", "tiles"] as const) {
      await hardware().submit("distances", distanceSteps(form, side, side, 21, target, 1, batch));
      found.push(await readFloats(hardware(), target));
    }
    expect(found[0]).toEqual(found[1]);
    expectDistances(found[0] as Float32Array, set, "euclidean");
  }
});

// The lanes of the tiles, which take ten seconds there, are those of the correlations.
test("no lane races in correlation-registers, on the interpreter", async () => {
  const rows = rowsOf([
    [1, 0, 0],
    [0, 2, 2],
    [0, 2, 2.03125],
  ]);
  const finished = new Float32Array(9);
  await runOnInterpreter(CORRELATION_REGISTERS, {
    groups: 1,
    params: {
      rows: 3,
      columns: 3,
      stride: 2,
      first: 0,
      end: 1,
      is_diagonal: 1,
      is_first: 1,
      is_last: 1,
      is_distance: 1,
      unit: 2,
    },
    buffers: { left: rows, right: rows, finished },
    constants: { WORKGROUP_SIZE: 2 },
  });
  const near = 2 * markedDistance(2 ** -10, 16 + 0.126);
  expect(near).toBeLessThan(0);
  const far = 2 * Math.sqrt(1 + 4 + 2.03125 ** 2);
  for (const [at, value] of [0, 6, far, 6, 0, near, far, near, 0].entries()) {
    expect(finished[at]).toBeCloseTo(value, 5);
  }
});
