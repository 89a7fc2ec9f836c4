/**
 * Lesions of one layer: sets of its units are silenced together and the network's outcome is counted.
 *
 * Everything in front of the layer's output runs once per batch of inputs; the values that cross the cut are kept
 * and only the rest of the network runs again. Memory is bounded by the batch. Two ways to run the rest:
 * `masked` (any network) chooses between the layer's output and what replaces it, many lesions a run; `subtracting`
 * (a dense layer reads the output) takes the lesioned units' contribution off the reader's sums instead of
 * multiplying again.
 */
import { type RunOptions, StepCounter } from "../progress.ts";
import { batchesOf, padBatch } from "./batching.ts";
import { lesionSite } from "./consumer-site.ts";
import { createIdleRunner } from "./idle-lesions.ts";
import { reachesLogits } from "./lesion-model.ts";
import { type LesionBatch, type LesionRunner, runGroups } from "./lesion-runner.ts";
import { createMaskedRunner } from "./masked-lesions.ts";
import type { Layer, Network } from "./network.ts";
import { createDetailTally, type DetailTally, type OutcomeDetail } from "./outcome-details.ts";
import { classCount, countClasses, type LabelledInputs, type Outcome } from "./outcomes.ts";
import { keepPass, type PassKeeper, type PassLog, type PassShape } from "./pass-records.ts";
import { drawDonors, gatherInputs, type LesionKind, meanOutput, runsOf } from "./replacement.ts";
import { createSubtractingRunner } from "./subtracting-lesions.ts";
import { createTally, type Tally } from "./tally.ts";
import { answerSize, withTask } from "./task.ts";

export interface LesionOptions {
  /** What lesioned units become; default `zero`. */
  readonly lesion?: LesionKind | undefined;
  /** Seed of the inputs that `resample` takes values from; default 0. */
  readonly seed?: number | undefined;
  /** Name of the only layer that finds the units lesioned; default: all that read them. */
  readonly consumer?: string | undefined;
}

/**
 * Outcomes of the network with each set of the layer's units silenced. An empty set gives the intact network's
 * outcome. Progress counts lesions x inputs.
 *
 * `resample` reads inputs in random order; the other kinds read them in order (`mean` twice).
 * Throws `E_NETWORK_UNSUPPORTED` for `mean` where the layer's output has no axis for the inputs, and
 * `E_NETWORK_CONSUMER` where the consumer does not read the layer.
 *
 * @example
 * const [outcome] = await runLesions(network, layer, [Int32Array.of(1, 5, 9)], digits, { lesion: "mean" });
 */
export async function runLesions(
  network: Network,
  layer: Layer,
  lesions: readonly Int32Array[],
  data: LabelledInputs,
  options: LesionOptions & RunOptions = {},
): Promise<Outcome[]> {
  const opened = await openLesions(network, layer, data, options);
  try {
    return await opened.run(lesions, options);
  } finally {
    await opened.dispose();
  }
}

/** One of `of` equal parts of a piece of work, numbered from 1. */
export interface Shard {
  readonly number: number;
  readonly of: number;
}

export interface OpenOptions extends LesionOptions {
  /** The layer's mean output, where it is known already or found together with that of others. */
  readonly means?: (() => Promise<Float32Array>) | undefined;
}

export interface KindOptions extends RunOptions {
  /** What lesioned units become; default: what was said when the layer was opened. */
  readonly lesion?: LesionKind | undefined;
}

export interface PassOptions extends KindOptions {
  /** Takes up what an earlier run has recorded, and keeps records of its own. */
  readonly log?: PassLog | undefined;
  /** Runs this part of the lesions only; the outcomes of all others are empty. Default: all. */
  readonly shard?: Shard | undefined;
}

/** Lesions of one layer, which may be run in several rounds. */
export interface LayerLesions {
  run(lesions: readonly Int32Array[], options?: PassOptions): Promise<Outcome[]>;
  /** The outcomes with what happens to every input; takes inputs x lesions numbers of memory. */
  runDetailed(
    lesions: readonly Int32Array[],
    options?: KindOptions,
  ): Promise<{ readonly outcomes: Outcome[]; readonly details: OutcomeDetail[] }>;
  /** Memory that it holds, in bytes: weights in every thread, and what is kept of the inputs for further rounds. */
  bytes(): number;
  dispose(): Promise<void>;
}

/** Makes ready for lesions of a layer; errors as `runLesions`. */
export async function openLesions(
  given: Network,
  whole: Layer,
  data: LabelledInputs,
  { lesion = "zero", seed = 0, consumer, means }: OpenOptions = {},
): Promise<LayerLesions> {
  const { network, layer } = lesionSite(withTask(given, data), whole, consumer);
  countClasses(data.labels, classCount(network));
  const stride = answerSize(network);
  let known: Promise<Float32Array> | null = null;
  const meansOf = () => {
    known ??= means?.() ?? meanOutput(network, layer, data);
    return known;
  };
  // Before any session is opened: it throws where a layer has no means.
  if (lesion === "mean") await meansOf();
  const runner = await createLesionRunner(network, layer, data.count);
  const sizeOf = (rows: number): number => network.probe.fixedBatch ?? rows;
  const batches = keepBatches(runner, data, sizeOf);

  async function pass(
    lesions: readonly Int32Array[],
    details: DetailTally | null,
    { lesion: kind = lesion, log, shard, ...options }: PassOptions,
  ): Promise<Outcome[]> {
    const means = kind === "mean" ? await meansOf() : null;
    // The inputs that give their values in each run of the inputs.
    const donors = kind === "resample" ? drawDonors(data.count, seed) : [null];
    const tally = createTally(network, data, lesions.length);
    const runs = donors.length;
    const ranges = [...batchesOf(data.count, runner.inputsAtOnce)];
    // Whatever is done already or by others, the same lesions run together: outcomes are the same to the last bit.
    const groups = partOf([...batchesOf(lesions.length, runner.lesionsAtOnce)], shard);
    const kept = log && keepPass(tally.sums, shapeOf(tally, lesions.length, ranges.length, runs), log);
    const slots = groups.reduce((total, { rows }) => total + rows, 0);
    const counter = new StepCounter(`lesions of ${layer.name}`, slots * data.count * runs, options);
    try {
      for (const [number, { start, rows }] of ranges.entries()) {
        const todo = donors.map((_, run) => {
          const visit = number * runs + run;
          return groups.filter(({ start: first, rows: count }) => {
            const isDone = kept !== undefined && haveVisit(kept, first, count, visit);
            if (isDone) counter.advance(count * rows);
            return !isDone;
          });
        });
        if (todo.every((some) => some.length === 0)) continue;
        const size = sizeOf(rows);
        const batch = await batches.load(start, rows);
        const intact = details === null ? null : (await batch.run([new Int32Array()])).slice();
        const constant = means === null ? batch : batch.withMeans(means);
        for (const [run, numbers] of donors.entries()) {
          const some = todo[run] ?? [];
          if (some.length === 0) continue;
          const replaced = numbers === null ? constant : await withDonors(batch, numbers, start, rows);
          for await (const [group, found] of runGroups(runner, replaced, lesions, some)) {
            for (let lesion = 0; lesion < group.rows; lesion++) {
              const offset = lesion * size * stride;
              const slot = group.start + lesion;
              if (kept === undefined) tally.count(slot, found, offset, start, rows);
              else if (!kept.hasVisit(slot, number * runs + run)) {
                kept.visit(slot, () => tally.count(slot, found, offset, start, rows));
              }
              if (intact === null) continue;
              details?.count(slot, run, found, offset, intact, start, rows);
            }
            kept?.tick();
            counter.advance(group.rows * rows);
          }
        }
      }
    } finally {
      kept?.flush();
    }
    return tally.outcomes(runs);
  }

  function withDonors(
    batch: LesionBatch,
    numbers: Int32Array,
    start: number,
    rows: number,
  ): Promise<LesionBatch> {
    const values = gatherInputs(data, numbers.subarray(start, start + rows));
    return batch.withDonors(padBatch(values, rows, sizeOf(rows)));
  }

  return {
    run: (lesions, options = {}) => pass(lesions, null, options),
    async runDetailed(lesions, options = {}) {
      const tally = createDetailTally(network, data, lesions.length, runsOf(options.lesion ?? lesion));
      const outcomes = await pass(lesions, tally, options);
      return { outcomes, details: tally.details() };
    },
    bytes: () => batches.bytes() + (1 + runner.runsApart) * weightBytes(network),
    dispose: () => runner.dispose(),
  };
}

/** Of the layers' weights, which are the bulk of a network. */
function weightBytes({ layers }: Network): number {
  return layers.reduce(
    (total, { units, weights: { kernel } }) => total + 4 * units * kernel.inputs * kernel.taps,
    0,
  );
}

/** Memory for batches of inputs that are kept until lesions are done with. */
const KEPT_BYTES = 2 ** 28;

/** Loads batches; keeps them as far as memory goes, since lesions come in several rounds. */
function keepBatches(
  runner: LesionRunner,
  data: LabelledInputs,
  sizeOf: (rows: number) => number,
): { load(start: number, rows: number): Promise<LesionBatch>; bytes(): number } {
  const kept = new Map<number, LesionBatch>();
  let last: { readonly start: number; readonly batch: LesionBatch } | null = null;
  let bytes = 0;
  return {
    async load(start, rows) {
      const known = last?.start === start ? last.batch : kept.get(start);
      if (known !== undefined) return known;
      const size = sizeOf(rows);
      const batch = await runner.load(padBatch(data.batch(start, rows), rows, size), size);
      if (bytes + batch.bytes > KEPT_BYTES) last = { start, batch };
      else {
        kept.set(start, batch);
        bytes += batch.bytes;
      }
      return batch;
    },
    bytes: () => bytes + (last?.batch.bytes ?? 0),
  };
}

/** A shard's part of a list: one stretch of it. */
function partOf<T>(list: readonly T[], { number, of }: Shard = { number: 1, of: 1 }): readonly T[] {
  const edge = (part: number) => Math.round((part * list.length) / of);
  return list.slice(edge(number - 1), edge(number));
}

function shapeOf({ sums, terms }: Tally, lesions: number, batches: number, runs: number): PassShape {
  return { lesions, visits: batches * runs, runs, terms: terms * runs, classes: sums.classes };
}

/** Whether all lesions of a group have had a visit. */
function haveVisit(kept: PassKeeper, first: number, count: number, visit: number): boolean {
  for (let lesion = first; lesion < first + count; lesion++) if (!kept.hasVisit(lesion, visit)) return false;
  return true;
}

/** The fastest runner for a layer; `inputs` is how many will be run in all. */
export async function createLesionRunner(
  network: Network,
  layer: Layer,
  inputs: number,
): Promise<LesionRunner> {
  if (!reachesLogits(network, layer.output.value)) return createIdleRunner(network);
  return (
    (await createSubtractingRunner(network, layer, inputs)) ?? createMaskedRunner(network, layer, inputs)
  );
}
