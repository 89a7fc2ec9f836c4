/**
 * Where coherence gets its numbers from: a network, or the records of an earlier run. A layer is one record, so that a run
 * goes on behind the last layer that was done, and scores can be made from complete records without the network.
 */
import { openLesions, type Shard } from "../network/lesions.ts";
import type { Layer } from "../network/network.ts";
import { recordUnits } from "../network/record.ts";
import { runsOf } from "../network/replacement.ts";
import { type TaskName, taskOf } from "../network/task.ts";
import { missingRecord, type RecordOptions, type Records, recorded } from "../records.ts";
import type { Stratum } from "../statistics/permutation-p.ts";
import { activationCoherence, activationFamily } from "./activation-coherence.ts";
import { type ActivationTables, activationTables } from "./activation-tables.ts";
import { byCoherence, roundedValue } from "./coherence-measures.ts";
import { cosineFamily, type Directions, directionsOf } from "./cosines.ts";
import { downstreamDirections, jacobianInputs, spreadInputs } from "./downstream-coherence.ts";
import { type InputClasses, inputClasses } from "./input-classes.ts";
import { type LayerCoherence, testFamilies } from "./layer-coherence.ts";
import { OverallProgress } from "./overall-progress.ts";
import { type ComparedLayer, ckaMatrix, MOST_COMPARED } from "./similarity.ts";
import {
  plainLayer,
  type ScoreOptions,
  type ScoreSettings,
  type Study,
  type SurveyedLayer,
  surveyLayers,
  typedLayer,
} from "./study.ts";
import { measureImpacts, type UnitImpacts } from "./unit-impacts.ts";
import {
  imagesOf,
  type LayerImages,
  type LayerVisuals,
  type VisualOptions,
  type VisualSettings,
  visualFamily,
  visualizeLayer,
  visualSets,
  visualSettings,
} from "./visual-coherence.ts";

/** What coherence takes beside what all scores take. */
export interface CoherenceOptions extends ScoreOptions {
  /** Images that are made for subclusters. */
  readonly visual?: VisualOptions | undefined;
  /** Called with the images of each layer's subclusters, in front of the layer's record. */
  readonly onImages?: ((images: LayerImages) => void) | undefined;
}

/** What is known before any measurement. */
export interface CoherenceSurvey {
  readonly settings: ScoreSettings;
  readonly inputs: number;
  /** Inputs that logit Jacobians are averaged over. */
  readonly jacobianInputs: number;
  readonly visual: VisualSettings;
  readonly task: TaskName;
  readonly layers: readonly SurveyedLayer[];
}

/** An input that drives a subcluster. */
export interface DrivingInput {
  /** Number of the input among those that were scored. */
  readonly input: number;
  /** Its class; null where inputs have none. */
  readonly label: number | null;
  /** Mean activation of the subcluster's units in standard deviations from each one's mean. */
  readonly activation: number;
}

/** What is told of a subcluster beside the measures. */
export interface SubclusterDetails {
  /** Units that are the same for all inputs, and units that are not finite for some: uncorrelated with all others. */
  readonly constantUnits: number;
  readonly undefinedUnits: number;
  /** Units whose lesion changes no class's accuracy (loss) beyond the noise; null without classes. */
  readonly unitsWithoutImpact: number | null;
  readonly unitsWithoutLossImpact: number | null;
  /**
   * Standard deviation over the units of their positive pre-activations, summed over positions, on the subcluster's image;
   * NaN without one.
   */
  readonly dispersion: number;
  /** AUROC of the first component by class, in the direction in which the units rise; empty without classes. */
  readonly classAurocs: readonly number[];
  /** The inputs that drive it most, from the first on. */
  readonly examples: readonly DrivingInput[];
}

/** A layer's values and what is told of its subclusters, in the order of `tested`. */
export interface ScoredLayer extends LayerCoherence {
  readonly details: readonly SubclusterDetails[];
  /** Why measures are missing; null where they are not. */
  readonly reasons: { readonly downstream: string | null; readonly visual: string | null };
}

export interface CoherenceSource {
  readonly survey: CoherenceSurvey;
  layer(layer: SurveyedLayer): Promise<ScoredLayer>;
  /** CKA between all subclusters, by layer and then cluster id; null where they are too many. */
  similarity(): Promise<Float64Array | null>;
}

/** Families of measures of a layer whose values are computed from its tables. */
const FAMILIES = 5;

const SURVEY = "coherence/survey";
const SIMILARITY = "coherence/similarity";
const layerKey = (name: string): string => `coherence/layer/${name}`;

/** Measures a network, as far as records of an earlier run do not hold it; a shard measures every `of`-th layer. */
export async function openCoherence(
  study: Study,
  options: CoherenceOptions,
  shard: Shard = { number: 1, of: 1 },
): Promise<CoherenceSource> {
  const { network, data, settings } = study;
  const { seed, lesion, protocol, shuffles } = settings;
  const consumer = settings.consumer ?? undefined;
  const survey = await recordedSurvey(options, async () => ({
    settings,
    inputs: data.count,
    jacobianInputs: jacobianInputs(network, data.count),
    visual: visualSettings(network, options.visual),
    task: taskOf(network).name,
    layers: await surveyLayers(study),
  }));
  const { layers, visual } = survey;
  const someInputs = spreadInputs(data, survey.jacobianInputs);
  const classes = inputClasses(network, data);
  const todo = layers.filter(
    ({ name, tested }, number) =>
      tested.length > 0 &&
      number % shard.of === shard.number - 1 &&
      options.earlier?.has(layerKey(name)) !== true,
  );
  const total = (count: (layer: SurveyedLayer) => number): number =>
    todo.reduce((sum, layer) => sum + count(layer), 0);
  const runs = runsOf(lesion);
  const lesionProgress = new OverallProgress(
    options,
    classes === null ? 0 : total(({ eligible }) => eligible.length * data.count * runs),
  );
  const setProgress = new OverallProgress(
    options,
    total(({ tested }) => FAMILIES * tested.length * (1 + shuffles)),
  );
  const plan = {
    protocol,
    shuffles,
    seed,
    base: shuffles,
  };
  const visualPlan = { protocol, seed, shuffles: visual.shuffles };
  const jacobianProgress = new OverallProgress(options, todo.length * someInputs.count);
  const imageProgress = new OverallProgress(
    options,
    visual.reason === null ? total((layer) => visualSets(layer, visualPlan).length * visual.steps) : 0,
  );
  const isCompared = layers.reduce((sum, { tested }) => sum + tested.length, 0) <= MOST_COMPARED;
  /** What comparing subclusters needs of layers that were scored. */
  const compared = new Map<string, ComparedLayer>();

  async function tablesOf(layer: SurveyedLayer): Promise<ActivationTables> {
    const target = network.layers[layer.layer] as Layer;
    const { values, units, samples } = await recordUnits(network, [target], data, "output", options);
    const tables = await activationTables(values, units, samples, classes);
    if (isCompared) compared.set(layer.name, comparedLayer(layer, tables));
    return tables;
  }

  async function impactsOf(layer: SurveyedLayer, of: InputClasses): Promise<UnitImpacts> {
    const target = network.layers[layer.layer] as Layer;
    const lesions = await openLesions(network, target, data, { lesion, seed, consumer });
    try {
      return await measureImpacts(lesions, layer.eligible, layer.layerUnits, of, () => lesionProgress.next());
    } finally {
      await lesions.dispose();
    }
  }

  async function scoreLayer(layer: SurveyedLayer): Promise<ScoredLayer> {
    const tables = await tablesOf(layer);
    const impacts = classes && (await impactsOf(layer, classes));
    const directions = (values: Float64Array | null | undefined, floor = 0) =>
      values ? directionsOf(values, layer.layerUnits, floor) : null;
    // Means of float32 rows of length 1 are not exact: below this they are zero.
    const profiles = directions(tables.profiles, 1e-6 / Math.sqrt(tables.inputs));
    const byAccuracy = directions(impacts?.accuracy);
    const byLoss = directions(impacts?.loss);
    const target = network.layers[layer.layer] as Layer;
    const downstream = await downstreamDirections(network, target, someInputs, jacobianProgress.next());
    const visuals = await visualizeLayer(network, layer, visualPlan, visual, {
      ...options.visual,
      ...imageProgress.next(),
    });
    if (visual.shape !== null && visuals.reason === null) {
      options.onImages?.(imagesOf(layer, visuals, visual.shape, visualPlan));
    }
    const families = [
      activationFamily(tables, layer, protocol),
      cosineFamily("profileCosine", profiles),
      cosineFamily("impactCosine", byAccuracy),
      cosineFamily("lossImpactCosine", byLoss),
      cosineFamily("downstreamCosine", downstream.directions),
      ...(visuals.reason === null ? [visualFamily(visuals, visual.shuffles)] : []),
    ];
    const found = await testFamilies(families, layer, plan, () => setProgress.next());
    return {
      ...found,
      details: detailsOf(layer, tables, classes, byAccuracy, byLoss, visuals),
      reasons: { downstream: downstream.reason, visual: visuals.reason },
    };
  }

  return {
    survey,
    layer: (layer) => recordedLayer(options, layer, () => scoreLayer(layer)),
    async similarity() {
      const found = await recorded(options, SIMILARITY, async () => {
        if (!isCompared) return null;
        const all: ComparedLayer[] = [];
        for (const layer of layers.filter(({ tested }) => tested.length > 0)) {
          all.push(compared.get(layer.name) ?? comparedLayer(layer, await tablesOf(layer)));
        }
        return Array.from(await ckaMatrix(all, data.count));
      });
      return found && Float64Array.from(found);
    },
  };
}

/** A layer's subclusters as the scores list them, by cluster id. */
function comparedLayer({ tested }: SurveyedLayer, { units, rows, norms }: ActivationTables): ComparedLayer {
  const sets = [...tested].sort((a, b) => a.cluster - b.cluster).map(({ units: set }) => set);
  return { units, rows, norms, sets };
}

function detailsOf(
  { tested }: SurveyedLayer,
  tables: ActivationTables,
  classes: InputClasses | null,
  byAccuracy: Directions | null,
  byLoss: Directions | null,
  visuals: LayerVisuals,
): SubclusterDetails[] {
  const describe = activationCoherence(tables, Math.max(...tested.map(({ units }) => units.length)));
  return tested.map(({ units }) => {
    const { classAurocs, topInputs, topValues } = describe(units);
    const count = (isCounted: (unit: number) => boolean): number => units.filter(isCounted).length;
    const without = (directions: Directions | null) =>
      directions && count((unit) => directions.hasDirection[unit] === 0);
    return {
      constantUnits: count((unit) => tables.norms[unit] === 0 && tables.isUndefined[unit] === 0),
      undefinedUnits: count((unit) => tables.isUndefined[unit] === 1),
      unitsWithoutImpact: without(byAccuracy),
      unitsWithoutLossImpact: without(byLoss),
      dispersion: visuals.of(units)?.dispersion ?? Number.NaN,
      classAurocs: Array.from(classAurocs, roundedValue),
      examples: Array.from(topInputs, (input, i) => ({
        input,
        label: classes === null ? null : (classes.labels[input] as number),
        activation: roundedValue(topValues[i] as number),
      })),
    };
  });
}

interface PlainStratum {
  readonly sizes: readonly number[];
  readonly values: readonly number[];
}

async function recordedLayer(
  records: RecordOptions,
  { name }: SurveyedLayer,
  compute: () => Promise<ScoredLayer>,
): Promise<ScoredLayer> {
  const found = await recorded(records, layerKey(name), async () => {
    const { strata, ...others } = await compute();
    const plain = (stratum: Stratum | null): PlainStratum | null =>
      stratum && { sizes: Array.from(stratum.sizes), values: Array.from(stratum.values) };
    return { ...others, strata: byCoherence((measure) => plain(strata[measure])) };
  });
  const typed = (stratum: PlainStratum | null): Stratum | null =>
    stratum && { sizes: stratum.sizes, values: Float64Array.from(stratum.values) };
  return { ...found, strata: byCoherence((measure) => typed(found.strata[measure])) };
}

async function recordedSurvey(
  records: RecordOptions,
  compute: () => Promise<CoherenceSurvey>,
): Promise<CoherenceSurvey> {
  const found = await recorded(records, SURVEY, async () => {
    const survey = await compute();
    return { ...survey, layers: survey.layers.map(plainLayer) };
  });
  return { ...found, layers: found.layers.map(typedLayer) };
}

/** Takes everything from complete records; throws `E_INPUT_JOURNAL` for what is missing. */
export async function readCoherence(earlier: Records): Promise<CoherenceSource> {
  return {
    survey: await recordedSurvey({ earlier }, missingRecord(SURVEY)),
    layer: (layer) => recordedLayer({ earlier }, layer, missingRecord(layerKey(layer.name))),
    async similarity() {
      const found = await recorded<number[] | null>({ earlier }, SIMILARITY, missingRecord(SIMILARITY));
      return found && Float64Array.from(found);
    },
  };
}
