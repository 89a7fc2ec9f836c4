/**
 * Lesions of several layers at once. The whole network runs again for each, with a choice between every lesioned
 * layer's output and what replaces it; for the few pairs whose interaction is asked for that is quick enough.
 */
import { type RunOptions, StepCounter } from "../progress.ts";
import { DataType, makeNode, makeUntypedValueInfo, makeValueInfo, type NodeProto } from "../runtime/onnx.ts";
import { floatValues, Session, Tensor, type Tensors } from "../runtime/session.ts";
import { batchesOf, padBatch, rowsPerRun, sideBySide, threadsFor } from "./batching.ts";
import { lesionSite } from "./consumer-site.ts";
import type { LesionOptions } from "./lesions.ts";
import { encodePart, partOf } from "./model-graph.ts";
import type { Layer, Network } from "./network.ts";
import { inputFeed, inputInfo } from "./network-input.ts";
import { createDetailTally, type OutcomeDetail } from "./outcome-details.ts";
import {
  classCount,
  countClasses,
  type InputSource,
  type LabelledInputs,
  LOG_PROBABILITIES,
  logProbabilityNode,
  type Outcome,
} from "./outcomes.ts";
import {
  constantReplacement,
  drawDonors,
  gatherInputs,
  type Replacement,
  replacementOf,
} from "./replacement.ts";
import { runAhead, widthOf } from "./run-ahead.ts";
import { createTally } from "./tally.ts";
import { withTask } from "./task.ts";

/** Units of several layers that are silenced together. */
export type JointLesion = readonly { readonly layer: Layer; readonly units: Int32Array }[];

export interface JointOptions {
  /** What progress calls the lesions; default `pairs`. */
  readonly phase?: string;
  /** Means of the layers' outputs by layer name, where they are known already. */
  readonly means?: ReadonlyMap<string, Float32Array>;
}

const maskOf = (site: number): string => `brodmann/mask${site}`;
/** What a site's choice is made on. */
const ownOf = (site: number): string => `brodmann/own${site}`;
const replacementOfSite = (site: number): string => `brodmann/replacement${site}`;

/**
 * Outcomes and details of joint lesions; donors of `resample` are those of single lesions of the same seed.
 *
 * @example
 * const { outcomes } = await runJointLesions(network, [[{ layer: a, units: some }, { layer: b, units: others }]], digits);
 */
export async function runJointLesions(
  given: Network,
  lesions: readonly JointLesion[],
  data: LabelledInputs,
  options: LesionOptions & RunOptions & JointOptions = {},
): Promise<{ readonly outcomes: Outcome[]; readonly details: OutcomeDetail[] }> {
  const { lesion: kind = "zero", seed = 0, consumer, phase = "pairs", means } = options;
  const fitted = withTask(given, data);
  const layers = [...new Set(lesions.flatMap((lesion) => lesion.map(({ layer }) => layer)))];
  const placed = layers.map((layer) => lesionSite(fitted, layer, consumer));
  // What a consumer reads is the same value whatever layer wrote it, and so is the network that is edited for it.
  const network = placed[0]?.network ?? fitted;
  const sites = placed.map(({ layer }) => layer);
  const { probe } = network;
  countClasses(data.labels, classCount(network));
  const replaced = await Promise.all(
    sites.map((layer): Promise<Replacement> | Replacement => {
      const values = kind === "mean" ? means?.get(layer.name) : undefined;
      return values === undefined ? replacementOf(kind, network, layer, data) : { kind: "mean", values };
    }),
  );
  const donors = kind === "resample" ? drawDonors(data.count, seed) : [null];
  const { model, nodes } = encodeJoint(network, sites, LOG_PROBABILITIES);
  const session = await Session.create(model, { label: `${network.name}, lesioned`, ...sideBySide(network) });
  const width = widthOf(session, lesions.length);
  const donating = kind === "resample" ? await openDonating(network, sites) : null;
  const tally = createTally(network, data, lesions.length);
  const details = createDetailTally(network, data, lesions.length, donors.length);
  const counter = new StepCounter(phase, lesions.length * data.count * donors.length, options);
  const masks = lesions.map((lesion) => masksOf(layers, sites, lesion));
  try {
    for (const { start, rows } of batchesOf(data.count, rowsPerRun(network, nodes))) {
      const size = probe.fixedBatch ?? rows;
      const feedOf = (values: Float32Array) => inputFeed(probe, padBatch(values, rows, size), size);
      const inputs = feedOf(data.batch(start, rows));
      const constants = replaced.map((replacement, site) =>
        constantReplacement(network, sites[site] as Layer, replacement, size),
      );
      const run = async (mask: readonly Tensor[], replacements: readonly Tensor[]) => {
        const fed = sites.flatMap((_, site) => [
          [maskOf(site), mask[site]],
          [replacementOfSite(site), replacements[site]],
        ]);
        const feeds = { ...inputs, ...Object.fromEntries(fed) };
        const outputs = await (width > 1 ? session.runApart(feeds) : session.run(feeds));
        return floatValues(outputs[LOG_PROBABILITIES], network.logits);
      };
      const intact = await run(masksOf(layers, sites, []), constants);
      for (const [number, donor] of donors.entries()) {
        const replacements =
          donor === null || donating === null
            ? constants
            : await donating.run(feedOf(gatherInputs(data, donor.subarray(start, start + rows))));
        const startRun = (slot: number) => run(masks[slot] as Tensor[], replacements);
        for await (const [slot, found] of runAhead([...masks.keys()], width, startRun)) {
          tally.count(slot, found, 0, start, rows);
          details.count(slot, number, found, 0, intact, start, rows);
        }
        counter.advance(lesions.length * rows);
      }
    }
  } finally {
    await session.dispose();
    await donating?.dispose();
  }
  return { outcomes: tally.outcomes(donors.length), details: details.details() };
}

/** Logits of a network with a lesion. */
export interface LesionedLogits {
  /** Inputs of one `run`, at the most. */
  readonly rowsAtOnce: number;
  /** The logits of `rows` inputs from input `start` on. */
  run(data: InputSource, start: number, rows: number): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** Opens the network with units of several layers at their `means` (by layer name) together. */
export async function openLesionedLogits(
  network: Network,
  lesion: JointLesion,
  means: ReadonlyMap<string, Float32Array>,
): Promise<LesionedLogits> {
  const layers = lesion.map(({ layer }) => layer);
  const { probe } = network;
  const masks = masksOf(layers, layers, lesion);
  const replacements = layers.map(
    ({ name }): Replacement => ({ kind: "mean", values: means.get(name) as Float32Array }),
  );
  const { model, nodes } = encodeJoint(network, layers, network.logits);
  const session = await Session.create(model, { label: `${network.name}, lesioned`, ...threadsFor(network) });
  return {
    rowsAtOnce: rowsPerRun(network, nodes),
    async run(data, start, rows) {
      const size = probe.fixedBatch ?? rows;
      const fed = layers.flatMap((layer, site) => [
        [maskOf(site), masks[site]],
        [
          replacementOfSite(site),
          constantReplacement(network, layer, replacements[site] as Replacement, size),
        ],
      ]);
      const inputs = inputFeed(probe, padBatch(data.batch(start, rows), rows, size), size);
      const outputs = await session.run({ ...inputs, ...Object.fromEntries(fed) });
      const logits = floatValues(outputs[network.logits], network.logits);
      return logits.subarray(0, (logits.length / size) * rows);
    },
    dispose: () => session.dispose(),
  };
}

/** The whole network with a choice at every site, up to its logits or their logarithmic probabilities. */
function encodeJoint(network: Network, sites: readonly Layer[], end: string) {
  const { graph, probe } = network;
  const part = partOf(graph, [network.logits], new Set([probe.input]));
  const nodes = part.nodes.flatMap((node): NodeProto[] => {
    const value = node.output.find((name) => sites.some((site) => site.output.value === name));
    // Several sites share a value where a consumer reads the sum or the concatenation of layers.
    const here = sites.flatMap((layer, site) => (layer.output.value === value ? [site] : []));
    const [first] = here;
    if (value === undefined || first === undefined) return [node];
    const output = node.output.map((name) => (name === value ? ownOf(first) : name));
    const choices = here.map((site, i) => {
      const next = here[i + 1];
      const made = next === undefined ? value : ownOf(next);
      return makeNode("Where", [maskOf(site), ownOf(site), replacementOfSite(site)], [made]);
    });
    return [{ ...node, output }, ...choices];
  });
  const openDims = (name: string, rank: number) =>
    Array.from({ length: rank }, (_, axis) => `${name}/${axis}`);
  const model = encodePart(graph, {
    nodes: end === LOG_PROBABILITIES ? [...nodes, logProbabilityNode(network)] : nodes,
    initializers: part.initializers,
    inputs: [
      inputInfo(probe),
      ...sites.flatMap(({ output: { map } }, site) => [
        makeValueInfo(maskOf(site), map.dims, DataType.BOOL),
        makeValueInfo(replacementOfSite(site), openDims(replacementOfSite(site), map.dims.length)),
      ]),
    ],
    outputs: [makeUntypedValueInfo(end)],
  });
  return { model, nodes };
}

/** The intact network up to all sites. */
async function openDonating(network: Network, sites: readonly Layer[]) {
  const { graph, probe } = network;
  const values = sites.map(({ output }) => output.value);
  const model = encodePart(graph, {
    ...partOf(graph, values, new Set([probe.input])),
    inputs: [inputInfo(probe)],
    outputs: [...new Set(values)].map(makeUntypedValueInfo),
  });
  const session = await Session.create(model, { label: `${network.name}, donors`, ...threadsFor(network) });
  return {
    async run(inputs: Tensors): Promise<Tensor[]> {
      const outputs = await session.run(inputs);
      return values.map((name) => outputs[name] as Tensor);
    },
    dispose: () => session.dispose(),
  };
}

/** For every site the positions that keep their value. */
function masksOf(layers: readonly Layer[], sites: readonly Layer[], lesion: JointLesion): Tensor[] {
  return sites.map((site, number) => {
    const { dims, index } = site.output.map;
    const lesioned = new Set(
      lesion.filter(({ layer }) => layer === layers[number]).flatMap(({ units }) => Array.from(units)),
    );
    return new Tensor(
      "bool",
      Uint8Array.from(index, (unit) => (lesioned.has(unit) ? 0 : 1)),
      dims,
    );
  });
}
