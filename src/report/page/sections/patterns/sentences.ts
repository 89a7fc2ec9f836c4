/** What patterns say, in words. */
import type { PatternFlowEntry, PatternLayer, PatternsDocument } from "../../../patterns-document.ts";
import { count, decimals, formatP, percent, plural } from "../../format.ts";

/** Whole layers; of a run on one cluster alone there are none. */
export const wholeLayers = ({ layers }: PatternsDocument): readonly PatternLayer[] =>
  layers.filter(({ cluster }) => cluster === undefined);

/** How the patterns were found. */
export function methodSentence({ inputs, settings }: PatternsDocument): string {
  const sample =
    inputs.used < inputs.given
      ? `${count(inputs.used)} of the ${count(inputs.given)} inputs, a sample balanced over the classes`
      : plural(inputs.used, "input");
  return `A pattern is a set of inputs that a layer treats alike: their activations lie close together, and apart from those of other inputs. HDBSCAN looked for patterns of ${settings.minClusterSize} inputs or more among ${sample}; it leaves out whatever belongs to none.`;
}

/** Which layers have discrete patterns. */
export function findingSentence(layers: readonly PatternLayer[]): string {
  if (layers.length === 0) return "No whole layer was looked at, only clusters of units.";
  const discrete = layers.filter(({ continuum }) => continuum.length === 0);
  const [only] = layers;
  if (layers.length === 1 && only)
    return discrete.length === 1
      ? `${only.layer} has discrete patterns: ${plural(only.count, "pattern")}.`
      : `${only.layer} has no discrete patterns: it varies continuously.`;
  if (discrete.length === 0)
    return `None of the ${layers.length} layers has discrete patterns: they vary continuously.`;
  if (discrete.length === layers.length) return `All ${layers.length} layers have discrete patterns.`;
  const names =
    discrete.length <= 3
      ? discrete.map(({ layer }) => layer).join(", ")
      : `${discrete.length} of ${layers.length} layers`;
  const verb = discrete.length === 1 ? "has" : "have";
  const rest = layers.length - discrete.length;
  return `${discrete.length <= 3 ? "Only " : ""}${names} ${verb} discrete patterns; the other ${rest === 1 ? "layer varies" : `${rest} layers vary`} continuously.`;
}

/** The warning of a layer, with its reasons; null where there is none. */
export function continuumSentence({
  layer,
  cluster,
  continuum,
  noise,
  permuted,
}: PatternLayer): string | null {
  if (continuum.length === 0) return null;
  const reasons = continuum.map((reason) => {
    if (reason === "noise") return `${percent(noise, 0)} of the inputs are in no pattern`;
    if (reason === "no split") return "the inputs never fall apart into two dense groups";
    return permuted === null
      ? "as many patterns are found where units are permuted"
      : `with every unit's values permuted over the inputs there are as many patterns (${range(permuted.patterns.min, permuted.patterns.max)})`;
  });
  const what = cluster === undefined ? layer : `cluster ${cluster} in ${layer}`;
  return `No discrete patterns: ${what} varies continuously. ${upperFirst(reasons.join(", and "))}. What is shown below are the densest places of a continuum, not groups with borders.`;
}

/** Counts, what chance gives, stability: a sentence each. */
export function countSentences(found: PatternLayer): string[] {
  const [all, half] = found.counts;
  const parts = [
    all && half
      ? `${plural(all.patterns, "pattern")} at ${plural(all.inputs, "input")}, ${half.patterns} at half of them${isGrowing(all.patterns, half.patterns) ? ": the number still depends on how many inputs are looked at" : ""}.`
      : `${plural(found.count, "pattern")}.`,
    `${percent(found.noise, 0)} of the inputs are in none of them.`,
    found.ami
      ? `Agreement with the classes: AMI ${decimals(found.ami.withNoise, 2)} (0 = chance, 1 = the classes themselves), ${decimals(found.ami.withoutNoise, 2)} over the inputs in patterns.`
      : "",
    found.permuted ? nullSentence(found.permuted) : "",
    found.stability
      ? `Stability: the patterns of two random parts of the inputs agree by ${decimals(found.stability.ami, 2)} on what they share (AMI, mean of ${found.stability.splits} pairs).`
      : "",
    found.noiseAgreement
      ? `With noise of ${decimals(found.noiseAgreement.share, 2)} standard deviations on the inputs, ${percent(found.noiseAgreement.kept, 0)} of those in patterns stay in theirs.`
      : "",
  ];
  return parts.filter((part) => part !== "");
}

const isGrowing = (all: number, half: number): boolean => all > 1.25 * half;

/** What permuted units give; z is told where the draws differ. */
export function nullSentence({ draws, patterns }: NonNullable<PatternLayer["permuted"]>): string {
  const z =
    patterns.z === null
      ? ""
      : `, which the layer's own is ${decimals(Math.abs(patterns.z), 1)} standard deviations ${patterns.z < 0 ? "below" : "above"}`;
  return `By chance: with each unit's values permuted over the inputs, ${draws} draws give ${decimals(patterns.mean, 1)} patterns on average${z}.`;
}

/** A cluster's patterns against those of random sets of units. */
export function randomSentence({ random }: PatternLayer): string | null {
  if (random === null) return null;
  const { draws, patterns, noise, ami } = random;
  const sets = `${plural(draws, "random set")} of as many units of the layer`;
  const classes = ami
    ? `, agreement with the classes ${decimals(ami.observed, 2)} against ${decimals(ami.mean, 2)} (p ${formatP(ami.p)})`
    : "";
  return `Against ${sets}: ${count(patterns.observed)} patterns against ${decimals(patterns.mean, 1)} (p ${formatP(patterns.p)}), ${percent(noise.observed, 0)} of the inputs in none against ${percent(noise.mean, 0)} (p ${formatP(noise.p)})${classes}.`;
}

/** How inputs go through the layers. */
export function flowSentence({ layers, sequences, singles, purity, noise }: PatternFlowEntry): string {
  const pure =
    purity === null
      ? ""
      : ` The sequences that several inputs share are ${percent(purity, 0)} pure: so many of their inputs are of one class.`;
  return `Through ${plural(layers.length, "layer")} the inputs take ${plural(sequences, "sequence")} of patterns, ${count(singles)} of them by a single input; ${plural(noise, "input")} ${noise === 1 ? "is" : "are"} in no pattern of any layer.${pure}`;
}

/** Mean share of the largest class, by inputs; null without classes. */
export function meanPurity(found: PatternLayer): number | null {
  let [inputs, pure] = [0, 0];
  for (const { size, classes } of found.patterns) {
    if (classes?.purity == null) return null;
    inputs += size;
    pure += size * classes.purity;
  }
  return inputs === 0 ? null : pure / inputs;
}

const range = (least: number | null, most: number | null): string =>
  least === most ? count(least) : `${count(least)} to ${count(most)}`;

const upperFirst = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
