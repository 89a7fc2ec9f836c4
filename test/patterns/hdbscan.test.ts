import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Compute } from "../../src/compute/compute.ts";
import { createCpuCompute } from "../../src/compute/cpu/cpu-compute.ts";
import {
  type HdbscanSettings,
  hdbscan,
  hdbscanOfDistances,
  type PatternRules,
  type PointPatterns,
} from "../../src/patterns/hdbscan.ts";
import { rng } from "../../src/statistics/rng.ts";
import { catchError } from "../support/catch-error.ts";
import { type PlainPatterns, plainHdbscan } from "../support/plain-hdbscan.ts";

let compute: Compute;
beforeAll(async () => {
  compute = await createCpuCompute();
});
afterAll(() => compute.dispose());

const RULES: HdbscanSettings = {
  minClusterSize: 3,
  minSamples: 2,
  selection: "leaf",
  epsilon: 0,
  metric: "euclidean",
};

function cluster(values: ArrayLike<number>, width: number, settings: Partial<HdbscanSettings> = {}) {
  const rows = Float32Array.from(values);
  return hdbscan(compute, rows, rows.length / width, width, { ...RULES, ...settings });
}

/** Everything but the labels' numbers, to `digits`. */
function expectNumbers(found: PointPatterns, expected: PlainPatterns, digits: number): void {
  const names = ["probabilities", "outlierScores", "persistence", "stability"] as const;
  for (const name of names) {
    expect(found[name].length).toBe(expected[name].length);
    expected[name].forEach((value, i) => {
      expect(found[name][i], `${name} ${i}`).toBeCloseTo(value, digits);
    });
  }
}

describe("ten points on a line (method note 10.1)", () => {
  const line = [0, 1, 3, 4.5, 10, 11.2, 12.1, 14, 15.5, 30];
  // The right group has the larger persistence, so it is pattern 0.
  const labels = [1, 1, 1, 1, 0, 0, 0, 0, 0, -1];
  const expected: readonly (PlainPatterns & { readonly minSamples: number })[] = [
    {
      minSamples: 2,
      labels,
      probabilities: [1, 1, 1, 0.857143, 0.904762, 1, 1, 1, 0.558824, 0],
      outlierScores: [0, 0, 0, 0.142857, 0.095238, 0, 0, 0, 0.441176, 0.88125],
      persistence: [0.547263, 0.26526],
      stability: [1.440165, 0.558442],
    },
    {
      minSamples: 1,
      labels,
      probabilities: [1, 1, 1, 1, 1, 1, 1, 0.631579, 0.631579, 0],
      outlierScores: [0, 0, 0, 0, 0, 0, 0, 0.368421, 0.368421, 0.917241],
      persistence: [0.63445, 0.381818],
      stability: [2.643541, 1.272727],
    },
  ];

  test.each(expected)("min_samples $minSamples", async ({ minSamples, ...numbers }) => {
    const found = await cluster(line, 1, { minSamples });
    expect([...found.labels]).toEqual(labels);
    expect([found.hasSplit, found.duplicates]).toEqual([true, 0]);
    expectNumbers(found, numbers, 5);
    // Ten times the values are whole numbers, which float32 does not round: all digits of the note are right.
    const tenfold = await cluster(
      line.map((x) => Math.round(10 * x)),
      1,
      { minSamples },
    );
    expectNumbers({ ...tenfold, stability: tenfold.stability.map((value) => 10 * value) }, numbers, 6);
  });

  test("without a split all is noise", async () => {
    const found = await cluster(line, 1, { minClusterSize: 5, minSamples: 5 });
    expect([...found.labels]).toEqual(new Array(10).fill(-1));
    expect([...found.probabilities]).toEqual(new Array(10).fill(0));
    expect([found.hasSplit, found.persistence.length]).toEqual([false, 0]);
  });
});

describe("scikit-learn's labels and probabilities, the definitions' GLOSH, stability and persistence", () => {
  interface Problem extends PlainPatterns, HdbscanSettings {
    readonly points: number[];
    readonly count: number;
    readonly width: number;
    readonly sklearn: { readonly labels: number[]; readonly probabilities: number[] };
  }
  const { problems } = JSON.parse(
    readFileSync(new URL("../fixtures/patterns.json", import.meta.url), "utf8"),
  ) as { problems: Problem[] };

  test.each(
    problems.map((problem) => {
      const { metric, minClusterSize, minSamples, selection, epsilon } = problem;
      const name = `${metric} ${minClusterSize} ${minSamples} ${selection} ${epsilon.toFixed(3)}`;
      return [name, problem] as const;
    }),
  )("%s", async (_, problem) => {
    const { points, count, width, sklearn, labels } = problem;
    const found = await cluster(points, width, problem);
    expect(found.labels.length).toBe(count);
    expect([...found.labels]).toEqual(labels);
    const pairs = new Set(sklearn.labels.map((label, i) => `${label} ${found.labels[i]}`));
    expect(pairs.size).toBe(new Set(labels).size);
    expect(sklearn.labels.map((label) => label < 0)).toEqual(labels.map((label) => label < 0));
    expectNumbers(found, { ...problem, probabilities: sklearn.probabilities }, 5);
  });
});

/** Points on a small grid, in which most distances occur many times, or anywhere. */
function randomPoints(seed: number, count: number, width: number, isGrid: boolean): Float32Array {
  const stream = rng(seed, "hdbscan points");
  return Float32Array.from({ length: count * width }, (_, at) => {
    const centre = 6 * (Math.floor(at / width) % 2);
    // In steps that moving the points leaves as they are.
    return centre + (isGrid ? stream.integer(4) : Math.round(2 ** 13 * stream.normal()) / 2 ** 12);
  });
}

function euclidean(values: Float32Array, width: number): (a: number, b: number) => number {
  return (a, b) => {
    let sum = 0;
    for (let i = 0; i < width; i++) {
      sum += ((values[a * width + i] as number) - (values[b * width + i] as number)) ** 2;
    }
    return Math.sqrt(sum);
  };
}

/** Without pairs in one place, where the definitions divide by zero. */
function withoutDuplicates(values: Float32Array, width: number): Float32Array {
  const rows = Array.from({ length: values.length / width }, (_, row) =>
    Array.from(values.subarray(row * width, (row + 1) * width)),
  );
  return Float32Array.from([...new Map(rows.map((row) => [row.join(), row])).values()].flat());
}

function randomRules(seed: number): PatternRules {
  const stream = rng(seed, "hdbscan rules");
  return {
    minClusterSize: 2 + stream.integer(4),
    minSamples: 1 + stream.integer(5),
    selection: stream.integer(2) === 0 ? "leaf" : "eom",
    epsilon: stream.integer(2) === 0 ? 0 : 0.5 + 2 * stream.uniform(),
  };
}

describe("small random inputs against the definitions", () => {
  test.each([
    ["a grid", true],
    ["no ties", false],
  ] as const)("%s", async (_, isGrid) => {
    let splits = 0;
    for (let seed = 0; seed < 150; seed++) {
      const rules = randomRules(seed);
      const values = withoutDuplicates(randomPoints(seed, 6 + (seed % 25), 2, isGrid), 2);
      const found = await cluster(values, 2, rules);
      const expected = plainHdbscan(values.length / 2, euclidean(values, 2), rules);
      expect([...found.labels], `seed ${seed}`).toEqual(expected.labels);
      expectNumbers(found, expected, 5);
      if (found.hasSplit) splits++;
    }
    // Most of them have something to find.
    expect(splits).toBeGreaterThan(60);
  });
});

describe("what does not matter", () => {
  const COUNT = 120;
  const shuffled = Array.from(rng(9, "rows").shuffle(Int32Array.from({ length: COUNT }, (_, row) => row)));
  /** Patterns are numbered by their smallest member where persistence is equal. */
  const expectSame = (found: PointPatterns, expected: PointPatterns, order: readonly number[], unit = 1) => {
    const pairs = new Set(order.map((from, to) => `${found.labels[to]} ${expected.labels[from]}`));
    expect(pairs.size).toBe(new Set(expected.labels).size);
    order.forEach((from, to) => {
      expect((found.labels[to] as number) < 0).toBe((expected.labels[from] as number) < 0);
      expect(found.probabilities[to]).toBeCloseTo(expected.probabilities[from] as number, 5);
      expect(found.outlierScores[to]).toBeCloseTo(expected.outlierScores[from] as number, 5);
    });
    for (const [i, persistence] of expected.persistence.entries()) {
      expect(found.persistence[i]).toBeCloseTo(persistence, 5);
      const stability = expected.stability[i] as number;
      expect(((found.stability[i] as number) * unit) / stability).toBeCloseTo(1, 3);
    }
  };
  const inOrder = Array.from({ length: COUNT }, (_, row) => row);

  describe.each([
    ["a grid", true],
    ["no ties", false],
  ] as const)("%s", (_, isGrid) => {
    test.each([
      [1, "leaf"],
      [2, "leaf"],
      [5, "eom"],
    ] as const)("min_samples %i, %s", async (minSamples, selection) => {
      for (let seed = 0; seed < 12; seed++) {
        const values = randomPoints(seed, COUNT, 3, isGrid);
        const rules = { minClusterSize: 4 + (seed % 5), minSamples, selection };
        const found = await cluster(values, 3, rules);
        const rows = shuffled.flatMap((row) => Array.from(values.subarray(3 * row, 3 * row + 3)));
        expectSame(await cluster(rows, 3, rules), found, shuffled);
        const moved = values.map((value) => value + 50.25);
        expectSame(await cluster(moved, 3, rules), found, inOrder);
        for (const factor of [3e-4, 7.7]) {
          const scaled = values.map((value) => value * factor);
          expectSame(await cluster(scaled, 3, rules), found, inOrder, factor);
        }
      }
    });
  });
});

describe("ends of the range", () => {
  test.each([0, 1, 2, 4])("%i points, fewer than the smallest pattern, are noise", async (count) => {
    const found = await cluster(randomPoints(1, count, 2, false), 2, { minClusterSize: 5, minSamples: 9 });
    expect([...found.labels]).toEqual(new Array(count).fill(-1));
    expect(found.outlierScores.every((score) => score >= 0 && score <= 1)).toBe(true);
    expect(found.hasSplit).toBe(false);
  });

  test.each([0.3, 0])("points that are all the same (%d) are noise, and duplicates", async (value) => {
    const found = await cluster(new Float32Array(40).fill(value), 2);
    expect([...found.labels]).toEqual(new Array(20).fill(-1));
    expect([...found.outlierScores]).toEqual(new Array(20).fill(0));
    expect([found.duplicates, found.hasSplit]).toEqual([19, false]);
  });

  test("no columns", async () => {
    const found = await hdbscan(compute, new Float32Array(0), 12, 0, RULES);
    expect([...found.labels]).toEqual(new Array(12).fill(-1));
    expect(found.duplicates).toBe(11);
  });

  test("duplicates have finite stability and full probability", async () => {
    const copies = [...new Array(6).fill(1), ...new Array(6).fill(5), 2.9, 3.1];
    const found = await cluster(copies, 1);
    expect([...found.labels]).toEqual([...new Array(6).fill(0), ...new Array(6).fill(1), -1, -1]);
    expect(found.duplicates).toBe(10);
    expect([...found.probabilities].slice(0, 12)).toEqual(new Array(12).fill(1));
    expect([...found.persistence].every((value) => value > 0.999 && value <= 1)).toBe(true);
    expect(found.stability.every(Number.isFinite)).toBe(true);
  });

  test("points in one place among others are counted once each", async () => {
    const values = randomPoints(2, 60, 2, false);
    values.copyWithin(20, 0, 2);
    values.copyWithin(80, 0, 2);
    values.copyWithin(90, 44, 46);
    expect((await cluster(values, 2)).duplicates).toBe(3);
  });

  test("values that are not finite are named", async () => {
    const error = await catchError(() => cluster([0, 1, 2, Number.NaN, 4, 5], 2));
    expect(error.code).toBe("E_INPUT_VALUE");
    expect(error.message).toContain("row 1, column 1");
  });

  test("distances beyond float32 are refused", async () => {
    const error = await catchError(() => cluster([3e38, 1, 2, -3e38], 1));
    expect([error.code, error.message]).toEqual([
      "E_INPUT_VALUE",
      "points: found distances beyond float32, expected less than 3e38",
    ]);
  });

  test.each([
    [{ minClusterSize: 1 }, "minClusterSize: found 1, expected an integer from 2"],
    [{ minSamples: 0 }, "minSamples: found 0, expected an integer from 1"],
    [{ epsilon: -1 }, "epsilon: found -1, expected a distance from 0"],
    [{ epsilon: Number.NaN }, "epsilon: found NaN, expected a distance from 0"],
  ])("%o is refused", async (settings, message) => {
    const error = await catchError(() => cluster([1, 2, 3], 1, settings));
    expect([error.code, error.message]).toEqual(["E_USAGE_PATTERN_RULES", message]);
  });
});

describe("distances at hand", () => {
  const values = randomPoints(4, 80, 3, false);
  const distance = euclidean(values, 3);
  const matrix = Float32Array.from({ length: 80 * 80 }, (_, at) => distance(Math.floor(at / 80), at % 80));

  test("give what the points give", async () => {
    const found = await hdbscanOfDistances(matrix, 80, RULES);
    const expected = await cluster(values, 3);
    expect(found.labels).toEqual(expected.labels);
    expectNumbers(found, { ...expected, labels: [] } as unknown as PlainPatterns, 5);
  });

  test.each([
    ["not a number", 17, Number.NaN],
    ["negative", 17, -1],
    ["infinite", 17, Number.POSITIVE_INFINITY],
    ["not symmetric", 17, 1e-3],
    ["a diagonal that is not zero", 81, 1e-3],
  ])("%s: refused", async (_, at, value) => {
    const wrong = matrix.slice();
    wrong[at] = value;
    expect((await catchError(() => hdbscanOfDistances(wrong, 80, RULES))).code).toBe("E_INPUT_VALUE");
  });

  test("another size is refused", async () => {
    expect((await catchError(() => hdbscanOfDistances(matrix, 79, RULES))).code).toBe("E_INPUT_SHAPE");
  });
});

test("units permuted independently over the inputs leave nothing of the classes (method note 10.4)", async () => {
  const stream = rng(11, "permuted");
  const [count, width] = [120, 10];
  const values = Float32Array.from(
    { length: count * width },
    (_, at) => ((Math.floor(at / width) + (at % width)) % 3) + 0.2 * stream.normal(),
  );
  const rules = { minClusterSize: 5, minSamples: 5 };
  const observed = await cluster(values, width, rules);
  const classes = new Set(
    Array.from(observed.labels, (label, i) => `${label} ${i % 3}`).filter((pair) => !pair.startsWith("-")),
  );
  expect(classes.size).toBe(observed.persistence.length);
  expect(observed.labels.filter((label) => label >= 0).length).toBeGreaterThan(60);
  for (let column = 0; column < width; column++) {
    const shuffled = stream.shuffle(
      Array.from({ length: count }, (_, row) => values[row * width + column] as number),
    );
    for (const [row, value] of shuffled.entries()) values[row * width + column] = value;
  }
  const permuted = await cluster(values, width, rules);
  const clustered = Array.from(permuted.labels).filter((label) => label >= 0).length;
  expect(clustered).toBeLessThan(count / 2);
});

test("progress ends at its total in both phases, and a signal stops either", async () => {
  const values = randomPoints(5, 300, 4, false);
  const last = new Map<string, boolean>();
  const run = (options: Parameters<typeof hdbscan>[5]) => hdbscan(compute, values, 300, 4, RULES, options);
  await run({ onProgress: ({ phase, done, total }) => last.set(phase, done === total) });
  expect(Object.fromEntries(last)).toEqual({ distances: true, patterns: true });
  for (const stopped of ["distances", "patterns"]) {
    const abort = new AbortController();
    const onProgress = ({ phase }: { phase: string }) => {
      if (phase === stopped) abort.abort();
    };
    await expect(run({ signal: abort.signal, onProgress })).rejects.toMatchObject({ code: "E_INTERRUPTED" });
  }
});
