/** Lines about a partition, for people. */
import type { ChosenK } from "../partition/choose-k.ts";
import type { Partition, QualityTest, TestedComparison, Transfer } from "../partition/partition.ts";

/** Agreement below which a number of clusters says little (measures note P3: units below it are unassigned). */
const LEAST_STABLE = 0.6;

/** What a partition is, and the curves that its number of clusters was read from. */
export function describePartition(partition: Partition): string[] {
  const { clusters, layers, quality } = partition;
  const left = layers.reduce((total, { labels }) => total + labels.filter((label) => label < 0).length, 0);
  const numbers = quality
    ? `, n-cut ${quality.ncut.toFixed(3)}, modularity ${quality.modularity.toFixed(3)}`
    : "";
  return [
    `partition: ${clusters} clusters${numbers}${left > 0 ? `, ${left} units in none` : ""}`,
    ...describeChoices(partition),
  ];
}

/** A line for each number of clusters that was chosen, with every number considered. */
function describeChoices({ method }: Partition): string[] {
  const { chosen, kPerLayer } = method as { chosen?: ChosenK | Record<string, ChosenK>; kPerLayer?: unknown };
  if (chosen === undefined) return [];
  if (kPerLayer === undefined) return [describeChoice("k", chosen as ChosenK)];
  return Object.entries(chosen as Record<string, ChosenK>).map(([layer, choice]) =>
    describeChoice(`k of ${layer}`, choice),
  );
}

function describeChoice(what: string, choice: ChosenK): string {
  const { k, rule } = choice;
  const name = rule === "eigengap" ? "eigengap" : "stability (AMI of parts)";
  const values =
    choice.rule === "eigengap"
      ? choice.candidates.map((candidate) => [candidate.k, candidate.gap] as const)
      : choice.candidates.map((candidate) => [candidate.k, candidate.ami] as const);
  const curve = values.map(([candidate, value]) => `${candidate}: ${value.toFixed(3)}`).join(", ");
  const best = values.find(([candidate]) => candidate === k)?.[1] ?? 1;
  const doubt = rule === "stability" && best < LEAST_STABLE ? "; no number of clusters is stable" : "";
  return `${what} by ${name}: ${k}${doubt}; ${curve || "too few units to choose"}`;
}

/** Lines about nulls, stability and agreement. */
export function describeQuality({ quality }: Partition): string[] {
  const lines: string[] = [];
  for (const { null: name, draws, ncut, modularity } of quality?.nulls ?? []) {
    const text = ({ z, p }: QualityTest) => `z ${z.toFixed(2)}, p ${p.toPrecision(2)}`;
    const what = name === "weights" ? "shuffled weights" : "permuted inputs";
    lines.push(`against ${draws} graphs of ${what}: n-cut ${text(ncut)}; modularity ${text(modularity)}`);
  }
  for (const { name, runs, ami, elementCentric } of quality?.stability?.rows ?? []) {
    const count = runs > 1 ? `${runs} ${name}` : name;
    lines.push(
      `agreement with ${count}: AMI ${ami.toFixed(3)}, element-centric ${elementCentric.toFixed(3)}`,
    );
  }
  if (quality?.stability) {
    const { unstable, threshold } = quality.stability;
    lines.push(
      `units that stay with their cluster in less than ${100 * threshold} % of the runs: ${unstable}`,
    );
  }
  if (quality?.agreement) {
    const { kind, clusters, transfer } = quality.agreement;
    lines.push(
      `the partition of ${kind}, made alike: ${clusters} clusters`,
      ...describeTests(quality.agreement),
    );
    if (transfer.toOther)
      lines.push(describeTransfer("this partition", `the graph of ${kind}`, transfer.toOther));
    if (transfer.fromOther) lines.push(describeTransfer(`that of ${kind}`, "this graph", transfer.fromOther));
  }
  return lines;
}

/** Lines about what shuffled labels leave of the agreement of two partitions. */
export function describeTests({ shuffles, overall }: TestedComparison): string[] {
  const { units, ami, ari, withinLayers, freely } = overall;
  const text = ({ mean, z, p }: QualityTest) =>
    `mean ${mean.toFixed(3)}, z ${z.toFixed(2)}, p ${p.toPrecision(2)}`;
  return [
    `agreement on ${units} units in clusters of both: AMI ${ami.toFixed(3)}, ARI ${ari.toFixed(3)}`,
    `${shuffles} shufflings of labels within layers: AMI ${text(withinLayers.ami)}; ARI ${text(withinLayers.ari)}`,
    `${shuffles} over all units: AMI ${text(freely.ami)}; ARI ${text(freely.ari)}`,
  ];
}

/** What a partition reaches on a graph that it was not made of. */
export function describeTransfer(
  what: string,
  where: string,
  { nodes, own, other, ratio }: Transfer,
): string {
  const share = Number.isNaN(ratio) ? "" : `, ${ratio.toFixed(3)} of it`;
  return `transfer: ${what} has modularity ${other.toFixed(3)} on ${where}, whose own has ${own.toFixed(3)}${share} (${nodes} nodes in clusters of both)`;
}
