import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { symmetricEigen } from "../../src/compute/symmetric-eigen.ts";
import { activationCoherence, activationFamily } from "../../src/scores/activation-coherence.ts";
import { type ActivationTables, activationTables } from "../../src/scores/activation-tables.ts";
import { COHERENCE_MEASURES, COHERENCE_NAMES } from "../../src/scores/coherence-measures.ts";
import { directionsOf, meanCosine } from "../../src/scores/cosines.ts";
import type { InputClasses } from "../../src/scores/input-classes.ts";
import { makeLeadingComponent } from "../../src/scores/leading-component.ts";
import { ckaMatrix } from "../../src/scores/similarity.ts";
import type { LayerSubclusters } from "../../src/scores/subclusters.ts";
import { accuracyImpact, lossImpact } from "../../src/scores/unit-impacts.ts";
import { rng } from "../../src/statistics/rng.ts";

interface Reference {
  readonly inputs: number;
  readonly units: number;
  readonly classes: number;
  readonly labels: number[];
  /** Units x inputs. */
  readonly values: number[];
  readonly sets: readonly {
    readonly units: number[];
    readonly meanCorrelation: number;
    readonly leadingShare: number;
    readonly silhouette: number;
    readonly classAurocs: (number | null)[];
    readonly classAuroc: number;
    readonly labelCka: number;
    readonly profileCosine: number;
    readonly purity: number;
    readonly topInputs: number[];
    readonly topValues: number[];
  }[];
  readonly similarity: number[][];
  readonly lesion: {
    readonly isCorrectIntact: number[];
    readonly isCorrect: number[];
    readonly lossIncreases: number[];
    readonly accuracy: number[];
    readonly loss: number[];
  };
  readonly cosines: {
    readonly vectors: number[];
    readonly sets: number[][];
    readonly means: (number | null)[];
  };
}

const reference: Reference = JSON.parse(
  readFileSync(new URL("../fixtures/coherence.json", import.meta.url), "utf8"),
);
const { inputs, units } = reference;
const counts = new Int32Array(reference.classes);
for (const label of reference.labels) counts[label] = (counts[label] ?? 0) + 1;
const classes: InputClasses = { labels: Int32Array.from(reference.labels), counts };
const sets = reference.sets.map((set) => Int32Array.from(set.units));
const layer: LayerSubclusters = {
  layer: 0,
  name: "layer",
  layerUnits: units,
  eligible: Int32Array.from({ length: units }, (_, unit) => unit),
  tested: sets.map((set, cluster) => ({ cluster, units: set })),
  filtered: [],
};
/** Float32 rows and six decimals. */
const CLOSE = 2e-6;

let tables: ActivationTables;
beforeAll(async () => {
  tables = await activationTables(Float32Array.from(reference.values), units, inputs, classes);
});

const expectClose = (found: number | undefined, expected: number | null | undefined) => {
  if (expected === null || expected === undefined) expect(found).toBeNaN();
  else expect(Math.abs((found ?? Number.NaN) - expected), `${found}, ${expected}`).toBeLessThan(CLOSE);
};

describe("coherence of activations", () => {
  it("is what scikit-learn and the definitions give, a constant unit among them", async () => {
    const { evaluate } = activationFamily(tables, layer, "strict");
    const values = await evaluate(sets, {});
    const describeSet = activationCoherence(tables, 5);
    for (const [number, expected] of reference.sets.entries()) {
      const found = values[number];
      for (const name of ["meanCorrelation", "leadingShare", "silhouette"] as const) {
        expectClose(found?.[name], expected[name]);
      }
      for (const name of ["classAuroc", "labelCka", "purity"] as const)
        expectClose(found?.[name], expected[name]);
      const described = describeSet(sets[number] as Int32Array);
      expected.classAurocs.forEach((auroc, c) => {
        expectClose(described.classAurocs[c], auroc);
      });
      expect([...described.topInputs]).toEqual(expected.topInputs);
      expected.topValues.forEach((value, i) => {
        expectClose(described.topValues[i], value);
      });
    }
  });

  it("does not depend on scale, sign and offset of units, but CKA on scale and purity on sign", async () => {
    const random = rng(0, "scales");
    const scales = Array.from(
      { length: units },
      () => Math.exp(random.normal()) * (random.uniform() < 0.5 ? -1 : 1),
    );
    const changed = Float32Array.from(reference.values, (value, i) => {
      const scale = scales[Math.floor(i / inputs)] as number;
      return scale * value + 3 * scale;
    });
    const others = await activationTables(changed, units, inputs, classes);
    const evaluate = async (of: ActivationTables) =>
      (await activationFamily(of, layer, "strict").evaluate(sets.slice(), {}))[0];
    const [one, other] = [await evaluate(tables), await evaluate(others)];
    for (const name of ["meanCorrelation", "leadingShare", "silhouette", "classAuroc"] as const) {
      expectClose(other?.[name], one?.[name]);
    }
    expect(Math.abs((other?.labelCka ?? 0) - (one?.labelCka ?? 0))).toBeGreaterThan(0.01);
  });

  it("is 1 for copies of one unit, and undefined for units that do not vary", async () => {
    const copies = Float32Array.from({ length: 4 * inputs }, (_, i) =>
      i < 2 * inputs ? (reference.values[i % inputs] as number) : 7,
    );
    const own = await activationTables(copies, 4, inputs, classes);
    const two: LayerSubclusters = {
      ...layer,
      eligible: Int32Array.of(0, 1, 2, 3),
      tested: [Int32Array.of(0, 1), Int32Array.of(2, 3)].map((set, cluster) => ({ cluster, units: set })),
    };
    const [alike, constant] = await activationFamily(own, two, "strict").evaluate(
      two.tested.map((subcluster) => subcluster.units),
      {},
    );
    expect(alike).toMatchObject({ meanCorrelation: 1, leadingShare: 1, silhouette: 1 });
    for (const value of Object.values(constant ?? {})) expect(value).toBeNaN();
    // One unit that varies beside a constant one: nothing to compare, but it has inputs that drive it.
    const mixed = activationCoherence(own, 2)(Int32Array.of(1, 2));
    expect(mixed.meanCorrelation).toBeNaN();
    expect(mixed.leadingShare).toBeNaN();
    expect(mixed.purity).toBeGreaterThan(0);
    expect(mixed.topInputs).toHaveLength(10);
  });

  it("takes units that are not finite as constant ones, and marks them", async () => {
    const values = Float32Array.from(reference.values);
    values[3] = Number.NaN;
    values[inputs + 5] = Number.POSITIVE_INFINITY;
    const own = await activationTables(values, units, inputs, classes);
    expect([...own.isUndefined.subarray(0, 3)]).toEqual([1, 1, 0]);
    const [found] = await activationFamily(own, layer, "strict").evaluate(sets, {});
    const pair = Math.abs(own.correlations[2 * units + 3] as number);
    expectClose(found?.meanCorrelation, pair / 6);
    expectClose(found?.leadingShare, (1 + pair) / 4);
  });

  it("has no classes without classes", async () => {
    const own = await activationTables(Float32Array.from(reference.values), units, inputs, null);
    const [found] = await activationFamily(own, layer, "strict").evaluate(sets, {});
    for (const name of ["classAuroc", "labelCka", "purity"] as const) expect(found?.[name]).toBeNaN();
    expectClose(found?.silhouette, reference.sets[0]?.silhouette);
    expect(own.profiles).toBeNull();
  });

  it("compares a set of protocol paper with what it leaves of the true subclusters", async () => {
    const { evaluate } = activationFamily(tables, layer, "paper");
    const found = await evaluate([...sets, Int32Array.of(0, 1, 4, 5)], {});
    reference.sets.forEach(({ silhouette }, i) => {
      expectClose(found[i]?.silhouette, silhouette);
    });
    // The same by an arrangement of all units, in which the set is one of five.
    const five = [
      [0, 1, 4, 5],
      [2, 3],
      [6, 7, 12],
      [8, 9, 10],
    ].map((set) => Int32Array.from(set));
    const other = { ...layer, tested: five.map((set, cluster) => ({ cluster, units: set })) };
    const [arranged] = await activationFamily(tables, other, "strict").evaluate(five, {});
    expectClose(found[3]?.silhouette, arranged?.silhouette);
  });
});

describe("cosines", () => {
  it("of class profiles are those of centred means of the activations as they are", () => {
    const directions = directionsOf(tables.profiles ?? new Float64Array(), units, 1e-7);
    expect(directions.hasDirection[12]).toBe(0);
    reference.sets.forEach(({ profileCosine }, i) => {
      expectClose(
        meanCosine(sets[i] as Int32Array, directions, new Float64Array(reference.classes)),
        profileCosine,
      );
    });
  });

  it("leave out what has no direction", () => {
    const { vectors, sets: some, means } = reference.cosines;
    const directions = directionsOf(Float64Array.from(vectors), 8);
    some.forEach((set, i) => {
      expectClose(meanCosine(Int32Array.from(set), directions, new Float64Array(4)), means[i]);
    });
    const notFinite = directionsOf(Float64Array.of(1, Number.NaN, 1, 2), 2);
    expect([...notFinite.hasDirection]).toEqual([0, 1]);
  });
});

describe("impacts of single units", () => {
  it("are the changes beyond the noise, by class", () => {
    const { isCorrectIntact, isCorrect, lossIncreases, accuracy, loss } = reference.lesion;
    const detail = {
      flipRate: 0,
      divergence: 0,
      isCorrect: Uint8Array.from(isCorrect),
      isCorrectIntact: Uint8Array.from(isCorrectIntact),
      lossIncreases: Float64Array.from(lossIncreases),
    };
    expect(accuracy.some((fall) => fall > 0)).toBe(true);
    expect(loss.some((rise) => rise > 0)).toBe(true);
    accuracyImpact(detail, classes).forEach((fall, c) => {
      expectClose(fall, accuracy[c]);
    });
    lossImpact(detail, classes).forEach((rise, c) => {
      expectClose(rise, loss[c]);
    });
  });
});

describe("CKA between subclusters", () => {
  it("is that of the definition, within a layer and between layers", async () => {
    const { rows, norms } = tables;
    const whole = await ckaMatrix([{ units, rows, norms, sets }], inputs);
    // Units 0-5 as one layer, the others as another, which divides the second set.
    const split = [0, 6].map((first) => ({
      units: first === 0 ? 6 : 7,
      rows: rows.slice(first * inputs, (first === 0 ? 6 : 13) * inputs),
      norms: norms.slice(first, first === 0 ? 6 : 13),
      sets: [first === 0 ? Int32Array.of(0, 1, 2, 3) : Int32Array.of(2, 3, 4)],
    }));
    const parts = await ckaMatrix(split, inputs);
    reference.similarity.flat().forEach((value, i) => {
      expectClose(whole[i], value);
    });
    expectClose(parts[1], reference.similarity[0]?.[2]);
    expect(parts[0]).toBe(1);
  });
});

describe("the leading component", () => {
  it.each([1, 2, 3, 7, 20, 90])("is that of ml-matrix, of %i rows", (size) => {
    const solve = makeLeadingComponent(90);
    for (let seed = 0; seed < 10; seed++) {
      const random = rng(seed, "matrix", size);
      // Few or many samples: gaps of all kinds, and matrices of low rank.
      const samples = 2 + random.integer(2 * size);
      const factor = Float64Array.from({ length: size * samples }, () => random.normal());
      const matrix = new Float64Array(size * size);
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) {
          let sum = 0;
          for (let s = 0; s < samples; s++) {
            sum += (factor[i * samples + s] as number) * (factor[j * samples + s] as number);
          }
          matrix[i * size + j] = sum / samples;
        }
      }
      const vector = new Float64Array(size);
      const value = solve(matrix, size, vector);
      const { values, vectors } = symmetricEigen(matrix, size);
      expect(Math.abs(value / (values[0] as number) - 1)).toBeLessThan(1e-10);
      const cosine = vector.reduce((sum, x, i) => sum + x * (vectors[i] as number), 0);
      const gap = 1 - (values[1] ?? 0) / (values[0] as number);
      expect(1 - Math.abs(cosine)).toBeLessThan(1e-12 / gap ** 2);
      expect(vector.reduce((sum, x) => sum + x, 0)).toBeGreaterThanOrEqual(0);
    }
  });

  it("is found where units oppose each other, and where several are leading", () => {
    const vector = new Float64Array(4);
    const opposed = Float64Array.from([1, 1, -1, -1].flatMap((a) => [1, 1, -1, -1].map((b) => a * b)));
    expect(makeLeadingComponent(4)(opposed, 4, vector)).toBeCloseTo(4, 12);
    const unrelated = Float64Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0));
    expect(makeLeadingComponent(4)(unrelated, 4, vector)).toBeCloseTo(1, 12);
    expect(Math.hypot(...vector)).toBeCloseTo(1, 12);
  });
});

it("every measure says in one line what it means", () => {
  for (const name of COHERENCE_NAMES) {
    const { meaning } = COHERENCE_MEASURES[name];
    expect(meaning.length).toBeGreaterThan(20);
    expect(meaning).not.toContain("\n");
  }
});
