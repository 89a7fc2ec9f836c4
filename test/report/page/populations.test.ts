import { describe, expect, it } from "vitest";
import {
  agreementSentence,
  claimSentence,
  costSentence,
  groupsSentence,
  introSentence,
  pairsSentence,
  strongestOf,
  strongestSentence,
} from "../../../src/report/page/sections/populations/sentences.ts";
import { impactSentence, spreadOf } from "../../../src/report/page/sections/populations/spread.ts";
import { clustersOfUnits, unitRows } from "../../../src/report/page/sections/populations/unit-rows.ts";
import { madeGroup, madePair, madePopulations, madeUnits } from "../../support/findings-data.ts";
import { reportData } from "../../support/report-data.ts";

const { claim = [], agreements = [] } = madePopulations();

describe("the claim", () => {
  it("holds where nothing tells, whatever the number of layers", () => {
    expect(claimSentence(claim)).toBe(
      "Nothing measured of a unit tells its importance by itself: in none of the 2 layers does magnitude or selectivity rank the units as their lesions do.",
    );
    expect(claimSentence(claim.slice(0, 1))).toMatch(
      /in conv1 neither magnitude nor selectivity ranks the units/,
    );
  });

  it("is contradicted where something tells", () => {
    const told = claim.map((row) =>
      row.layer === "conv1" ? { ...row, toldBy: ["magnitude (lesions by zero)"] } : row,
    );
    expect(claimSentence(told)).toBe(
      "In 1 of 2 layers one quantity alone tells importance (conv1: magnitude (lesions by zero)).",
    );
    expect(claimSentence(claim.map((row) => ({ ...row, toldBy: null })))).toMatch(
      /no correlation is defined/,
    );
  });

  it("names the strongest indicator, whichever its sign, with its share of variance", () => {
    expect(strongestSentence(claim)).toBe(
      "The closest over all layers is magnitude (lesions by zero): Spearman −0.30 [−0.40, −0.20], 9 % of the ranks' variance. Even the impact depends on what replaces a unit: impacts by zero and by mean correlate by 0.50 [0.40, 0.60].",
    );
    expect(strongestOf([])).toBeNull();
    expect(strongestSentence([])).toBeNull();
    const one = claim[0]?.tellings[0];
    expect(one && strongestOf([{ ...one, rho: null }])).toBeNull();
  });
});

describe("what populations say", () => {
  it("says what recorded activations cannot tell", () => {
    const { lesions: _, ...recorded } = madePopulations();
    expect(introSentence(recorded)).toMatch(/nothing can be lesioned in/);
    expect(introSentence(madePopulations())).toMatch(/its output replaced by zero, and by its mean\.$/);
  });

  it("calls agreement by p and by size", () => {
    const [found, none] = agreements;
    if (!found?.overall || !none) throw new Error("the document changed");
    const told = (ami: number, p: number) => {
      const test = { mean: 0.2, sd: 0.01, z: 1, p };
      const withinLayers = { ami: test, ari: test };
      return agreementSentence({ ...found, overall: { units: 9, ami, ari: 0, withinLayers } });
    };
    expect(told(0.21, 0.4)).toMatch(/no more alike than by chance \(AMI 0\.21, by chance 0\.20; p \.400\)$/);
    expect(told(0.25, 0.001)).toMatch(/: a little more alike/);
    expect(told(0.7, 0.001)).toMatch(/: more alike/);
    expect(agreementSentence(none)).toMatch(/no unit is in both/);
  });

  it("counts populations that cost more than random sets, kind by kind", () => {
    const untested = madeGroup({ against: null });
    expect(groupsSentence([madeGroup(), madeGroup({ kind: "co-impact" }), untested])).toBe(
      "1 of 1 co-response and 1 of 1 co-impact populations cost more loss than random sets of their size (p at most .05, each for itself: one in twenty would by chance). 3 of 3 lose more accuracy together than the sum of what their units lose alone: these stand in for each other.",
    );
    expect(groupsSentence([untested])).toMatch(/^No population was compared/);
  });

  it("tells backing up from sharing a path", () => {
    const sharing = madePair({
      synergy: -0.01,
      interval: [-0.02, -0.001],
      states: { lost: 1, kept: 2, gained: 0, "lost only jointly": 0, "never right": 0 },
    });
    expect(pairsSentence([madePair(), sharing])).toBe(
      "2 pairs of units that interact most: 1 cost more together than the sum of both (they stand in for each other), 1 less (they share a path). With 1 of them some inputs are lost only where both are gone.",
    );
  });
});

describe("units", () => {
  const data = reportData();
  const clusterOf = clustersOfUnits({ data });

  it("are in the clusters that the map has", () => {
    expect([clusterOf("conv1", 4), clusterOf("conv1", 11), clusterOf("no layer", 0)]).toEqual([
      1,
      null,
      null,
    ]);
  });

  it("come without dead ones, those that cost most first", () => {
    const rows = unitRows({ units: madeUnits("conv1", 12) }, { layer: "conv1", kind: "zero" }, clusterOf);
    expect(rows.map(({ unit }) => unit)).toEqual([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    expect(
      unitRows({ units: madeUnits("conv1", 12) }, { layer: "conv1", kind: "resample" }, clusterOf),
    ).toEqual([]);
    // Loss (u - 1) / 100 +- 0.01: above 0 from unit 3 on, below for none but where 0 is the end itself.
    expect(costSentence(rows)).toMatch(/above 0 for 8 of 11 living units, below 0 for 0;/);
  });

  it("spread over populations beside the layer's share", () => {
    const units = madeUnits("conv1", 12);
    const own = units.filter(({ unit }) => [0, 2, 4, 5].includes(unit));
    expect(spreadOf(own, units, ({ coResponse }) => coResponse)).toEqual([
      { population: 0, units: 3, share: 0.75, layerShare: 0.5 },
      { population: 1, units: 1, share: 0.25, layerShare: 0.5 },
    ]);
  });

  it("are compared with their layer", () => {
    const units = madeUnits("conv1", 12);
    const own = units.filter(({ unit }) => unit >= 9);
    expect(impactSentence(own, units, "zero")).toBe(
      "Lesioned one by one (by zero), its units add a loss of 0.0900 at the median, those of the layer 0.0450; 2 of its 3 units are among the costliest tenth of the layer.",
    );
    expect(impactSentence([], units, "zero")).toBe("None of its units was lesioned by zero.");
  });
});
