import { describe, expect, it } from "vitest";
import { combineRuns, type RunMeasure, type TableRun } from "../../src/scores/paper-table.ts";
import {
  formatTableCsv,
  formatTableLatex,
  tableCells,
  tableColumns,
} from "../../src/scores/paper-table-text.ts";
import { arrangementStatistics, permutationP, type Stratum } from "../../src/statistics/permutation-p.ts";
import { rng } from "../../src/statistics/rng.ts";

const flat: RunMeasure = { p: 0.5, fisherStatistic: 1, effects: [1, 1.2], arrangements: [] };

function run(label: string, given: Partial<TableRun> = {}, loss: Partial<RunMeasure> = {}): TableRun {
  return {
    label,
    isPruned: false,
    kind: "weights",
    scope: "global",
    measures: { loss: { ...flat, ...loss }, accuracy: flat, classRange: flat },
    ...given,
  };
}

/** Columns of the paper's table as the method note (8.1) has them. */
const PAPER_COLUMNS =
  "pruned?, network, activations?, local?, fisher_p_means, fisher_stat_means, effect_means, fisher_p_ranges, fisher_stat_ranges, effect_ranges";

describe("the paper's table", () => {
  it("has the note's columns, and the four partitions of every network in order", () => {
    const partitions = (["activations", "weights"] as const).flatMap((kind) =>
      (["local", "global"] as const).map((scope) => ({ kind, scope })),
    );
    const runs = ["VGG", "MLP"].flatMap((label) => partitions.map((given) => run(label, given)));
    const table = combineRuns("paper", runs);
    expect(tableColumns(table).join(", ")).toBe(PAPER_COLUMNS);
    expect(table.rows.map(({ label, kind, scope }) => `${label} ${kind} ${scope}`)).toEqual(
      ["VGG", "MLP"].flatMap((label) => [
        `${label} weights global`,
        `${label} weights local`,
        `${label} activations global`,
        `${label} activations local`,
      ]),
    );
    expect(formatTableCsv(table).split("\n")).toHaveLength(10);
  });

  it("has the note's columns of coherence behind them where runs have images, a family of their own", () => {
    const images = { score: { ...flat, p: 0.004 }, entropy: { ...flat, p: 0.3, effects: [] } };
    const importance = { loss: flat, accuracy: { ...flat, p: 0.04 }, classRange: flat };
    const table = combineRuns("paper", [
      run("A", { measures: { ...importance, ...images } }),
      run("B", { measures: importance }),
    ]);
    const columns =
      "fisher_p_score, fisher_stat_score, effect_score, fisher_p_entropy, fisher_stat_entropy, effect_entropy";
    expect(tableColumns(table).join(", ")).toBe(`${PAPER_COLUMNS}, ${columns}`);
    // .004 of two p-values; .04 of four would need .0125.
    expect(table.coherence).toEqual({ bh: 0.004, by: 0.004 });
    expect(table.bh).toBeNull();
    const [first, second] = table.rows;
    expect(first && tableCells(table, first).slice(10)).toEqual([
      "0.004*",
      "1.000",
      "1.100 +- 0.100",
      "0.300",
      "1.000",
      "-",
    ]);
    expect(second && tableCells(table, second).slice(10)).toEqual(["-", "-", "-", "-", "-", "-"]);
    expect(combineRuns("paper", [run("B")]).coherence).toBeNull();
  });

  it("leaves undefined p-values out of Bates' mean, and prints dashes where nothing is defined", () => {
    const undefinedRun = { ...flat, p: Number.NaN, effects: [] };
    const without = { measures: { loss: flat, accuracy: undefinedRun, classRange: undefinedRun } };
    const some = combineRuns("paper", [run("A"), run("A", without)]);
    expect(some.rows[0]?.measures.accuracy).toMatchObject({ p: 0.5, fisherStatistic: 1 });
    const none = combineRuns("paper", [run("A", without)]);
    const [row] = none.rows;
    expect(row && tableCells(none, row).slice(4)).toEqual(["-", "-", "-", "-", "-", "-"]);
    expect(none.bh).toBeNull();
  });

  it("keeps names as they are in LaTeX", () => {
    const name = "a_b & 50% \\input{x} $y$ #1 ~^<|>\nnext";
    const table = combineRuns("paper", [run(name), run(name, { kind: "activations" }), run("B")]);
    const latex = formatTableLatex(table);
    expect(latex).toContain(
      "no & a\\_b \\& 50\\% \\textbackslash{}input\\{x\\} \\$y\\$ \\#1 \\textasciitilde{}\\textasciicircum{}\\textless{}\\textbar{}\\textgreater{} next & no & no & 0.500 & 1.000 & 1.100 $\\pm$ 0.100 &",
    );
    expect(latex.split("\n").every((line) => (line.match(/[^\\]&/g)?.length ?? 0) % 9 === 0)).toBe(true);
  });

  it("stars what is significant over all p-values of the table", () => {
    const small = { measures: { loss: flat, accuracy: { ...flat, p: 0.001 }, classRange: flat } };
    const table = combineRuns("paper", [run("A", small), run("B"), run("B", { scope: "local" })]);
    expect(table.bh).toBe(0.001);
    const [row] = table.rows;
    expect(row && tableCells(table, row)[4]).toBe("0.001*");
    expect(formatTableLatex(table)).toContain("0.001$^*$");
  });
});

describe("replicates by protocol strict", () => {
  const sizes = [2, 2, 3];
  const stratum = (seed: number, isStrong: boolean): Stratum => {
    const random = rng(seed, "stratum");
    const values = Float64Array.from({ length: 20 * sizes.length }, () => random.uniform());
    if (isStrong) values.fill(0.9, 0, sizes.length);
    return { sizes, values };
  };
  const arrangementsOf = (strata: readonly Stratum[]) =>
    strata.map((each) => Array.from(arrangementStatistics(each)));

  it("are one permutation test of the layers of all", () => {
    const strata = [[stratum(1, true), stratum(2, false)], [stratum(3, true)], [stratum(4, false)]];
    const runs = strata.map((own) => run("A", {}, { arrangements: arrangementsOf(own) }));
    const [row] = combineRuns("strict", runs).rows;
    // All 20^4 choices of one arrangement a layer, counted out.
    const tables = arrangementsOf(strata.flat());
    const observed = tables.reduce((sum, table) => sum + (table[0] ?? 0), 0);
    const sums = tables.reduce<number[]>(
      (all, table) => all.flatMap((sum) => table.map((t) => sum + t)),
      [0],
    );
    const exact = sums.filter((sum) => sum >= observed - 1e-9).length / sums.length;
    expect(exact).toBeLessThan(0.1);
    // Of 9,999 draws: four standard errors.
    const bound = 4 * Math.sqrt((exact * (1 - exact)) / 9999);
    expect(Math.abs((row?.measures.loss?.p ?? 1) - exact)).toBeLessThan(bound);
    expect(row).toMatchObject({ replicates: 3 });
    expect(combineRuns("strict", runs)).toEqual(combineRuns("strict", runs));
  });

  it("have the mean of the replicates' effects and of their errors; one run keeps its p", () => {
    const runs = [
      run("A", {}, { effects: [1, 1.2, 1.4], arrangements: arrangementsOf([stratum(1, false)]) }),
      run("A", {}, { effects: [1.8], p: Number.NaN }),
      run("A", {}, { effects: [1.5, 1.7], arrangements: arrangementsOf([stratum(2, false)]) }),
    ];
    const loss = combineRuns("strict", runs).rows[0]?.measures.loss;
    expect(loss?.effect).toBeCloseTo((1.2 + 1.6) / 2, 12);
    expect(loss?.effectError).toBeCloseTo((0.2 / Math.sqrt(3) + 0.1) / 2, 12);
    expect(combineRuns("strict", [run("A", {}, { p: 0.0123 })]).rows[0]?.measures.loss?.p).toBe(0.0123);
  });

  it("are uniform together where every one is under the null", () => {
    let small = 0;
    for (let seed = 0; seed < 200; seed++) {
      const strata = [0, 1, 2, 3, 4].map((replicate) => stratum(1000 + 5 * seed + replicate, false));
      const runs = strata.map((own) => run("A", {}, { arrangements: arrangementsOf([own]) }));
      const p = combineRuns("strict", runs).rows[0]?.measures.loss?.p ?? Number.NaN;
      if (p <= 0.2) small++;
      if (seed > 0) continue;
      // The same as a network that has all these layers, but for the draws.
      expect(Math.abs(p - permutationP(strata, 9999, rng(1)).p)).toBeLessThan(0.03);
    }
    // 40 of 200 with a standard deviation of 5.7.
    expect(Math.abs(small - 40)).toBeLessThan(20);
  });
});
