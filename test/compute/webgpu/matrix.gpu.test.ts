/** Block matrices on the device: degrees and cluster weights. */
import { describe, expect, test } from "vitest";
import type { SymmetricMatrix } from "../../../src/compute/compute.ts";
import { clusterWeights as cpuClusterWeights } from "../../../src/compute/cpu/cluster-weights.ts";
import { degrees as cpuDegrees } from "../../../src/compute/cpu/operator.ts";
import { toDense } from "../../../src/compute/dense-embedding.ts";
import { uploadMatrix } from "../../../src/compute/webgpu/device-matrix.ts";
import type { GpuDevice } from "../../../src/compute/webgpu/gpu-device.ts";
import {
  clusterWeights,
  degrees,
  NODE_WEIGHTS_COLUMNS,
  NODE_WEIGHTS_ROWS,
  NODE_WEIGHTS_SPARSE,
} from "../../../src/compute/webgpu/node-weights.ts";
import { dispatchGrid } from "../../../src/compute/webgpu/shader-kernel.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { catchError } from "../../support/catch-error.ts";
import { expectClose, GRAPHS, SHAPES, sideBySide, withMatrix } from "../../support/device-matrix.ts";
import { openAsHardware, SIZES, useGpu } from "../../support/gpu.ts";
import { chain, within } from "../../support/reference-graphs.ts";
import { expectLayout, runOnInterpreter } from "../../support/shader-checks.ts";

const gpu = useGpu();
const hardware = useGpu({}, openAsHardware);
// Bindings of 2 kB: the blocks below go in pieces of a few rows, and dispatches are folded into rows.
const small = useGpu({ bindingBytes: 2048, groupsPerDimension: 9 });

async function expectCpuWeights(device: GpuDevice, matrix: SymmetricMatrix): Promise<void> {
  const draw = rng(4, "labels");
  const labels = Int32Array.from({ length: matrix.size }, () => draw.integer(4) - 1);
  await withMatrix(device, matrix, async (uploaded) => {
    const found = await degrees(device, uploaded);
    expectClose(found, cpuDegrees(matrix), 1e-6);
    expect(await degrees(device, uploaded)).toEqual(found);
    // Without unlabelled nodes.
    const weights = await clusterWeights(device, uploaded, labels, 3);
    const expected = cpuClusterWeights(matrix, labels, 3);
    expectClose(weights.inside, expected.inside, 1e-6);
    expectClose(weights.volume, expected.volume, 1e-6);
  });
}

describe.each(Object.entries(GRAPHS))("degrees and cluster weights of %s", (_, matrix) => {
  test("are those of the CPU", () => expectCpuWeights(gpu(), matrix));
  test("are those of the CPU, in pieces and with folded dispatches", () => expectCpuWeights(small(), matrix));
  test("are those of the CPU, with the workgroups of GPUs", () => expectCpuWeights(hardware(), matrix));

  test("are the sums of its rows", async () => {
    const dense = toDense(matrix);
    await withMatrix(gpu(), matrix, async (uploaded) => {
      const found = await degrees(gpu(), uploaded);
      const sum = dense.subarray(0, matrix.size).reduce((total, value) => total + value, 0);
      expect(found[0]).toBeCloseTo(sum, 4);
    });
  });
});

describe.each(Object.entries(SHAPES))("degrees and cluster weights of one block %s", (shape, make) => {
  // An empty graph has no block between layers.
  test.each(shape === "between" ? SIZES.slice(1) : SIZES)("%i nodes: as on the CPU", (nodes) =>
    expectCpuWeights(gpu(), make(nodes)),
  );
});

describe("limits of 2 kB", () => {
  /** A node with edges to all others, which have none among themselves. */
  function starOf(leaves: number): SymmetricMatrix {
    const rowStart = Int32Array.from({ length: leaves + 2 }, (_, row) => (row === 0 ? 0 : leaves + row - 1));
    const column = Int32Array.from({ length: 2 * leaves }, (_, at) => (at < leaves ? at + 1 : 0));
    const weight = new Float32Array(2 * leaves).fill(1);
    const block = { shape: "sparse", start: 0, count: leaves + 1, rowStart, column, weight } as const;
    return { size: leaves + 1, blocks: [block] };
  }
  const wide = (columns: number) => chain([1, columns], 1, 1, 1);

  test("sums of 256 nodes fill a binding exactly, those of 257 are refused before anything is uploaded", async () => {
    await expectCpuWeights(small(), within(256, 2, 2, 2));
    const error = await catchError(() => uploadMatrix(small(), within(257, 2, 2, 2)));
    expect(error.code).toBe("E_DEVICE_LIMIT");
    expect(error.message).toContain("node-weights/sums: found a row of 2056 bytes, expected at most 2048");
    expect(error.hint).toContain("--device cpu");
  });

  test.each([
    ["dense", wide, "matrix/values: found a row of 2052 bytes"],
    ["sparse", starOf, "matrix/weights: found a row of 2052 bytes"],
  ] as const)(
    "%s: a row of 512 entries fills a binding exactly, one of 513 is refused",
    async (_, make, message) => {
      // The sums by node are another matter.
      const rowOf = (entries: number) => ({ ...make(entries), size: 1 });
      await withMatrix(small(), rowOf(512), async ({ pieces }) => {
        expect(pieces.reduce((rows, piece) => rows + piece.rows, 0)).toBe(
          make(512).blocks[0]?.shape === "sparse" ? 513 : 1,
        );
      });
      // Refused before the block in front of it is uploaded.
      const { liveBuffers } = small();
      const error = await catchError(() => uploadMatrix(small(), sideBySide([wide(3), rowOf(513)])));
      expect(error.code).toBe("E_DEVICE_LIMIT");
      expect(error.message).toContain(message);
      expect(small().liveBuffers).toBe(liveBuffers);
    },
  );

  test("81 workgroups fill a dispatch of 9 x 9 exactly, 82 are refused", async () => {
    await expectCpuWeights(small(), within(81, 2, 2, 2));
    expect(dispatchGrid("any", 81, 9)).toEqual([9, 9]);
    const error = await catchError(() => dispatchGrid("any", 82, 9));
    expect(error.code).toBe("E_DEVICE_LIMIT");
    expect(error.message).toContain("any: found 82 workgroups, expected at most 9 x 9");
    expect(error.hint).toContain("--device cpu");
  });
});

describe("shaders", () => {
  test.each([NODE_WEIGHTS_ROWS, NODE_WEIGHTS_COLUMNS, NODE_WEIGHTS_SPARSE])(
    "$name binds what the host passes",
    expectLayout,
  );

  // Rows 0, 1 and columns 2, 3, 4 of five nodes.
  const values = Float32Array.of(1, 2, 3, 4, 5, 6);
  const place = { rows: 2, columns: 3, row_start: 0, column_start: 2 };
  const edges = {
    row_ends: Uint32Array.of(0, 3, 6),
    columns: Uint32Array.of(0, 1, 2, 0, 1, 2),
    weights: values,
  };

  test("no lane races in sums by node, on the interpreter", async () => {
    const labels = Uint32Array.of(0, 1, 0, 0xffffffff, 1);
    const sums = new Float32Array(10);
    await runOnInterpreter(NODE_WEIGHTS_ROWS, {
      groups: 2,
      params: place,
      buffers: { values, labels, sums },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(Array.from(sums.subarray(0, 4))).toEqual([1, 4, 6, 10]);
    await runOnInterpreter(NODE_WEIGHTS_COLUMNS, {
      groups: 2,
      params: place,
      buffers: { values, labels, sums },
      constants: { COLUMNS: 2, WORKGROUP_SIZE: 4 },
    });
    expect(Array.from(sums)).toEqual([1, 4, 6, 10, 1, 5, 0, 7, 6, 9]);
    const { columns: _, ...sparsePlace } = place;
    await runOnInterpreter(NODE_WEIGHTS_SPARSE, {
      groups: 1,
      params: sparsePlace,
      buffers: { ...edges, labels, sums: sums.fill(0) },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(Array.from(sums.subarray(0, 4))).toEqual([1, 4, 6, 10]);
  });
});
