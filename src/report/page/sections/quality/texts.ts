/** What the figures about a partition say, in words. */
import type {
  KindAgreement,
  NullTest,
  QualityTest,
  Stability,
  Transfer,
} from "../../../../partition/partition.ts";
import { count, decimals, digits, formatP, percent, plural } from "../../format.ts";

/** Thresholds as on the command line: p, and the AMI below which a partition says little. */
const LEVEL = 0.05;
const LEAST_AGREEMENT = 0.6;

/** The largest fall among eigenvalues in descending order: behind the `after`-th (from 1). */
export interface Gap {
  readonly after: number;
  readonly size: number;
}

/** Null for fewer than two values. The first eigenvalue is 1 in every graph, and its gap tells connected graphs alone: it counts. */
export function largestGap(values: readonly number[]): Gap | null {
  let largest: Gap | null = null;
  for (let after = 1; after < values.length; after++) {
    const size = (values[after - 1] as number) - (values[after] as number);
    if (largest === null || size > largest.size) largest = { after, size };
  }
  return largest;
}

/** What the eigenvalues say of k clusters. */
export function gapSentence(values: readonly number[], k: number | null): string {
  const gap = largestGap(values);
  if (gap === null) return "Too few eigenvalues to see a gap.";
  const found = `The eigenvalues fall most behind number ${gap.after} (by ${digits(gap.size)})`;
  if (k === null) return `${found}.`;
  if (gap.after === k) return `${found}: the graph itself suggests the ${k} clusters that it was cut into.`;
  const atK =
    values.length > k
      ? `; behind number ${k} by ${digits((values[k - 1] as number) - (values[k] as number))}`
      : "";
  const advice =
    gap.after === 1
      ? "does not fall apart by itself into"
      : `suggests ${plural(gap.after, "cluster")} rather than`;
  return `${found}${atK}: the graph ${advice} ${k} clusters.`;
}

/** Null graphs with which p can fall well below 5 %. */
const ENOUGH_NULLS = 50;

/** Whether no null graph does as well, by either figure: then p is as small as so few draws allow. */
export const beatsAll = (tests: readonly NullTest[]): boolean =>
  tests.length > 0 &&
  tests.every(({ draws, ncut, modularity }) => Math.max(ncut.p, modularity.p) <= 1 / (draws + 1) + 1e-9);

/** p of a test against draws, with its floor. */
export function nullSentence(tests: readonly NullTest[]): string {
  const better = ({ p }: QualityTest) => p <= LEVEL;
  const cut = tests.every(({ ncut }) => better(ncut));
  const modular = tests.every(({ modularity }) => better(modularity));
  const draws = Math.min(...tests.map((test) => test.draws));
  const says =
    cut && modular
      ? "The partition cuts its graph better than partitions of graphs without its structure, by both figures"
      : cut || modular
        ? `The partition is better than those of graphs without its structure by ${cut ? "its n-cut" : "its modularity"} alone`
        : beatsAll(tests)
          ? `The partition is better than every one of those of graphs without its structure, which are too few to tell by p: --nulls ${ENOUGH_NULLS}`
          : "The partition is no better than those of graphs without its structure";
  return `${says}. With ${plural(draws, "draw")} p cannot be below ${formatP(1 / (draws + 1))}.`;
}

/** What was taken from the graphs that a partition is compared with. */
export const nullName = (name: NullTest["null"]): string =>
  name === "weights" ? "shuffled weights" : "permuted inputs";

export function stabilitySentence(
  { rows, unstable, threshold }: Omit<Stability, "layers">,
  units: number,
): string {
  const seeds = rows.find(({ name }) => name === "seeds");
  const lowest = seeds === undefined ? "" : ` (lowest ${decimals(seeds.leastAmi, 2)})`;
  const agree =
    seeds === undefined
      ? ""
      : `Other seeds agree with an AMI of ${decimals(seeds.ami, 2)}${lowest}: ${seeds.ami >= LEAST_AGREEMENT ? "much the same clusters come out again" : "another run finds rather different clusters"}. `;
  return `${agree}${count(unstable)} of ${count(units)} units (${percent(unstable / Math.max(1, units), 0)}) stay with their cluster in less than ${percent(threshold, 0)} of the runs.`;
}

/** What a row of the stability table changes. */
export function stabilityName(name: string, runs: number): string {
  if (name === "seeds") return plural(runs, "other seed");
  if (name === "bootstraps") return plural(runs, "bootstrap");
  return name;
}

export function agreementSentence({ kind, overall }: KindAgreement): string {
  const { withinLayers, ami } = overall;
  const beyond = withinLayers.ami.p <= LEVEL;
  return `The same units, partitioned by their graph of ${kind}: AMI ${decimals(ami, 2)} (1 = the same clusters, 0 = chance). ${beyond ? "That is more than the layers alone explain" : "The layers alone explain as much"} (p ${formatP(withinLayers.ami.p)}). Structure and activity are different partitions: read each for itself, do not average.`;
}

export function transferSentence(
  what: string,
  where: string,
  { own, other, ratio, nodes }: Transfer,
): string {
  const share = Number.isFinite(ratio) && ratio !== null ? `, ${percent(ratio, 0)} of it` : "";
  return `${what} has modularity ${decimals(other, 3)} on ${where}, whose own partition has ${decimals(own, 3)}${share} (${plural(nodes, "node")}).`;
}
