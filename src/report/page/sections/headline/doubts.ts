/** How sure a verdict is: what speaks for it, what against, and what was not looked at. */
import type { ReportData } from "../../../report-data.ts";
import type { ScoresDocument } from "../../../scores-document.ts";
import { count, decimals, formatP, percent, plural } from "../../format.ts";
import { measureLabel } from "../../measure-names.ts";
import { beatsAll } from "../quality/texts.ts";
import { importanceLead, isPaper, LEVEL } from "./evidence.ts";

/** `open`: not measured. */
export interface Doubt {
  readonly tone: "good" | "warn" | "open";
  readonly title: string;
  readonly text: string;
}

/** AMI over seeds below which a partition says little (as on the command line). */
const LEAST_STABLE = 0.6;

export function doubtsOf(data: ReportData): Doubt[] {
  const { scores } = data;
  return [...(scores === null ? [] : scoreDoubts(scores, data)), nullDoubt(data), stabilityDoubt(data)];
}

function scoreDoubts(scores: ScoresDocument, { graph }: ReportData): Doubt[] {
  const doubts: Doubt[] = [
    isPaper(scores)
      ? {
          tone: "warn",
          title: "Fisher's p",
          text: `Protocol paper has no permutation p. Fisher's p takes subclusters for independent, which they are not, and rests on ${plural(scores.shuffles, "random set")} for each; --protocol strict gives an exact one.`,
        }
      : {
          tone: "good",
          title: "Permutation p",
          text: `Labels were permuted within layers, so that the network's p is exact whatever depends on what. The control are ${count(scores.shuffles)} random sets of the same layer and size${scores.match === "size" ? "" : `, of like ${scores.match}`}.`,
        },
  ];
  const lead = importanceLead(scores);
  const effect = lead?.row.effect ?? null;
  if (
    lead !== null &&
    (lead.evidence === "strong" || lead.evidence === "weak") &&
    effect !== null &&
    effect <= 1
  ) {
    doubts.push({
      tone: "warn",
      title: "Mean effect not above chance",
      text: `The mean effect on ${measureLabel(lead.measure)} is ${decimals(effect, 2)} ± ${decimals(lead.row.effectError, 2)} (1 = as random sets): a few subclusters carry the result.`,
    });
  }
  const floor = floorDoubt(scores);
  if (floor !== null) doubts.push(floor);
  if (scores.network.importance && scores.lesion === "zero") {
    doubts.push({
      tone: "warn",
      title: "Lesions by zero",
      text: "Zeros are values that the network may never see, and hit large values hardest. --lesion zero,mean,resample tells whether other lesions rank the subclusters alike.",
    });
  }
  if (scores.network.coherence && graph.kind === "activations") {
    doubts.push({
      tone: "warn",
      title: "Same inputs",
      text: "A partition of activations is coherent by construction on the inputs that it was made from. Build the graph from some inputs and score it on others (--skip, --take).",
    });
  }
  return doubts;
}

/**
 * With R random sets a subcluster's p is 1 / (R + 1) at least; so many of m subclusters must reach that before
 * Benjamini-Yekutieli calls any of them significant.
 */
export function leastAtFloor(shuffles: number, tested: number): number {
  return Math.ceil(((1 / (shuffles + 1)) * tested * harmonic(tested)) / LEVEL - 1e-9);
}

/** Random sets with which a single subcluster could be significant. */
export const shufflesForOne = (tested: number): number =>
  Math.ceil((tested * harmonic(tested)) / LEVEL - 1e-9) - 1;

const harmonic = (terms: number): number =>
  Array.from({ length: terms }, (_, at) => 1 / (at + 1)).reduce((sum, term) => sum + term, 0);

function floorDoubt(scores: ScoresDocument): Doubt | null {
  const row = importanceLead(scores)?.row ?? Object.values(scores.network.coherence ?? {})[0];
  if (row === undefined || row.tested < 2 || row.significant > 0) return null;
  const least = leastAtFloor(scores.shuffles, row.tested);
  if (least < 2) return null;
  return {
    tone: "warn",
    title: "Few random sets for so many tests",
    text: `With ${count(scores.shuffles)} random sets the p of a subcluster hardly falls below ${formatP(1 / (scores.shuffles + 1))}: ${least > row.tested ? `not even all ${row.tested} subclusters at that limit would be` : `some ${least} of ${row.tested} subclusters must reach that before any is`} significant by Benjamini-Yekutieli. --shuffles ${shufflesForOne(row.tested)} would show a single one.`,
  };
}

function nullDoubt({ partition: { quality } }: ReportData): Doubt {
  const title = "Is there anything to find?";
  const tests = quality?.nulls ?? [];
  if (tests.length === 0) {
    return {
      tone: "open",
      title,
      text: "Every graph can be partitioned. Whether this one has more structure than chance was not measured: --nulls 50.",
    };
  }
  const better = tests.every(({ modularity, ncut }) => Math.min(modularity.p, ncut.p) <= LEVEL);
  const [first] = tests;
  const ps = tests.map(
    ({ null: name, modularity }) =>
      `${formatP(modularity.p)} against ${name === "weights" ? "shuffled weights" : "permuted inputs"}`,
  );
  const says = better
    ? "the partition cuts the graph better than graphs without its structure can be cut"
    : beatsAll(tests)
      ? "no graph without its structure can be cut as well, but they are too few for a small p: --nulls 50"
      : "graphs without its structure can be cut about as well";
  return {
    tone: better ? "good" : "warn",
    title,
    text: `The modularity is ${decimals(quality?.modularity, 3)}, p ${ps.join(", ")} (${plural(first?.draws ?? 0, "null graph")}): ${says}.`,
  };
}

function stabilityDoubt({ partition, map }: ReportData): Doubt {
  const title = "Would it come out again?";
  const stability = partition.quality?.stability;
  const seeds = stability?.rows.find(({ name }) => name === "seeds");
  if (stability === undefined || seeds === undefined) {
    return {
      tone: "open",
      title,
      text: "Whether other seeds and inputs give the same clusters was not measured: --stability 10.",
    };
  }
  const units = partition.coAssignment?.flat().filter((share) => share !== null).length ?? map.units.total;
  const isStable = seeds.ami >= LEAST_STABLE && stability.unstable <= units / 2;
  return {
    tone: isStable ? "good" : "warn",
    title,
    text: `Other seeds agree with an AMI of ${decimals(seeds.ami, 2)} (1 = the same clusters, 0 = chance); ${count(stability.unstable)} of ${count(units)} units (${percent(stability.unstable / Math.max(1, units), 0)}) stay with their cluster in less than ${percent(stability.threshold, 0)} of the runs${isStable ? "" : ". What holds for a subcluster may not hold for the next run's"}.`,
  };
}
