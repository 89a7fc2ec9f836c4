/**
 * The published procedure where the partition knows nothing of the network: what its definition makes uniform is, and
 * nothing is small too often but for ties, which it counts in favour of the subcluster.
 */
import { describe, expect, it } from "vitest";
import { evaluateNetwork } from "../../src/network/evaluate.ts";
import { type LayerLesions, openLesions } from "../../src/network/lesions.ts";
import { layerNamed, loadNetworkBytes } from "../../src/network/network.ts";
import { countClasses } from "../../src/network/outcomes.ts";
import { baselineOf, damageOf, damagesBy } from "../../src/scores/damage.ts";
import { IMPORTANCE_MEASURES, MEASURES } from "../../src/scores/importance-measures.ts";
import { networkRow, type Verdict } from "../../src/scores/measures.ts";
import { type DrawPlan, drawNulls, poolOf, verdictsAmong } from "../../src/scores/null-values.ts";
import { findSubclusters } from "../../src/scores/subclusters.ts";
import { batesCdf } from "../../src/statistics/bates.ts";
import { fisherP, fisherStatistic } from "../../src/statistics/fisher.ts";
import { centerP } from "../../src/statistics/rank-p.ts";
import { rng } from "../../src/statistics/rng.ts";
import {
  CLASSES,
  calibrationData,
  calibrationNetwork,
  Family,
  randomPartition,
  remembered,
} from "../support/calibration.ts";

const SHUFFLES = 19;
const REPLICATES = 5;
const SEEDS = 1000;

/** Mean of -ln of a centred rank p among 19 under the null: (1 / 20) sum over j of -ln((j + 1/2) / 20). */
const NULL_STATISTIC = fisherStatistic(
  Array.from({ length: SHUFFLES + 1 }, (_, rank) => (rank + 0.5) / (SHUFFLES + 1)),
);

const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value / values.length, 0);

/** Rows of five values each. */
const fives = (values: readonly number[]): number[][] =>
  Array.from({ length: values.length / REPLICATES }, (_, row) =>
    values.slice(REPLICATES * row, REPLICATES * (row + 1)),
  );

/** The 20 values that a rank p has, as often as they are found. */
function gridCounts(ps: readonly number[]): number[] {
  const counts = new Array<number>(SHUFFLES + 1).fill(0);
  for (const p of ps) {
    const rank = Math.round(p * (SHUFFLES + 1)) - 1;
    expect(p).toBeCloseTo((rank + 1) / (SHUFFLES + 1), 12);
    counts[rank] = (counts[rank] as number) + 1;
  }
  return counts;
}

function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** P(chi-square with 19 degrees of freedom > this) = 1e-4 (SciPy's `chi2.isf`). */
const MOST_CHI_SQUARE = 50.795;

describe("the published procedure with random labels in place of the partition", () => {
  it("has uniform ranks, Fisher statistics with the mean of the null and no excess of small p", async () => {
    const family = new Family(11);
    const bytes = calibrationNetwork();
    const network = await loadNetworkBytes(bytes, "calibration");
    const data = await calibrationData(bytes);
    const counts = countClasses(data.labels, CLASSES);
    const baseline = baselineOf(await evaluateNetwork(network, data), counts, false);
    const opened = new Map<string, LayerLesions>();
    const bins: Record<string, readonly Int32Array[]> = {};
    for (const name of ["a", "b"]) {
      const layer = layerNamed(network, name);
      opened.set(name, remembered(await openLesions(network, layer, data)));
      bins[name] = [Int32Array.from({ length: layer.units }, (_, unit) => unit)];
    }
    const ps = { a: [] as number[], b: [] as number[] };
    const untied = { accuracy: [] as number[], classRange: [] as number[] };
    const statistics: number[] = [];
    const fisher: number[] = [];
    const plan: Omit<DrawPlan, "seed"> = { protocol: "paper", shuffles: SHUFFLES, base: SHUFFLES };
    for (let seed = 0; seed < SEEDS; seed++) {
      const losses: Verdict[] = [];
      for (const layer of findSubclusters(network, randomPartition(seed, bins))) {
        const lesions = opened.get(layer.name) as LayerLesions;
        const outcomes = await lesions.run(layer.tested.map(({ units }) => units));
        const damages = outcomes.map((outcome) => damageOf(outcome, baseline));
        const nulls = await drawNulls(
          damagesBy(lesions, baseline),
          layer,
          damages,
          IMPORTANCE_MEASURES,
          { ...plan, seed },
          bins[layer.name] ?? [],
          () => ({}),
        );
        const verdicts = damages.map((_, number) =>
          verdictsAmong(MEASURES, damages, number, nulls, { ...plan, seed }),
        );
        losses.push(...verdicts.map(({ loss }) => loss));
        // By its label: the first in the layer is the one that has the first unit, which is no random set.
        const number = layer.tested.findIndex(({ cluster }) => cluster === 0);
        const first = verdicts[number];
        ps[layer.name as "a" | "b"].push(first?.loss.p ?? Number.NaN);
        if (layer.name !== "a" || first === undefined) continue;
        // Ties count for the subcluster: p is the lower end of what a random order of equal values would give.
        for (const name of ["accuracy", "classRange"] as const) {
          const { statistic } = MEASURES[name];
          const own = statistic(damages[number] as (typeof damages)[number]);
          const equal = poolOf(number, nulls, "paper").filter((damage) => statistic(damage) === own).length;
          const place = rng(seed, "order of equals", name).integer(equal + 1);
          const { p, valid } = first[name];
          if (!Number.isNaN(p)) untied[name].push(p + (place - rng(seed, name).uniform()) / (valid + 1));
        }
      }
      const row = networkRow(losses, null, rng(seed));
      statistics.push(row.fisherStatistic);
      fisher.push(row.fisherP);
    }
    for (const lesions of opened.values()) await lesions.dispose();
    for (const layer of ["a", "b"] as const) {
      const found = chiSquare(gridCounts(ps[layer]));
      expect(found, layer).toBeLessThan(MOST_CHI_SQUARE);
      family.expectNotSmall(ps[layer], layer);
      family.expectNotLarge(
        ps[layer].map((p) => p - 1 / (SHUFFLES + 1)),
        layer,
      );
    }
    for (const name of ["accuracy", "classRange"] as const) {
      family.expectNotSmall(untied[name], name);
      family.expectNotLarge(untied[name], name);
    }
    // A mean of dependent terms has the mean of independent ones (method note 8.1, step 4: .983).
    expect(NULL_STATISTIC).toBeCloseTo(0.983, 3);
    family.expectMean(statistics, NULL_STATISTIC, "Fisher statistic");
    // Subclusters of a layer depend on each other negatively: Fisher's p is rarely small, and rarely large.
    family.expectRare(fisher.filter((p) => p <= 0.05).length, SEEDS, 0.05, "Fisher's p");
    const rows = fives(fisher).map((five) => batesCdf(meanOf(five), REPLICATES));
    family.expectRare(rows.filter((p) => p <= 0.05).length, rows.length, 0.05, "five replicates");
    family.expectComplete();
  });
});

describe("Fisher's p and Bates' distribution of five", () => {
  const EXPERIMENTS = 4000;

  it("are uniform for uniform p", () => {
    const family = new Family(4);
    const random = rng(1, "uniform p");
    const fisher = Array.from({ length: REPLICATES * EXPERIMENTS }, () =>
      fisherP(Array.from({ length: 10 }, () => random.uniform())),
    );
    family.expectNotSmall(fisher, "Fisher");
    family.expectNotLarge(fisher, "Fisher");
    const rows = fives(fisher).map((five) => batesCdf(meanOf(five), REPLICATES));
    family.expectNotSmall(rows, "Bates");
    family.expectNotLarge(rows, "Bates");
    family.expectComplete();
  });

  // Method note 8.1: P(P < .05) for S independent subclusters, and of five replicates.
  it.each([
    [10, 0.033, 0.04],
    [30, 0.029, 0.025],
    [100, 0.026, 0.017],
  ])(
    "are as conservative as the note says for %i subclusters of 19 random sets",
    (subclusters, one, five) => {
      const random = rng(2, "ranks", subclusters);
      const fisher = Array.from({ length: REPLICATES * EXPERIMENTS }, () =>
        fisherP(
          Array.from({ length: subclusters }, () =>
            centerP((1 + random.integer(SHUFFLES + 1)) / (SHUFFLES + 1), SHUFFLES),
          ),
        ),
      );
      const rows = fives(fisher).map((some) => batesCdf(meanOf(some), REPLICATES));
      const shareOf = (ps: readonly number[]) => ps.filter((p) => p < 0.05).length / ps.length;
      // Four standard errors and half of the note's last digit.
      const bound = (share: number, n: number) => 4 * Math.sqrt((share * (1 - share)) / n) + 0.0005;
      expect(Math.abs(shareOf(fisher) - one)).toBeLessThan(bound(one, fisher.length));
      expect(Math.abs(shareOf(rows) - five)).toBeLessThan(bound(five, rows.length));
    },
  );
});
