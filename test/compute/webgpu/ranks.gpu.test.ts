import { describe, expect, test } from "vitest";
import { rankerFor } from "../../../src/compute/cpu/ranks.ts";
import type { GpuDevice } from "../../../src/compute/webgpu/gpu-device.ts";
import {
  RANKS,
  RANKS_SEARCH,
  RANKS_STEP,
  RANKS_TILE,
  rankScratchLength,
  rankSteps,
} from "../../../src/compute/webgpu/ranks.ts";
import { readFloats } from "../../../src/compute/webgpu/transfer.ts";
import { rng } from "../../../src/statistics/rng.ts";
import { openAsHardware, SIZES, useGpu } from "../../support/gpu.ts";
import { expectLayout, runOnInterpreter } from "../../support/shader-checks.ts";

const gpu = useGpu();
const hardware = useGpu({}, openAsHardware);
// Workgroup memory for 128 keys only: rows of 1000 take three merges.
const narrow = useGpu({ workgroupBytes: 512 });

async function ranksOf(device: GpuDevice, values: Float32Array, rows: number): Promise<Float32Array> {
  const samples = rows === 0 ? 0 : values.length / rows;
  const length = rankScratchLength(device, samples);
  using source = device.upload("ranks/values", values);
  using ranks = device.buffer("ranks/ranks", 4 * values.length);
  using keys = device.buffer("ranks/keys", 4 * rows * length);
  await device.submit("ranks", rankSteps(device, rows, samples, source, ranks, length === 0 ? null : keys));
  return readFloats(device, ranks, 0, values.length);
}

function twin(values: Float32Array, rows: number): Float32Array {
  const samples = values.length / rows;
  const ranks = new Float32Array(values.length);
  const rank = rankerFor(samples);
  for (let row = 0; row < rows; row++) {
    const end = (row + 1) * samples;
    rank(values.subarray(row * samples, end), ranks.subarray(row * samples, end));
  }
  return ranks;
}

/** Half zeros of both signs, many ties, a wide range. */
function layerValues(rows: number, samples: number): Float32Array {
  const stream = rng(3, "ranks", rows, samples);
  return Float32Array.from({ length: rows * samples }, () => {
    const kind = stream.integer(4);
    if (kind === 0) return 0;
    if (kind === 1) return -0;
    if (kind === 2) return stream.integer(5) - 2;
    return stream.normal() * 10 ** (stream.integer(60) - 30);
  });
}

describe.each([
  ["in workgroup memory", gpu],
  ["in large workgroups", hardware],
  ["with merges in global memory", narrow],
] as const)("ranks %s", (_, device) => {
  test.each(SIZES)("of %i samples are those of the CPU", async (samples) => {
    const values = layerValues(3, samples);
    expect(await ranksOf(device(), values, 3)).toEqual(twin(values, 3));
  });

  test("are counts of smaller and equal values", async () => {
    const values = layerValues(1, 300);
    const expected = values.map((value) => {
      const below = values.filter((other) => other < value).length;
      const equal = values.filter((other) => other === value).length;
      return below + (equal + 1) / 2;
    });
    expect(await ranksOf(device(), values, 1)).toEqual(expected);
  });

  test("of rows with values that are not finite are zero, those of other rows are not", async () => {
    const bad = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -Number.NaN];
    const samples = 200;
    const values = layerValues(bad.length + 1, samples);
    bad.forEach((value, row) => {
      values[row * samples + 17 * row] = value;
    });
    const ranks = await ranksOf(device(), values, bad.length + 1);
    expect(ranks.subarray(0, bad.length * samples).every((rank) => rank === 0)).toBe(true);
    expect(ranks.subarray(bad.length * samples)).toEqual(twin(values.subarray(bad.length * samples), 1));
  });

  test("reach the ends of the finite numbers", async () => {
    const values = Float32Array.of(3.4028234663852886e38, -3.4028234663852886e38, 1e-45, -1e-45, 0);
    expect(Array.from(await ranksOf(device(), values, 1))).toEqual([5, 1, 4, 2, 3]);
  });
});

describe("shaders", () => {
  test.each([RANKS, RANKS_TILE, RANKS_STEP, RANKS_SEARCH])("$name binds what the host passes", expectLayout);

  test("no lane races, on the interpreter", async () => {
    const floats = Float32Array.of(2, -1, 2, 0, -0, 7);
    const values = new Uint32Array(floats.buffer);
    const ranks = new Float32Array(6);
    const constants = { TILE: 8, WORKGROUP_SIZE: 4 };
    const params = { rows: 1, samples: 6 };
    await runOnInterpreter(RANKS, { groups: 1, params, buffers: { values, ranks }, constants });
    expect(Array.from(ranks)).toEqual([4.5, 1, 4.5, 2.5, 2.5, 6]);

    const keys = new Uint32Array(8);
    const merge = { ...params, padded: 8 };
    const halves = { TILE: 4, WORKGROUP_SIZE: 2 };
    const tiles = (isFirst: number) =>
      runOnInterpreter(RANKS_TILE, {
        groups: 2,
        params: { ...merge, is_first: isFirst },
        buffers: { values, keys },
        constants: halves,
      });
    await tiles(1);
    await runOnInterpreter(RANKS_STEP, {
      groups: 2,
      params: { rows: 1, padded: 8, half: 4, is_first: 1 },
      buffers: { keys },
      constants: { WORKGROUP_SIZE: 2 },
    });
    await tiles(0);
    expect(Array.from(keys)).toEqual(Array.from(keys).sort((a, b) => a - b));
    ranks.fill(0);
    await runOnInterpreter(RANKS_SEARCH, {
      groups: 3,
      params: merge,
      buffers: { values, keys, ranks },
      constants: { WORKGROUP_SIZE: 2 },
    });
    expect(Array.from(ranks)).toEqual([4.5, 1, 4.5, 2.5, 2.5, 6]);
  });
});
