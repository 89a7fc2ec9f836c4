/**
 * Interaction of subclusters (measures note, I5): what two lesions do together beyond the sum of what each does alone.
 */
import { runJointLesions } from "../network/joint-lesions.ts";
import type { LayerLesions } from "../network/lesions.ts";
import type { Layer, Network } from "../network/network.ts";
import type { OutcomeDetail } from "../network/outcome-details.ts";
import type { LabelledInputs } from "../network/outcomes.ts";
import type { LesionKind } from "../network/replacement.ts";
import type { RunOptions } from "../progress.ts";
import type { Interval } from "../statistics/bootstrap.ts";
import { rowsOf } from "./intervals.ts";
import type { MeanBootstrap } from "./mean-bootstrap.ts";

/** Pairs of each kind, within a layer and across layers: those whose single lesions cost most loss together. */
export const PAIRS_PER_KIND = 10;

/** A subcluster with what its own lesion does. */
export interface SingleLesion {
  readonly layer: Layer;
  readonly cluster: number;
  readonly units: Int32Array;
  readonly lossIncrease: number;
  readonly detail: OutcomeDetail;
}

interface SubclusterName {
  readonly layer: string;
  readonly cluster: number;
}

export interface PairInteraction {
  readonly subclusters: readonly [SubclusterName, SubclusterName];
  /** Increase of the loss with both lesioned. */
  readonly lossIncrease: number;
  /** That less the increases of the single lesions: above 0 they back each other up, below 0 they share a path. */
  readonly synergy: number;
  /** 95 % bootstrap interval of the synergy over inputs. */
  readonly interval: Interval;
  /** Share of the intact network's right answers which are lost only when both are lesioned; NaN in a regression. */
  readonly lostOnlyTogether: number;
}

type Pair = readonly [SingleLesion, SingleLesion];

export interface PairOptions extends RunOptions {
  readonly lesion: LesionKind;
  readonly seed: number;
  readonly consumer?: string | undefined;
  /** The lesions of one layer. */
  readonly lesionsOf: (layer: Layer) => Promise<LayerLesions>;
}

/** The pairs to be lesioned together: the largest sums of both kinds. */
export function choosePairs(singles: readonly SingleLesion[]): Pair[] {
  const pairs = singles.flatMap((one, i) => singles.slice(i + 1).map((other) => [one, other] as const));
  const sum = ([one, other]: Pair) => one.lossIncrease + other.lossIncrease;
  const most = (isSameLayer: boolean) =>
    pairs
      .filter(([one, other]) => (one.layer === other.layer) === isSameLayer)
      .filter((pair) => Number.isFinite(sum(pair)))
      .sort((a, b) => sum(b) - sum(a))
      .slice(0, PAIRS_PER_KIND);
  return [...most(true), ...most(false)];
}

/** Lesions the chosen pairs together. */
export async function scorePairs(
  network: Network,
  singles: readonly SingleLesion[],
  data: LabelledInputs,
  bootstrap: MeanBootstrap,
  options: PairOptions,
): Promise<PairInteraction[]> {
  const pairs = choosePairs(singles);
  if (pairs.length === 0) return [];
  const details = await lesionTogether(network, pairs, data, options);
  const synergies = pairs.map(([one, other], i) =>
    (details[i] as OutcomeDetail).lossIncreases.map(
      (increase, input) =>
        increase -
        (one.detail.lossIncreases[input] as number) -
        (other.detail.lossIncreases[input] as number),
    ),
  );
  const intervals = await bootstrap.intervals(rowsOf(synergies), pairs.length);
  return pairs.map(([one, other], i): PairInteraction => {
    const both = details[i] as OutcomeDetail;
    return {
      subclusters: [nameOf(one), nameOf(other)],
      lossIncrease: meanOf(both.lossIncreases),
      synergy: meanOf(synergies[i] as Float64Array),
      interval: intervals[i] as Interval,
      lostOnlyTogether: lostOnlyTogether(both, one.detail, other.detail),
    };
  });
}

/** What both lesions of each pair do together, in the pairs' order. */
async function lesionTogether(
  network: Network,
  pairs: readonly Pair[],
  data: LabelledInputs,
  options: PairOptions,
): Promise<OutcomeDetail[]> {
  const found = new Map<Pair, OutcomeDetail>();
  // Two of one layer are one larger lesion of it, which spares the network in front.
  for (const layer of new Set(pairs.map(([one]) => one.layer))) {
    const within = pairs.filter(([one, other]) => one.layer === layer && other.layer === layer);
    if (within.length === 0) continue;
    const lesions = await options.lesionsOf(layer);
    const unions = within.map(([one, other]) => Int32Array.of(...one.units, ...other.units));
    const { details } = await lesions.runDetailed(unions, { signal: options.signal });
    for (const [i, pair] of within.entries()) found.set(pair, details[i] as OutcomeDetail);
  }
  const across = pairs.filter(([one, other]) => one.layer !== other.layer);
  if (across.length > 0) {
    const { details } = await runJointLesions(network, across, data, options);
    for (const [i, pair] of across.entries()) found.set(pair, details[i] as OutcomeDetail);
  }
  return pairs.map((pair) => found.get(pair) as OutcomeDetail);
}

const nameOf = ({ layer, cluster }: SingleLesion): SubclusterName => ({ layer: layer.name, cluster });

const meanOf = (values: Float64Array): number =>
  values.reduce((total, value) => total + value, 0) / values.length;

function lostOnlyTogether(both: OutcomeDetail, one: OutcomeDetail, other: OutcomeDetail): number {
  const { isCorrectIntact } = both;
  const answers = isCorrectIntact.length;
  let [lost, right] = [0, 0];
  both.isCorrect.forEach((isCorrect, at) => {
    if (!isCorrectIntact[at % answers]) return;
    right++;
    if (!isCorrect && one.isCorrect[at] && other.isCorrect[at]) lost++;
  });
  return lost / right;
}
