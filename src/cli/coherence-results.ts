import type { Coherence, SubclusterCoherence } from "../scores/coherence.ts";
import { adjustedCoherence } from "../scores/coherence-file.ts";
import { COHERENCE_MEASURES, COHERENCE_NAMES, type CoherenceName } from "../scores/coherence-measures.ts";
import { decimals, formatP, NETWORK_HEADER } from "./results.ts";
import { formatTable } from "./terminal.ts";

/** The measures as columns; each holds the value and its p. */
const COLUMNS: Readonly<Record<CoherenceName, string>> = {
  meanCorrelation: "correlation",
  leadingShare: "leading",
  silhouette: "silhouette",
  profileCosine: "profile",
  classAuroc: "AUROC",
  impactCosine: "impact",
  lossImpactCosine: "loss impact",
  downstreamCosine: "downstream",
  labelCka: "CKA",
  purity: "purity",
  score: "image score",
  entropy: "entropy",
};

/** Coherence as tables for people: the subclusters by layer, then the network's rows, and a line for each measure. */
export function formatCoherence(scores: Coherence, classNames: readonly string[] | null): string {
  const { subclusters, network } = scores;
  const adjusted = adjustedCoherence(subclusters);
  // Measures that nobody has are left out of the wide table: below they stand as undefined.
  const shown = COHERENCE_NAMES.filter((name) =>
    subclusters.some(({ values }) => Number.isFinite(values[name])),
  );
  const rows = subclusters.map((subcluster, i) => {
    const isFirst = subclusters[i - 1]?.layer !== subcluster.layer;
    const cells = shown.map((name) => {
      const isSignificant = (adjusted[name].by[i] ?? Number.NaN) <= 0.05;
      const p = formatP(subcluster.verdicts[name].p);
      return `${formatValue(name, subcluster.values[name])} (${p})${isSignificant ? "*" : ""}`;
    });
    return [
      isFirst ? subcluster.layer : "",
      String(subcluster.cluster),
      String(subcluster.units.length),
      ...cells,
      topClass(subcluster, classNames),
    ];
  });
  const networkRows = COHERENCE_NAMES.map((name) => {
    const row = network[name];
    const effect = Number.isNaN(row.effect)
      ? "-"
      : `${decimals(row.effect, 2)} +- ${decimals(row.effectError, 2)}`;
    const counts = [row.tested, row.undefinedP, row.significantBH, row.significant].map(String);
    const ps = [row.fisherP, row.permutationP, row.bh, row.by].map(formatP);
    return [name, decimals(row.fisherStatistic, 2), ...ps, effect, ...counts];
  });
  return [
    formatTable(["layer", "cluster", "units", ...shown.map((name) => COLUMNS[name]), "top inputs"], rows),
    "",
    formatTable(NETWORK_HEADER, networkRows),
    "",
    ...explain(scores),
  ].join("\n");
}

/** Image scores have any scale, and entropies come close to 0. */
function formatValue(name: CoherenceName, value: number): string {
  if (!Number.isFinite(value)) return "-";
  if (name === "score") return value.toPrecision(4);
  return name === "entropy" ? formatP(value) : decimals(value, 3);
}

/** The commonest label among the inputs that drive a subcluster most, and how many have it. */
function topClass({ examples }: SubclusterCoherence, classNames: readonly string[] | null): string {
  const times = new Map<number, number>();
  for (const { label } of examples) if (label !== null) times.set(label, (times.get(label) ?? 0) + 1);
  const [most] = [...times].sort(([, a], [, b]) => b - a);
  if (most === undefined) return "-";
  const [label, count] = most;
  return `${count} of ${examples.length} are ${classNames?.[label] ?? label}`;
}

/** What the tables mean: a line for each measure, and what was left out. */
function explain(scores: Coherence): string[] {
  const { protocol, shuffles, match, inputs, jacobianInputs, visual, subclusters, filtered } = scores;
  const width = Math.max(...COHERENCE_NAMES.map((name) => COLUMNS[name].length));
  const total = (count: (subcluster: SubclusterCoherence) => number | null) =>
    subclusters.reduce((sum, subcluster) => sum + (count(subcluster) ?? 0), 0);
  const constant = total(({ constantUnits }) => constantUnits);
  const undefinedUnits = total(({ undefinedUnits: count }) => count);
  const idle = total(({ unitsWithoutImpact }) => unitsWithoutImpact);
  const lossIdle = total(({ unitsWithoutLossImpact }) => unitsWithoutLossImpact);
  const units = total(({ units: own }) => own.length);
  return [
    `Coherence: do a subcluster's units act as one? In brackets p: how rarely random sets (${shuffles} of the same layer and size${match === "size" ? "" : ` and like ${match}`}, protocol ${protocol}) do as much; * significant at 5 % (BY). Its units ...`,
    ...COHERENCE_NAMES.map(
      (name) => `  ${COLUMNS[name].padEnd(width)}  ... ${COHERENCE_MEASURES[name].meaning}`,
    ),
    `Measured on the ${inputs} inputs that were scored. A partition of activations of the same inputs is coherent on them by construction: score it on others (--skip, --take). Logit Jacobians are means over ${jacobianInputs} of them.`,
    ...(visual.tested > 0
      ? [
          `Images: ${visual.steps} updates for each of ${visual.tested} subclusters and ${visual.shuffles} random sets of each${visual.filtered > 0 ? `; none for ${visual.filtered} of fewer than 3 units or nearly a whole layer` : ""}.`,
        ]
      : []),
    ...scores.notMeasured.map((reason) => `Not measured: ${reason}`),
    ...(constant > 0
      ? [`${constant} of ${units} units do not vary over the inputs; they correlate with nothing.`]
      : []),
    ...(undefinedUnits > 0
      ? [`${undefinedUnits} of ${units} units are not finite for some input; they count as constant ones.`]
      : []),
    ...(idle + lossIdle > 0
      ? [
          `${idle} of ${units} units change no class's accuracy beyond the noise, ${lossIdle} no class's loss.`,
        ]
      : []),
    ...(filtered > 0
      ? [
          `Not tested: ${filtered === 1 ? "1 subcluster" : `${filtered} subclusters`} of a single unit or nearly a whole layer.`,
        ]
      : []),
  ];
}
