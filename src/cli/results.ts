import type { Importance, SubclusterImportance } from "../scores/importance.ts";
import { IMPORTANCE_NAMES } from "../scores/importance.ts";
import type { Verdict } from "../scores/measures.ts";
import { worstClass } from "../scores/scores-file.ts";
import { formatTable } from "./terminal.ts";

const percent = (share: number): string => (100 * share).toFixed(2);
const decimals = (value: number, digits: number): string =>
  Number.isFinite(value) ? value.toFixed(digits) : "-";

/** A p-value with two significant digits. */
function formatP(p: number): string {
  if (!Number.isFinite(p)) return "-";
  return p < 0.001 ? p.toExponential(1) : p.toFixed(3);
}

/** Scores as tables for people: the subclusters by layer, then the network's rows and what they mean. */
export function formatImportance(scores: Importance, classNames: readonly string[] | null): string {
  const { baseline, protocol, shuffles, inputs } = scores;
  const header = [
    "layer",
    "cluster",
    "units",
    "accuracy %",
    "hurts class",
    "by %",
    "loss +",
    "effect",
    "p acc",
    "p range",
    "p loss",
  ];
  const rows = scores.subclusters.map((subcluster, i) => {
    const isFirst = scores.subclusters[i - 1]?.layer !== subcluster.layer;
    return subclusterRow(subcluster, scores, isFirst, classNames);
  });
  const networkRows = IMPORTANCE_NAMES.map((name) => {
    const row = scores.network[name];
    const effect = `${decimals(row.effect, 2)} +- ${decimals(row.effectError, 2)}`;
    const counts = [row.tested, row.undefinedP, row.significant].map(String);
    const ps = [decimals(row.fisherStatistic, 2), formatP(row.fisherP), formatP(row.permutationP)];
    return [name, ...ps, effect, ...counts];
  });
  const networkHeader = [
    "network",
    "Fisher",
    "Fisher p",
    "permutation p",
    "effect",
    "tested",
    "undefined",
    "significant",
  ];
  const correct = baseline.outcome.correct.reduce((total, value) => total + value, 0);
  return [
    formatTable(header, rows),
    "",
    formatTable(networkHeader, networkRows),
    "",
    `Intact network: ${percent(correct / inputs)} % of ${inputs} inputs correct, loss ${baseline.outcome.loss.toFixed(4)}.`,
    `Each lesion silences one subcluster; p: share of ${shuffles} random sets of its layer and size that hurt as much` +
      ` (protocol ${protocol}). Effect above 1: hurts more than random sets.`,
    `${scores.filtered} subclusters of one unit or nearly a whole layer were not tested.`,
  ].join("\n");
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
    damage.lossIncrease.toFixed(3),
    decimals(verdicts.loss.effect, 2),
    p(verdicts.accuracy),
    p(verdicts.classRange),
    p(verdicts.loss),
  ];
}
