/**
 * What importance needs to know of a network: outcomes of lesions, and the little that is made of the inputs behind
 * them. Everything is recorded under a key as it comes, so that scores can go on from the records of an earlier run, or
 * be made from complete records without the network.
 */
import { evaluateNetwork } from "../network/evaluate.ts";
import type { Shard } from "../network/lesions.ts";
import type { Layer } from "../network/network.ts";
import { type OpenLayers, openLayers } from "../network/open-layers.ts";
import type { OutcomeDetail } from "../network/outcome-details.ts";
import { classCount, countClasses, type Outcome } from "../network/outcomes.ts";
import { recordedOutcomes } from "../network/pass-records.ts";
import type { LesionKind } from "../network/replacement.ts";
import { targetsOf, targetVariance } from "../network/tally.ts";
import { type TaskName, taskOf } from "../network/task.ts";
import type { RunOptions } from "../progress.ts";
import { missingRecord, type RecordOptions, type Records, recorded } from "../records.ts";
import { rng } from "../statistics/rng.ts";
import { type ChangeIntervals, changeIntervals } from "./intervals.ts";
import { othersOf } from "./keep-only.ts";
import { openMeanBootstrap } from "./mean-bootstrap.ts";
import { type PairInteraction, scorePairs } from "./pairs.ts";
import {
  plainLayer,
  type ScoreSettings,
  type Study,
  type SurveyedLayer,
  surveyLayers,
  typedLayer,
} from "./study.ts";

/** What is known before any lesion. */
export interface Survey {
  readonly settings: ScoreSettings;
  readonly inputs: number;
  readonly task: TaskName;
  readonly r2: number | null;
  /** The intact network. */
  readonly outcome: Outcome;
  readonly classCounts: Int32Array;
  /** Those of the partition that lesions can act on, in the network's order. */
  readonly layers: readonly SurveyedLayer[];
}

/** The subclusters of a layer, lesioned one by one. */
export interface SubclusterLesions {
  readonly outcomes: readonly Outcome[];
  readonly details: readonly Pick<OutcomeDetail, "flipRate" | "divergence">[];
  readonly intervals: readonly ChangeIntervals[];
}

/** Lesions of one layer that are run together and recorded under one key. */
export interface LesionPass {
  readonly layer: SurveyedLayer;
  readonly kind: LesionKind;
  readonly key: string;
  readonly sets: readonly Int32Array[];
}

/** Where scores get their numbers from: a network, or records. */
export interface Measurements {
  readonly survey: Survey;
  subclusters(layer: SurveyedLayer, options: RunOptions): Promise<SubclusterLesions>;
  outcomes(pass: LesionPass, options: RunOptions): Promise<Outcome[]>;
  /** The pairs of subclusters whose lesions cost most, lesioned together. */
  pairs(options: RunOptions): Promise<readonly PairInteraction[]>;
  dispose(): Promise<void>;
}

/** Random sets of a layer; sequential ones come in several rounds. */
export function nullPass(
  layer: SurveyedLayer,
  { lesion }: ScoreSettings,
  round: number,
  sets: readonly Int32Array[],
): LesionPass {
  return { layer, kind: lesion, key: `importance/nulls/${lesion}/${round}/${layer.name}`, sets };
}

/** The subclusters themselves, by another kind of lesion. */
export function comparedPass(layer: SurveyedLayer, kind: LesionKind): LesionPass {
  const sets = layer.tested.map(({ units }) => units);
  return { layer, kind, key: `importance/compared/${kind}/${layer.name}`, sets };
}

/** All but the units of each set by their mean: the subclusters first, then random sets in one or more rounds. */
export function keptPass(layer: SurveyedLayer, round: number, sets: readonly Int32Array[]): LesionPass {
  const others = sets.map((units) => othersOf(units, layer.layerUnits));
  return { layer, kind: "mean", key: `importance/kept/mean/${round}/${layer.name}`, sets: others };
}

/** Measures a network, as far as records of an earlier run do not hold it. */
export async function measureNetwork(
  study: Study,
  records: RecordOptions,
  options: RunOptions = {},
): Promise<Measurements> {
  const { network, data, settings } = study;
  const { seed, lesion } = settings;
  const consumer = settings.consumer ?? undefined;
  const survey = await recordedSurvey(records, async () => {
    const classCounts = countClasses(data.labels, classCount(network));
    const outcome = await evaluateNetwork(network, data, { signal: options.signal });
    const { name, width } = taskOf(network);
    const r2 = name === "regression" ? 1 - outcome.loss / targetVariance(targetsOf(data), width) : null;
    const layers = await surveyLayers(study);
    return { settings, inputs: data.count, task: name, r2, outcome, classCounts, layers };
  });
  const lab = openLab(study, survey.layers, records);
  // All layers and pairs see the same draws of inputs.
  const bootstrap = openMeanBootstrap(data.count, () => rng(seed, "bootstrap"));
  const lesioned = new Map<string, SubclusterLesions>();
  const details = new Map<string, readonly OutcomeDetail[]>();

  async function measureSubclusters(
    layer: SurveyedLayer,
    runOptions: RunOptions,
  ): Promise<SubclusterLesions> {
    const lesions = await lab.lesionsOf(network.layers[layer.layer] as Layer);
    const sets = layer.tested.map(({ units }) => units);
    const found = await lesions.runDetailed(sets, runOptions);
    details.set(layer.name, found.details);
    return {
      outcomes: found.outcomes,
      details: found.details.map(({ flipRate, divergence }) => ({ flipRate, divergence })),
      intervals: await changeIntervals(found.details, data.labels, bootstrap),
    };
  }

  return {
    survey,
    async subclusters(layer, runOptions) {
      const found = await recordedSubclusters(records, layer, () => measureSubclusters(layer, runOptions));
      lesioned.set(layer.name, found);
      return found;
    },
    outcomes: (pass, runOptions) => lab.run(pass, runOptions),
    pairs: (runOptions) =>
      recorded(records, PAIRS, async () => {
        const singles = [];
        for (const layer of survey.layers) {
          const outcomes = lesioned.get(layer.name)?.outcomes;
          if (outcomes === undefined) continue;
          // Of records only the outcomes are left: what they make of every input is needed again.
          if (!details.has(layer.name)) await measureSubclusters(layer, { signal: runOptions.signal });
          const target = network.layers[layer.layer] as Layer;
          for (const [number, { cluster, units }] of layer.tested.entries()) {
            const lossIncrease = (outcomes[number] as Outcome).loss - survey.outcome.loss;
            const detail = details.get(layer.name)?.[number] as OutcomeDetail;
            singles.push({ layer: target, cluster, units, lossIncrease, detail });
          }
        }
        return scorePairs(network, singles, data, bootstrap, {
          lesionsOf: lab.lesionsOf,
          lesion,
          seed,
          consumer,
          signal: runOptions.signal,
        });
      }),
    async dispose() {
      await lab.dispose();
      await bootstrap.dispose();
    },
  };
}

/** Takes everything from complete records; throws `E_INPUT_JOURNAL` for what is missing. */
export async function readMeasurements(earlier: Records): Promise<Measurements> {
  return {
    survey: await recordedSurvey({ earlier }, missingRecord(SURVEY)),
    subclusters: (layer) => recordedSubclusters({ earlier }, layer, missingRecord(subclustersKey(layer))),
    outcomes: async ({ key }) => recordedOutcomes(key, earlier.get(key) ?? []) ?? missingRecord(key)(),
    pairs: () => recorded({ earlier }, PAIRS, missingRecord(PAIRS)),
    dispose: async () => {},
  };
}

/** Runs lesions of one layer after another. */
export interface Lab extends OpenLayers {
  /** The outcomes of a pass, or of the shard's part of it. */
  run(pass: LesionPass, options: RunOptions, shard?: Shard): Promise<Outcome[]>;
}

export function openLab(
  { network, data, settings }: Study,
  surveyed: readonly SurveyedLayer[],
  { earlier, onRecord }: RecordOptions,
): Lab {
  const { seed, lesion } = settings;
  const targetOf = ({ layer }: SurveyedLayer) => network.layers[layer] as Layer;
  const tested = surveyed.filter((layer) => layer.tested.length > 0).map(targetOf);
  const opened = openLayers(network, data, tested, {
    lesion,
    seed,
    consumer: settings.consumer ?? undefined,
  });
  return {
    ...opened,
    async run({ layer, kind, key, sets }, options, shard) {
      const entries = earlier?.get(key) ?? [];
      const known = recordedOutcomes(key, entries);
      if (known !== null) return known;
      const isKept = earlier !== undefined || onRecord !== undefined;
      const log = { key, earlier: entries, onRecord: (entry: unknown) => onRecord?.(key, entry) };
      const lesions = await opened.lesionsOf(targetOf(layer));
      return lesions.run(sets, { ...options, lesion: kind, shard, log: isKept ? log : undefined });
    },
  };
}

const SURVEY = "importance/survey";
const PAIRS = "importance/pairs";
const subclustersKey = ({ name }: SurveyedLayer): string => `importance/subclusters/${name}`;

/** An outcome as plain data. */
interface PlainOutcome extends Omit<Outcome, "correct"> {
  readonly correct: readonly number[];
}

const plainOutcome = ({ correct, loss, runs }: Outcome): PlainOutcome => ({
  correct: Array.from(correct),
  loss,
  runs,
});
const typedOutcome = (outcome: PlainOutcome): Outcome => ({
  ...outcome,
  correct: Int32Array.from(outcome.correct),
});

async function recordedSurvey(records: RecordOptions, compute: () => Promise<Survey>): Promise<Survey> {
  const survey = await recorded(records, SURVEY, async () => {
    const found = await compute();
    return {
      ...found,
      outcome: plainOutcome(found.outcome),
      classCounts: Array.from(found.classCounts),
      layers: found.layers.map(plainLayer),
    };
  });
  return {
    ...survey,
    outcome: typedOutcome(survey.outcome),
    classCounts: Int32Array.from(survey.classCounts),
    layers: survey.layers.map(typedLayer),
  };
}

async function recordedSubclusters(
  records: RecordOptions,
  layer: SurveyedLayer,
  compute: () => Promise<SubclusterLesions>,
): Promise<SubclusterLesions> {
  const found = await recorded(records, subclustersKey(layer), async () => {
    const { outcomes, details, intervals } = await compute();
    return { outcomes: outcomes.map(plainOutcome), details, intervals };
  });
  return { ...found, outcomes: found.outcomes.map(typedOutcome) };
}
