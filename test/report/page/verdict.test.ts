/** The first screen's sentences, over everything that a run can find. */
import { describe, expect, it } from "vitest";
import { verdictOf } from "../../../src/report/page/sections/headline/verdict.ts";
import type { ReportData } from "../../../src/report/report-data.ts";
import type { NetworkEntry, ScoresDocument } from "../../../src/report/scores-document.ts";
import { reportData } from "../../support/report-data.ts";

const ROW: NetworkEntry = {
  fisherStatistic: 1,
  fisherP: 0.4,
  permutationP: 0.4,
  effect: 1,
  effectError: 0.1,
  tested: 34,
  undefinedP: 0,
  significant: 0,
  significantBH: 0,
  bh: 0.6,
  by: 0.9,
};

type Rows = Readonly<Record<string, Partial<NetworkEntry>>>;

/** A document with these rows; a missing group was not scored. */
function documentWith(
  importance: Rows | undefined,
  coherence: Rows | undefined,
  changes: Partial<ScoresDocument> = {},
  kind: "weights" | "activations" = "weights",
): ReportData {
  const data = reportData();
  const full = (rows: Rows) =>
    Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, { ...ROW, ...row }]));
  const network = {
    ...(importance && { importance: full(importance) }),
    ...(coherence && { coherence: full(coherence) }),
  };
  return {
    ...data,
    graph: { ...data.graph, kind },
    scores: { ...(data.scores as ScoresDocument), network, ...changes },
  };
}

const STRONG = { permutationP: 0.0001, by: 0.0006, significant: 7 };
const WEAK = { permutationP: 0.03, by: 0.12 };
const UNDEFINED = { permutationP: null, by: null, bh: null, tested: 0, undefinedP: 34 };

describe("the verdict", () => {
  it("of a network whose clusters matter and act as one", () => {
    expect(verdictOf(documentWith({ accuracy: STRONG }, { meanCorrelation: STRONG, purity: {} }))).toEqual({
      tone: "good",
      answer: "Consistent with local specialization",
      importance:
        "The clusters of this network matter more than chance: lesions of 7 of its 34 subclusters cost more accuracy than lesions of random groups of the same layer and size (permutation p < .001).",
      coherence:
        "The units of its subclusters act as one more than random groups do, by 1 of 2 measures: they act alike over the inputs (permutation p < .001).",
    });
  });

  it("goes by the loss where loss and accuracy say as much, by the stronger where not", () => {
    const equal = verdictOf(documentWith({ accuracy: STRONG, loss: STRONG }, undefined));
    expect(equal.importance).toContain("raise the loss more");
    const unequal = verdictOf(documentWith({ accuracy: STRONG, loss: {} }, undefined));
    expect(unequal.importance).toContain("cost more accuracy");
    // A range says what is hit, not that something is.
    const range = verdictOf(documentWith({ classRange: STRONG, loss: {} }, undefined));
    expect(range.answer).toBe("No evidence of local specialization");
  });

  it("of a network whose single subclusters do not stand out", () => {
    const { importance, answer, coherence } = verdictOf(
      documentWith({ loss: { ...STRONG, significant: 0 } }, undefined),
    );
    expect(answer).toBe("Its clusters are important beyond chance");
    expect(importance).toMatch(/^Taken together, .* None of the 34 subclusters stands out on its own\.$/);
    expect(coherence).toBe("Whether their units act as one was not scored.");
  });

  it("of a network where all stand out", () => {
    const { importance } = verdictOf(documentWith({ loss: { ...STRONG, significant: 34 } }, undefined));
    expect(importance).toContain("lesions of all 34 subclusters raise the loss more");
  });

  it("says what is known of the other question", () => {
    const answer = (coherence: Partial<NetworkEntry>) =>
      verdictOf(documentWith({ loss: STRONG }, { purity: coherence })).answer;
    expect([answer({}), answer(WEAK), answer(UNDEFINED)]).toEqual([
      "Its clusters are important beyond chance; for coherence there is no evidence",
      "Its clusters are important beyond chance; for coherence there is a hint",
      "Its clusters are important beyond chance",
    ]);
  });

  it("tells a hint from evidence", () => {
    const { tone, answer, importance, coherence } = verdictOf(
      documentWith({ loss: WEAK, accuracy: {} }, { purity: { permutationP: 0.04, by: 0.3 }, score: {} }),
    );
    expect([tone, answer]).toEqual(["warn", "A hint of local specialization, no more"]);
    expect(importance).toBe(
      "There is a hint, but no more, that the clusters of this network matter more than chance: the permutation p of the loss, .030, becomes .120 once the number of measures is allowed for.",
    );
    expect(coherence).toContain("hinted at by 1 of 2 measures");
    expect(coherence).toContain("by none once the number of measures is allowed for");
  });

  it("never takes absence of evidence for evidence of absence", () => {
    const { tone, answer, importance, coherence } = verdictOf(documentWith({ loss: {} }, { purity: {} }));
    expect([tone, answer]).toEqual(["neutral", "No evidence of local specialization"]);
    expect(importance).toContain("(permutation p = .400)");
    expect(importance).toMatch(/absence of evidence, not evidence of absence\.$/);
    expect(coherence).toMatch(/^No evidence .* by any of 1 measure\.$/);
  });

  it("names single subclusters that stand out where the network does not", () => {
    const one = verdictOf(documentWith({ loss: { significant: 1 } }, undefined));
    expect(one.importance).toContain("On its own, 1 of its 34 subclusters stands out.");
    const two = verdictOf(documentWith({ loss: { ...WEAK, significant: 2 } }, undefined));
    expect(two.importance).toContain("On their own, 2 of its 34 subclusters stand out.");
  });

  it("with nothing scored, only coherence, or nothing defined", () => {
    expect(verdictOf({ ...reportData(), scores: null }).answer).toBe("Not tested yet");
    const coherent = verdictOf(documentWith(undefined, { purity: STRONG }));
    expect(coherent.answer).toBe("Its clusters are coherent beyond chance");
    expect(coherent.importance).toContain("was not scored");
    const both = verdictOf(documentWith({ loss: UNDEFINED }, { purity: UNDEFINED }));
    expect([both.answer, both.tone]).toEqual(["Could not be tested", "neutral"]);
    expect(both.importance).toContain("no subcluster has a defined p-value");
    expect(both.coherence).toContain("no subcluster has a defined p-value");
    expect(verdictOf(documentWith({ loss: {} }, { purity: STRONG })).answer).toBe(
      "Its clusters are coherent beyond chance; for importance there is no evidence",
    );
  });

  it("by Fisher's p in protocol paper, whose permutation p is null", () => {
    const row = { permutationP: null, fisherP: 0.002, by: 0.004, significant: 3 };
    const { importance, answer } = verdictOf(
      documentWith({ accuracy: row }, undefined, { protocol: "paper" }),
    );
    expect(answer).toBe("Its clusters are important beyond chance");
    expect(importance).toContain("(Fisher's p = .002)");
    expect(importance).not.toContain("permutation");
  });

  it("does not praise activations for being coherent with themselves", () => {
    const { tone, coherence } = verdictOf(documentWith({ loss: {} }, { purity: STRONG }, {}, "activations"));
    expect(tone).toBe("warn");
    expect(coherence).toMatch(/by construction\.$/);
    expect(verdictOf(documentWith({ loss: STRONG }, { purity: STRONG }, {}, "activations")).tone).toBe(
      "good",
    );
  });
});
