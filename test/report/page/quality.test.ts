import { describe, expect, it } from "vitest";
import type { NullTest } from "../../../src/partition/partition.ts";
import { shorten } from "../../../src/report/page/names.ts";
import {
  gapSentence,
  largestGap,
  nullSentence,
  stabilityName,
  stabilitySentence,
} from "../../../src/report/page/sections/quality/texts.ts";

describe("eigenvalues", () => {
  it("fall most behind the number of pieces", () => {
    expect(largestGap([1, 0.99, 0.98, 0.4, 0.39])).toEqual({ after: 3, size: expect.closeTo(0.58, 12) });
    expect(largestGap([1])).toBeNull();
  });

  it("say whether k is theirs", () => {
    const values = [1, 0.99, 0.98, 0.4, 0.39];
    expect(gapSentence(values, 3)).toContain("the graph itself suggests the 3 clusters");
    expect(gapSentence(values, 4)).toBe(
      "The eigenvalues fall most behind number 3 (by 0.58); behind number 4 by 0.01: the graph suggests 3 clusters rather than 4 clusters.",
    );
    // With k values the fall behind the k-th is not known.
    expect(gapSentence([1, 0.3, 0.29], 3)).toBe(
      "The eigenvalues fall most behind number 1 (by 0.7): the graph does not fall apart by itself into 3 clusters.",
    );
    expect(gapSentence([1, 0.3], null)).toBe("The eigenvalues fall most behind number 1 (by 0.7).");
    expect(gapSentence([], 3)).toContain("Too few");
  });
});

describe("nulls", () => {
  const test = (cut: number, modular: number, draws: number = 19): NullTest => ({
    null: "weights",
    draws,
    ncut: { mean: 1, sd: 0.1, z: -3, p: cut },
    modularity: { mean: 1, sd: 0.1, z: 3, p: modular },
  });

  it("are beaten by both figures, one, or none", () => {
    expect(nullSentence([test(0.05, 0.05)])).toMatch(
      /by both figures\. With 19 draws p cannot be below \.050\.$/,
    );
    expect(nullSentence([test(0.01, 0.2)])).toContain("by its n-cut alone");
    // All of few draws beaten is no "no better".
    const few = {
      null: "weights",
      draws: 9,
      ncut: test(0.1, 0.1).ncut,
      modularity: test(0.1, 0.1).modularity,
    } as const;
    expect(nullSentence([few])).toMatch(
      /better than every one .* too few to tell by p: --nulls 50\. With 9 draws/,
    );
    expect(nullSentence([{ ...few, draws: 19 }])).toContain("no better than");
    expect(nullSentence([test(0.2, 0.01)])).toContain("by its modularity alone");
    expect(nullSentence([test(0.2, 0.2)])).toContain("no better");
  });

  it("count only where all of them are beaten", () =>
    expect(nullSentence([test(0.01, 0.01), test(0.2, 0.2, 9)])).toMatch(
      /no better .* 9 draws p cannot be below \.100/,
    ));
});

describe("stability", () => {
  it("tells the units that do not stay", () => {
    const row = { name: "seeds", runs: 10, ami: 0.57, leastAmi: 0.5, elementCentric: 0.4, clusters: 16 };
    expect(stabilitySentence({ runs: 10, rows: [row], unstable: 5, threshold: 0.6 }, 20)).toBe(
      "Other seeds agree with an AMI of 0.57 (lowest 0.50): another run finds rather different clusters. 5 of 20 units (25 %) stay with their cluster in less than 60 % of the runs.",
    );
    expect(
      stabilitySentence({ runs: 10, rows: [{ ...row, ami: 0.9 }], unstable: 0, threshold: 0.6 }, 0),
    ).toContain("much the same clusters");
    expect([stabilityName("seeds", 10), stabilityName("k 15", 1)]).toEqual(["10 other seeds", "k 15"]);
  });
});

describe("long names", () => {
  it("keep both ends", () => {
    expect(shorten("/model/encoder/layer.11/Gemm", 12)).toBe("/model…/Gemm");
    expect(shorten("short", 12)).toBe("short");
  });
});
