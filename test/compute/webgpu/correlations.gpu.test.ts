import { afterAll, describe, expect, test } from "vitest";
import { correlations as cpuCorrelations } from "../../../src/compute/cpu/correlations.ts";
import { Matmul } from "../../../src/compute/cpu/matmul.ts";
import {
  CORRELATION_REGISTERS,
  CORRELATION_TILES,
  correlationForm,
  correlationSteps,
  MEMORY_TRIAL,
  rowStride,
} from "../../../src/compute/webgpu/correlation.ts";
import { correlations } from "../../../src/compute/webgpu/correlations.ts";
import type { GpuDevice } from "../../../src/compute/webgpu/gpu-device.ts";
import { STANDARDISE } from "../../../src/compute/webgpu/standardised-panels.ts";
import { readFloats } from "../../../src/compute/webgpu/transfer.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { catchError } from "../../support/catch-error.ts";
import { openAsHardware, SIZES, useGpu } from "../../support/gpu.ts";
import { expectLayout, runOnInterpreter } from "../../support/shader-checks.ts";

const gpu = useGpu();
const hardware = useGpu({}, openAsHardware);
const matmul = new Matmul();
afterAll(() => matmul.dispose());

/** The contract asks for 2e-4 of squared correlations; float32 sums of these lengths are far closer. */
const CLOSE = 1e-5;

/** Units that share a few factors, so that correlations of all sizes occur. */
function activations(units: number, samples: number): Float32Array {
  const stream = rng(5, "correlations", units, samples);
  const factors = Float32Array.from({ length: 4 * samples }, stream.normal);
  return Float32Array.from({ length: units * samples }, (_, at) => {
    const unit = Math.floor(at / samples);
    const shared = factors[(unit % 4) * samples + (at % samples)] as number;
    return Math.max(0, 0.4 * stream.normal() + (unit % 3) * shared);
  });
}

/** Squared Pearson correlation in float64, 0 for constant rows. */
function squaredPearson(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (row: ArrayLike<number>) =>
    Array.from(row).reduce((sum, value) => sum + value, 0) / row.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [(a[i] as number) - meanA, (b[i] as number) - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa === 0 || bb === 0 ? 0 : (ab * ab) / (aa * bb);
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - (b[i] as number))), 0);
}

async function expectLikeCpu(
  device: GpuDevice,
  values: Float32Array,
  units: number,
  samples: number,
  method: "pearson" | "spearman",
  residentBytes?: number,
): Promise<void> {
  const found = await correlations(device, values, units, samples, method, {}, residentBytes);
  const expected = await cpuCorrelations(matmul, values, units, samples, method);
  expect(found.isDead).toEqual(expected.isDead);
  expect(largestDifference(found.values, expected.values)).toBeLessThan(CLOSE);
  for (let i = 0; i < units; i++) {
    expect(found.values[i * units + i]).toBe(0);
    for (let j = 0; j < i; j++) expect(found.values[i * units + j]).toBe(found.values[j * units + i]);
  }
}

describe.each(["pearson", "spearman"] as const)("%s", (method) => {
  test.each(SIZES.slice(1))("%i samples: as on the CPU", async (samples) => {
    await expectLikeCpu(gpu(), activations(9, samples), 9, samples, method);
  });

  test.each(SIZES.slice(0, 5))("%i units: as on the CPU", async (units) => {
    await expectLikeCpu(gpu(), activations(units, 50), units, 50, method);
  });

  test("several tiles: as on the CPU, twice the same bytes", async () => {
    const values = activations(300, 20);
    await expectLikeCpu(gpu(), values, 300, 20, method);
    await expectLikeCpu(hardware(), values, 300, 20, method);
    const again = () => correlations(gpu(), values, 300, 20, method);
    expect((await again()).values).toEqual((await again()).values);
  });

  test("panels beyond a binding, on the device and in main memory: as on the CPU", async () => {
    const values = activations(45, 70);
    await expectLikeCpu(small(), values, 45, 70, method);
    await expectLikeCpu(small(), values, 45, 70, method, 8000);
  });

  test("dead units: constant, not finite", async () => {
    const values = activations(6, 40);
    values.fill(7, 0, 40);
    values.fill(0, 40, 80);
    values[41] = -0;
    values[85] = Number.NaN;
    values[125] = Number.POSITIVE_INFINITY;
    await expectLikeCpu(gpu(), values, 6, 40, method);
    expect((await correlations(gpu(), values, 6, 40, method)).isDead).toEqual(
      Uint8Array.of(1, 1, 1, 1, 0, 0),
    );
  });
});

const small = useGpu({ bindingBytes: 4096, groupsPerDimension: 3, workgroupBytes: 512 });

test("a row beyond a binding is refused", async () => {
  const error = await catchError(() => correlations(small(), new Float32Array(4096), 2, 2048, "spearman"));
  expect(error.code).toBe("E_DEVICE_LIMIT");
  expect(error.message).toContain("found a row of 8192 bytes, expected at most 4096");
});

test("pearson is the textbook formula, also far from zero and at the ends of the range", async () => {
  const samples = 100;
  const base = activations(3, samples);
  for (const [scale, shift] of [
    [1, 0],
    [1, 1000],
    [1e-30, 0],
    [1e30, 0],
    [2 ** 115, 0],
  ] as const) {
    const values = base.map((value) => Math.fround(value * scale + shift));
    const { values: found } = await correlations(gpu(), values, 3, samples, "pearson");
    for (const [i, j] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      const rows = [i, j].map((row) => values.subarray(row * samples, (row + 1) * samples));
      const expected = squaredPearson(rows[0] as Float32Array, rows[1] as Float32Array);
      expect(Math.abs((found[i * 3 + j] as number) - expected)).toBeLessThan(CLOSE);
    }
  }
});

describe("forms", () => {
  async function run(
    form: "registers" | "tiles",
    units: number,
    others: number,
    samples: number,
    batch: number,
  ) {
    const device = gpu();
    const stride = rowStride(samples);
    const rowsOf = (count: number) => {
      const values = new Float32Array(count * stride);
      const stream = rng(7, "forms", count);
      for (let at = 0; at < values.length; at++) {
        if (at % stride < samples) values[at] = stream.normal() / Math.sqrt(2 * samples);
      }
      return values;
    };
    const [leftValues, rightValues] = [rowsOf(units), others === units ? rowsOf(units) : rowsOf(others)];
    using left = device.upload("correlation/left", leftValues);
    using right = device.upload("correlation/right", rightValues);
    using squared = device.buffer("correlation/squared", 4 * units * others);
    const leftRows = { rows: units, values: left };
    const rightRows = others === units ? leftRows : { rows: others, values: right };
    await device.submit("correlation", correlationSteps(form, leftRows, rightRows, samples, squared, batch));
    const found = await readFloats(device, squared);
    for (let i = 0; i < units; i++) {
      for (let j = 0; j < others; j++) {
        let sum = 0;
        for (let s = 0; s < stride; s++) {
          sum += (leftValues[i * stride + s] as number) * (rightValues[j * stride + s] as number);
        }
        const expected = leftRows === rightRows && i === j ? 0 : Math.min(1, sum * sum);
        expect(Math.abs((found[i * others + j] as number) - expected)).toBeLessThan(1e-6);
      }
    }
    return found;
  }

  test.each([
    [1, 1, 3],
    [63, 63, 21],
    [130, 130, 10],
    [17, 9, 33],
    [140, 3, 5],
  ] as const)(
    "both: %i x %i rows of %i samples, in one batch and in several",
    async (units, others, samples) => {
      const forms = ["registers", "tiles"] as const;
      for (const batch of [8192, 8]) {
        const [registers, tiles] = [
          await run(forms[0], units, others, samples, batch),
          await run(forms[1], units, others, samples, batch),
        ];
        // The order of the sums is the same, so that the choice between the forms leaves no trace.
        expect(registers).toEqual(tiles);
      }
    },
  );

  test("one is chosen by measurement and kept", async () => {
    const form = await correlationForm(gpu());
    expect(["registers", "tiles"]).toContain(form);
    expect(await correlationForm(gpu())).toBe(form);
  });
});

describe("shaders", () => {
  test.each([STANDARDISE, CORRELATION_REGISTERS, CORRELATION_TILES, MEMORY_TRIAL])(
    "$name binds what the host passes",
    expectLayout,
  );

  test("no lane races in standardise, on the interpreter", async () => {
    const scaled = new Float32Array(2 * 8);
    const dead = new Uint32Array(2);
    const source = new Uint32Array(Float32Array.of(1, 2, 3, 4, 5, 5, 5, 5, 5, 5).buffer);
    await runOnInterpreter(STANDARDISE, {
      groups: 2,
      params: { rows: 2, samples: 5, stride: 8, first_row: 0 },
      buffers: { source, scaled, dead },
      constants: { WORKGROUP_SIZE: 4 },
    });
    const z = Array.from({ length: 5 }, (_, i) => Math.fround((i - 2) / Math.sqrt(10)));
    for (let i = 0; i < 8; i++) expect(scaled[i]).toBeCloseTo(z[i] ?? 0, 6);
    expect(Array.from(scaled.subarray(8))).toEqual(new Array(8).fill(0));
    expect(Array.from(dead)).toEqual([0, 1]);
  });

  test.each([
    ["registers", CORRELATION_REGISTERS, { WORKGROUP_SIZE: 2 }],
    ["tiles", CORRELATION_TILES, {}],
  ] as const)("no lane races in correlation-%s, on the interpreter", async (_, kernel, constants) => {
    const rows = Float32Array.of(0.5, -0.5, 0.5, -0.5, 0.5, 0.5, -0.5, -0.5, 0.5, -0.5, 0.5, -0.5);
    const squared = new Float32Array(9);
    await runOnInterpreter(kernel, {
      groups: 1,
      params: {
        rows: 3,
        columns: 3,
        stride: 1,
        first: 0,
        end: 1,
        is_diagonal: 1,
        is_first: 1,
        is_last: 1,
        is_distance: 0,
        unit: 1,
      },
      buffers: { left: rows, right: rows, finished: squared },
      constants,
    });
    expect(Array.from(squared)).toEqual([0, 0, 1, 0, 0, 0, 1, 0, 0]);
  });
});
