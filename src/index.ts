/**
 * Brodmann: functional areas of trained neural networks, from Node scripts.
 *
 * @example
 * import { importance, loadDataset, loadNetwork, spectral, weightGraph } from "brodmann";
 *
 * const network = await loadNetwork("mnist-mlp.onnx");
 * const digits = await loadDataset("digits.npz");
 * const partition = await spectral(await weightGraph(network), { k: 16, seed: 0 });
 * const scores = await importance(network, digits, partition);
 * console.log(scores.network.loss.permutationP);
 */
export type { Analysis, AnalyzeOptions } from "./analyze.ts";
export { type ChromeOptions, type OpenedChrome, openChrome } from "./chrome/open-chrome.ts";
export type { Compute, SymmetricBlock, SymmetricMatrix } from "./compute/compute.ts";
export { type DeviceName, type OpenedCompute, openCompute } from "./compute/open-compute.ts";
export { type Activations, loadActivations } from "./data/activations.ts";
export { loadDataset } from "./data/dataset.ts";
export type { Dataset, DatasetOptions } from "./data/parse-dataset.ts";
export { type Engine, localEngine } from "./engine.ts";
export { BrodmannError } from "./errors.ts";
export {
  type ExtractedLayer,
  type Extraction,
  type ExtractOptions,
  extractCluster,
} from "./extract/extract-cluster.ts";
export type { KeptNumber, KeptPerformance } from "./extract/kept-performance.ts";
export type { ActivationGraphOptions } from "./graph/activation-graph.ts";
export { readGraph, writeGraph } from "./graph/graph-file.ts";
export type { GraphLayer, GraphPart, UnitGraph } from "./graph/unit-graph.ts";
export type { WeightGraphOptions } from "./graph/weight-graph.ts";
export { type Journal, type JournalContent, openJournal, readJournal } from "./journal/journal-file.ts";
export { mergeShards } from "./journal/merge-shards.ts";
export {
  activationGraph,
  activationPatterns,
  activationPopulations,
  analyze,
  type ComputeOption,
  coherence,
  coherenceShard,
  importance,
  importanceShard,
  leiden,
  louvain,
  type PartitionOptions,
  patterns,
  populations,
  randomPartition,
  spectral,
  visualize,
  weightGraph,
} from "./library.ts";
export { evaluateNetwork } from "./network/evaluate.ts";
export { runLesions, type Shard } from "./network/lesions.ts";
export { loadNetwork } from "./network/load-network.ts";
export type { LayerForm } from "./network/narrow/narrow-network.ts";
export { type Layer, layerNamed, loadNetworkBytes, type Network } from "./network/network.ts";
export type { InputSource, LabelledInputs, Outcome } from "./network/outcomes.ts";
export { type Recording, recordUnits } from "./network/record.ts";
export { testAgreement } from "./partition/agreement-test.ts";
export { comparePartitions } from "./partition/compare.ts";
export {
  permuteInputs,
  type RecordedUnits,
  resampleInputs,
  shuffleWeights,
} from "./partition/null-graphs.ts";
export type {
  Agreement,
  KindAgreement,
  LayerLabels,
  NullTest,
  Partition,
  PartitionQuality,
  ShuffleTest,
  Stability,
  TestedComparison,
  Transfer,
} from "./partition/partition.ts";
export { formatPartition, parsePartition } from "./partition/partition-file.ts";
export { testQuality } from "./partition/quality-nulls.ts";
export { coAssignment, measureStability } from "./partition/stability.ts";
export { measureTransfer } from "./partition/transfer.ts";
export { type LayerRoles, unitRoles } from "./partition/unit-roles.ts";
export type { PatternRun, Patterns, RecordedInputs } from "./patterns/find-patterns.ts";
export { averageImage, type InputImages, inputImages } from "./patterns/input-images.ts";
export type { ContinuumReason, LayerPatterns } from "./patterns/layer-patterns.ts";
export { type PatternFlow, patternFlow } from "./patterns/pattern-flow.ts";
export type { DrawTest, PermutedUnits, RandomUnits, SetTest } from "./patterns/pattern-nulls.ts";
export type { PatternOptions, PatternSettings } from "./patterns/pattern-settings.ts";
export { patternSheet } from "./patterns/pattern-sheet.ts";
export { BOX_STATISTICS, type ClassMix, type Pattern } from "./patterns/pattern-table.ts";
export {
  formatPatternInputs,
  formatPatterns,
  formatPatternTable,
  formatPatternUnits,
  type PatternFacts,
} from "./patterns/patterns-file.ts";
export { type ClaimRow, claimOf, type Telling } from "./populations/claim.ts";
export { countStates, type InputState, STATES } from "./populations/correctness.ts";
export type { PopulationLesion } from "./populations/group-lesions.ts";
export { type InputMap, mapInputs } from "./populations/input-map.ts";
export { drawInputMap, type MapPanel, mapPanels } from "./populations/input-map-picture.ts";
export type { PairLesion, UnitPair } from "./populations/pair-lesions.ts";
export type {
  FoundBy,
  ImpactFindings,
  PopulationOptions,
  PopulationSettings,
  Populations,
} from "./populations/population-settings.ts";
export {
  formatPopulations,
  formatPopulationTable,
  formatRelations,
} from "./populations/populations-file.ts";
export type { Relation, UnitFacts } from "./populations/relations.ts";
export type { UnitLesions } from "./populations/unit-lesions.ts";
export type { UnitResponses } from "./populations/unit-responses.ts";
export type { Progress, RunOptions } from "./progress.ts";
export type { RecordOptions, Records } from "./records.ts";
export type { Coherence, CoherenceOptions, SubclusterCoherence } from "./scores/coherence.ts";
export type { CoherenceName } from "./scores/coherence-measures.ts";
export type { Importance, ImportanceOptions, SubclusterImportance } from "./scores/importance.ts";
export type { ScoreName, Scores } from "./scores/scores.ts";
export { formatScores } from "./scores/scores-file.ts";
export { contactSheet, type SheetRow } from "./visualize/contact-sheet.ts";
export { type ImageLayout, imageLayout } from "./visualize/image-input.ts";
export type { ImageShape } from "./visualize/image-parameter.ts";
export type { VisualizedSet } from "./visualize/image-runner.ts";
export { encodePng, type Picture, toPicture } from "./visualize/png.ts";
export { randomGroups } from "./visualize/random-groups.ts";
export type { ViewOptions } from "./visualize/transforms.ts";
export type { Visualization, VisualizeOptions } from "./visualize/visualize-units.ts";
