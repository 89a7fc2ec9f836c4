import type { Importance, SubclusterImportance } from "../scores/importance.ts";
import { IMPORTANCE_NAMES } from "../scores/importance-measures.ts";
import type { Verdict } from "../scores/measures.ts";
import { adjustedByMeasure, worstClass } from "../scores/scores-file.ts";
import { formatTable } from "./terminal.ts";

export const percent = (share: number): string => decimals(100 * share, 2);

/** A number of so many decimals; "-" where it is undefined, and no sign before a rounded zero. */
export function decimals(value: number, digits: number): string {
  if (!Number.isFinite(value)) return "-";
  return value.toFixed(digits).replace(/^-(0(?:\.0+)?)$/, "$1");
}

/** A p-value with three decimals, and small ones with two significant digits. */
export function formatP(p: number): string {
  if (!Number.isFinite(p)) return "-";
  return p < 0.001 ? p.toExponential(1) : p.toFixed(3);
}

const SUBCLUSTER_HEADER: readonly string[] = [
  "layer",
  "cluster",
  "units",
  "accuracy %",
  "class most hurt",
  "by %",
  "loss change",
  "effect",
  "p accuracy",
  "p range",
  "p loss",
  "BH",
  "BY",
];

export const NETWORK_HEADER: readonly string[] = [
  "network",
  "Fisher",
  "Fisher p",
  "permutation p",
  "BH",
  "BY",
  "effect",
  "tested",
  "undefined",
  "signif. BH",
  "BY",
];

/** Scores as tables for people: the subclusters by layer, then the network's rows and what they mean. */
export function formatImportance(scores: Importance, classNames: readonly string[] | null): string {
  const { loss: adjusted } = adjustedByMeasure(scores.subclusters);
  const rows = scores.subclusters.map((subcluster, i) => {
    const isFirst = scores.subclusters[i - 1]?.layer !== subcluster.layer;
    const row = subclusterRow(subcluster, scores, isFirst, classNames);
    const qs = [adjusted.bh[i] ?? Number.NaN, adjusted.by[i] ?? Number.NaN].map(formatP);
    return [...row, ...qs, ...(scores.isSequential ? [String(subcluster.drawn)] : [])];
  });
  const networkRows = IMPORTANCE_NAMES.map((name) => {
    const row = scores.network[name];
    const effect = `${decimals(row.effect, 2)} +- ${decimals(row.effectError, 2)}`;
    const counts = [row.tested, row.undefinedP, row.significantBH, row.significant].map(String);
    const ps = [row.fisherP, row.permutationP, row.bh, row.by].map(formatP);
    return [name, decimals(row.fisherStatistic, 2), ...ps, effect, ...counts];
  });
  return [
    formatTable([...SUBCLUSTER_HEADER, ...(scores.isSequential ? ["drawn"] : [])], rows),
    "",
    formatTable(NETWORK_HEADER, networkRows),
    "",
    ...findings(scores, classNames),
    ...explain(scores),
  ].join("\n");
}

/** What goes beyond the rows: agreement between kinds of lesion, dissociations, pairs, draws. */
function findings(scores: Importance, classNames: readonly string[] | null): string[] {
  const { agreement, dissociations, pairs, subclusters } = scores;
  const lines = agreement.map(
    ({ kinds: [one, other], accuracy, loss }) =>
      `Lesions by ${one} and by ${other} rank the subclusters alike: Spearman ${decimals(loss, 2)} on loss, ${decimals(accuracy, 2)} on accuracy.`,
  );
  const [strongest] = dissociations;
  if (strongest !== undefined) {
    const { layer, clusters, classes, strength, p } = strongest;
    const [a, b] = classes.map((c) => classNames?.[c] ?? String(c));
    const count = dissociations.filter(({ q }) => q <= 0.05).length;
    lines.push(
      `Double dissociations: ${dissociations.length}, ${count} significant (BY); strongest: in ${layer} cluster ${clusters[0]} for class ${a}, ${clusters[1]} for class ${b}, by ${percent(strength)} %, p ${formatP(p)}.`,
    );
  }
  const [most] = [...pairs].sort((a, b) => Math.abs(b.synergy) - Math.abs(a.synergy));
  if (most !== undefined) {
    const [one, other] = most.subclusters.map(({ layer, cluster }) => `${layer} ${cluster}`);
    lines.push(
      `Pairs: ${pairs.length} lesioned together; largest synergy: ${one} with ${other}, loss ${decimals(most.synergy, 3)} beyond the sum [${decimals(most.interval.low, 3)}, ${decimals(most.interval.high, 3)}].`,
    );
  }
  if (scores.isSequential) {
    const drawn = subclusters.reduce((total, subcluster) => total + subcluster.drawn, 0);
    const all = subclusters.length * scores.shuffles;
    lines.push(
      `Random sets: ${drawn} drawn of ${all}; the network's p rests on the first ${scores.commonDraws} of every subcluster.`,
    );
  }
  return lines.length > 0 ? [...lines, ""] : lines;
}

/** What the tables mean, in a few lines. */
function explain(scores: Importance): string[] {
  const { protocol, shuffles, filtered, lesion, match } = scores;
  const untested = filtered === 1 ? "1 subcluster" : `${filtered} subclusters`;
  return [
    `Intact network: ${describeBaseline(scores)}.`,
    `Each row silences one subcluster (lesion by ${lesion}). class most hurt: the one that loses most accuracy, and how much.`,
    `p: how rarely random sets (${shuffles} of the same layer and size${match === "size" ? "" : ` and like ${match}`}, protocol ${protocol}) hurt as much: accuracy,`,
    "range (how unevenly over the classes) and loss. effect: harm to the loss against random sets, 1 = the same, at most 2.",
    protocol === "strict"
      ? "Network: permutation p is the one to go by; Fisher p takes the subclusters for independent."
      : "Network: Fisher p takes the subclusters for independent; protocol strict has a permutation p.",
    "BH, BY: p adjusted for all rows (of the subclusters: p loss), BY whatever their dependence. signif.: subclusters at 5 %. A dash: undefined.",
    ...(filtered > 0 ? [`Not tested: ${untested} of a single unit or nearly a whole layer.`] : []),
  ];
}

/** What the network does without a lesion, in the terms of its task. */
function describeBaseline({ baseline, inputs, task, r2 }: Importance): string {
  const { correct, loss } = baseline.outcome;
  if (task === "regression") {
    return `mean squared error ${loss.toPrecision(4)}, R2 ${decimals(r2 ?? Number.NaN, 4)} on ${inputs} inputs (no accuracy: nothing is right or wrong)`;
  }
  const total = (counts: Int32Array) => counts.reduce((sum, count) => sum + count, 0);
  const answers = total(baseline.classCounts);
  const what = task === "next-token" ? `${answers} next tokens of ${inputs} inputs` : `${inputs} inputs`;
  return `${percent(total(correct) / answers)} % of ${what} correct, loss ${loss.toFixed(4)}`;
}

function subclusterRow(
  { layer, cluster, units, damage, verdicts }: SubclusterImportance,
  { baseline }: Importance,
  isFirst: boolean,
  classNames: readonly string[] | null,
): string[] {
  const worst = worstClass(damage.classAccuracy, baseline.classAccuracy);
  const drop =
    worst === null
      ? Number.NaN
      : (baseline.classAccuracy[worst] as number) - (damage.classAccuracy[worst] as number);
  const p = ({ p: value }: Verdict) => formatP(value);
  return [
    isFirst ? layer : "",
    String(cluster),
    String(units.length),
    percent(damage.accuracy),
    worst === null ? "-" : (classNames?.[worst] ?? String(worst)),
    Number.isNaN(drop) ? "-" : percent(drop),
    decimals(damage.lossIncrease, 3),
    decimals(verdicts.loss.effect, 2),
    p(verdicts.accuracy),
    p(verdicts.classRange),
    p(verdicts.loss),
  ];
}
