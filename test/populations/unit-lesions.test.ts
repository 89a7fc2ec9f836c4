import { describe, expect, it } from "vitest";
import { openLesions } from "../../src/network/lesions.ts";
import { layerNamed, type Network } from "../../src/network/network.ts";
import type { LabelledInputs } from "../../src/network/outcomes.ts";
import { drawDonors, type LesionKind } from "../../src/network/replacement.ts";
import { bitOf, correctRow } from "../../src/populations/correctness.ts";
import { lesionUnits } from "../../src/populations/unit-lesions.ts";
import { type InputClasses, inputClasses } from "../../src/scores/input-classes.ts";
import { openMeanBootstrap } from "../../src/scores/mean-bootstrap.ts";
import { bootstrap, percentileInterval } from "../../src/statistics/bootstrap.ts";
import { rng } from "../../src/statistics/rng.ts";
import { randomData } from "../support/models.ts";
import { randomMlp } from "../support/population-nets.ts";

const INPUTS = 90;
const CLASSES = 3;

async function lesionAll(network: Network, name: string, data: LabelledInputs, kind: LesionKind) {
  const layer = layerNamed(network, name);
  const units = Int32Array.from({ length: layer.units }, (_, unit) => unit);
  const bootstrap = openMeanBootstrap(data.count, () => rng(0, "bootstrap"));
  const classes = inputClasses(network, data) as InputClasses;
  const lesions = await openLesions(network, layer, data, { seed: 3 });
  try {
    const options = { kind, bootstrap };
    return await lesionUnits(lesions, layer.units, data.count, classes, units, options, () => ({}));
  } finally {
    await lesions.dispose();
    await bootstrap.dispose();
  }
}

const lossOf = (logits: readonly number[], label: number): number => {
  const most = Math.max(...logits);
  return Math.log(logits.reduce((sum, x) => sum + Math.exp(x - most), 0)) + most - (logits[label] as number);
};
const answerOf = (logits: readonly number[]): number => logits.indexOf(Math.max(...logits));

describe("lesions of single units", () => {
  it.each(["zero", "mean", "resample"] as const)(
    "by %s give what the whole network gives with the unit's output replaced",
    async (kind) => {
      const { network, forward } = await randomMlp([5, 7, 6, CLASSES], 4);
      const data = randomData(INPUTS, [5], CLASSES, 2);
      const inputs = Array.from({ length: INPUTS }, (_, i) => data.batch(i, 1));
      const found = await lesionAll(network, "layer2", data, kind);
      const counts = [0, 1, 2].map((c) => data.labels.filter((label) => label === c).length);

      const outputs: number[][] = [];
      const intact = inputs.map((input) =>
        forward(input, (layer, values) => {
          if (layer === 1) outputs.push([...values]);
        }),
      );
      const isRight = intact.map((logits, i) => (answerOf(logits) === data.labels[i] ? 1 : 0));
      const means = Array.from({ length: 6 }, (_, unit) =>
        outputs.reduce((sum, values) => sum + (values[unit] as number) / INPUTS, 0),
      );
      const donors = kind === "resample" ? drawDonors(INPUTS, 3) : [null];
      for (let unit = 0; unit < 6; unit++) {
        const replaced = (i: number, donor: Int32Array | null) =>
          kind === "zero"
            ? 0
            : kind === "mean"
              ? (means[unit] as number)
              : (outputs[donor?.[i] as number]?.[unit] as number);
        const runs = donors.map((donor) =>
          inputs.map((input, i) =>
            forward(input, (layer, values) => {
              if (layer === 1) values[unit] = replaced(i, donor);
            }),
          ),
        );
        const right = runs.map((run) =>
          run.map((logits, i) => (answerOf(logits) === data.labels[i] ? 1 : 0)),
        );
        const share = (i: number) =>
          right.reduce<number>((sum, run) => sum + (run[i] as number), 0) / right.length;
        const rises = inputs.map((_, i) => {
          const label = data.labels[i] as number;
          const after = runs.reduce((sum, run) => sum + lossOf(run[i] as number[], label), 0) / runs.length;
          return after - lossOf(intact[i] as number[], label);
        });
        const total = (of: (i: number) => number, c = -1) =>
          inputs.reduce((sum, _, i) => sum + (c < 0 || data.labels[i] === c ? of(i) : 0), 0);
        const fall = (i: number) => (isRight[i] as number) - share(i);
        expect(found.accuracyImpact[unit]).toBeCloseTo(total(fall) / INPUTS, 12);
        // Log-probabilities are float32.
        expect(found.lossImpact[unit]).toBeCloseTo(total((i) => rises[i] as number) / INPUTS, 5);
        const flips = runs.flatMap((run) =>
          run.map((logits, i) => (answerOf(logits) === answerOf(intact[i] as number[]) ? 0 : 1)),
        );
        expect(found.flipRate[unit]).toBeCloseTo(
          flips.reduce<number>((sum, flip) => sum + flip, 0) / flips.length,
          12,
        );
        for (let c = 0; c < CLASSES; c++) {
          const impact = total(fall, c) / (counts[c] as number);
          expect(found.classImpact[unit * CLASSES + c]).toBeCloseTo(impact, 12);
          expect(found.classLossImpact[unit * CLASSES + c]).toBeCloseTo(
            total((i) => rises[i] as number, c) / (counts[c] as number),
            5,
          );
          const accuracy = total((i) => isRight[i] as number, c) / (counts[c] as number);
          const noise = 2 * Math.sqrt((accuracy * (1 - accuracy)) / (counts[c] as number));
          expect(found.noise[c]).toBeCloseTo(noise, 12);
          const expected = Math.abs(impact) < noise ? 0 : impact;
          expect(found.accuracyProfile[unit * CLASSES + c]).toBeCloseTo(expected, 12);
        }
        const row = correctRow(found.correctness, unit);
        inputs.forEach((_, i) => {
          expect(bitOf(row, i)).toBe(share(i) > 0.5 ? 1 : 0);
          expect(bitOf(found.correctness.intact, i)).toBe(isRight[i]);
        });
      }
    },
  );

  it("have intervals around the impact, and nothing for units that were not lesioned", async () => {
    const { network } = await randomMlp([5, 7, CLASSES], 4);
    const data = randomData(INPUTS, [5], CLASSES, 2);
    const layer = layerNamed(network, "layer1");
    const bootstrap = openMeanBootstrap(INPUTS, () => rng(0, "bootstrap"));
    const classes = inputClasses(network, data) as InputClasses;
    const some = Int32Array.of(2, 5);
    const lesions = await openLesions(network, layer, data);
    const lesion = (units: Int32Array) =>
      lesionUnits(lesions, layer.units, INPUTS, classes, units, { kind: "zero", bootstrap }, () => ({}));
    const found = await lesion(some);
    const none = await lesion(new Int32Array());
    await lesions.dispose();
    await bootstrap.dispose();
    for (const unit of some) {
      expect(found.lossLow[unit]).toBeLessThan(found.lossImpact[unit] as number);
      expect(found.lossHigh[unit]).toBeGreaterThan(found.lossImpact[unit] as number);
      expect(found.accuracyLow[unit]).toBeLessThanOrEqual(found.accuracyImpact[unit] as number);
      expect(found.accuracyHigh[unit]).toBeGreaterThanOrEqual(found.accuracyImpact[unit] as number);
    }
    expect(found.lossImpact[0]).toBeNaN();
    expect(Array.from(correctRow(found.correctness, 0))).toEqual(Array.from(found.correctness.intact));
    expect(none.lossImpact.every(Number.isNaN)).toBe(true);
    expect(Array.from(none.correctness.intact)).toEqual(Array.from(found.correctness.intact));
  });
});

describe("bootstrap of many means", () => {
  it("is that of one row after another, whatever comes in one call", async () => {
    const inputs = 50;
    const random = rng(1, "rows");
    const rows = Array.from({ length: 7 }, (_, row) =>
      Float64Array.from({ length: inputs }, () => 100 * row + random.normal() * 10 ** -row),
    );
    rows.push(new Float64Array(inputs).fill(0.25));
    const drawn: Int32Array[] = [];
    bootstrap(inputs, 1000, rng(5, "bootstrap"), (counts) => {
      drawn.push(Int32Array.from(counts));
    });
    const expected = rows.map((row) =>
      percentileInterval(
        Float64Array.from(drawn, (counts) =>
          row.reduce((sum, value, input) => sum + (value * (counts[input] as number)) / inputs, 0),
        ),
      ),
    );
    const means = openMeanBootstrap(inputs, () => rng(5, "bootstrap"));
    const flat = (some: readonly Float64Array[]) => Float32Array.from(some.flatMap((row) => Array.from(row)));
    const together = await means.intervals(flat(rows), rows.length);
    const apart = [
      ...(await means.intervals(flat(rows.slice(0, 3)), 3)),
      ...(await means.intervals(flat(rows.slice(3)), rows.length - 3)),
    ];
    await means.dispose();
    expect(apart).toEqual(together);
    together.forEach(({ low, high }, row) => {
      // Rows are float32: 600.000001 and its like lose their last digits.
      expect(low).toBeCloseTo(expected[row]?.low ?? Number.NaN, 4);
      expect(high).toBeCloseTo(expected[row]?.high ?? Number.NaN, 4);
    });
    expect(together.at(-1)).toEqual({ low: 0.25, high: 0.25 });
  });
});
