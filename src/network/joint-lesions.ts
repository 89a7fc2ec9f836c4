/**
 * Lesions of several layers at once. The whole network runs again for each, with a choice between every lesioned
 * layer's output and what replaces it; for the few pairs whose interaction is asked for that is quick enough.
 */
import { type RunOptions, StepCounter } from "../progress.ts";
import { DataType, makeNode, makeUntypedValueInfo, makeValueInfo, type NodeProto } from "../runtime/onnx.ts";
import { floatTensor, floatValues, Session, Tensor, type Tensors } from "../runtime/session.ts";
import { batchesOf, padBatch, rowsPerRun, threadsFor } from "./batching.ts";
import { encodePart, partOf } from "./model-graph.ts";
import type { Layer, Network } from "./network.ts";
import { inputFeed, inputInfo } from "./network-input.ts";
import { DetailTally, type OutcomeDetail } from "./outcome-details.ts";
import {
  classCount,
  countClasses,
  type LabelledInputs,
  LOG_PROBABILITIES,
  logProbabilityNode,
  type Outcome,
  OutcomeTally,
} from "./outcomes.ts";
import { drawDonors, gatherInputs, type LesionKind, meanOutput } from "./replacement.ts";

/** Units of several layers that are silenced together. */
export type JointLesion = readonly { readonly layer: Layer; readonly units: Int32Array }[];

const maskOf = (site: number): string => `brodmann/mask${site}`;
const replacementOfSite = (site: number): string => `brodmann/replacement${site}`;

/**
 * Outcomes and details of joint lesions; donors of `resample` are those of single lesions of the same seed.
 *
 * @example
 * const { outcomes } = await runJointLesions(network, [[{ layer: a, units: some }, { layer: b, units: others }]], digits);
 */
export async function runJointLesions(
  network: Network,
  lesions: readonly JointLesion[],
  data: LabelledInputs,
  options: { readonly lesion?: LesionKind; readonly seed?: number } & RunOptions = {},
): Promise<{ readonly outcomes: Outcome[]; readonly details: OutcomeDetail[] }> {
  const { lesion: kind = "zero", seed = 0 } = options;
  const { probe } = network;
  const classes = classCount(network);
  countClasses(data.labels, classes);
  const sites = [...new Set(lesions.flatMap((lesion) => lesion.map(({ layer }) => layer)))];
  const constants = await Promise.all(sites.map((layer) => constantOf(network, layer, kind, data)));
  const donors = kind === "resample" ? drawDonors(data.count, seed) : [null];
  const { model, nodes } = encodeJoint(network, sites);
  const session = await Session.create(model, { label: `${network.name}, lesioned`, ...threadsFor(network) });
  const donating = kind === "resample" ? await openDonating(network, sites) : null;
  const tally = new OutcomeTally(lesions.length, classes);
  const details = new DetailTally(lesions.length, classes, data.count, donors.length);
  const counter = new StepCounter("pairs", lesions.length * data.count * donors.length, options);
  const masks = lesions.map((lesion) => masksOf(sites, lesion));
  try {
    for (const { start, rows } of batchesOf(data.count, rowsPerRun(network, nodes))) {
      const size = probe.fixedBatch ?? rows;
      const feedOf = (values: Float32Array) => inputFeed(probe, padBatch(values, rows, size), size);
      const inputs = feedOf(data.batch(start, rows));
      const run = async (mask: readonly Tensor[], replacements: readonly Tensor[]) => {
        const fed = sites.flatMap((_, site) => [
          [maskOf(site), mask[site]],
          [replacementOfSite(site), replacements[site]],
        ]);
        const outputs = await session.run({ ...inputs, ...Object.fromEntries(fed) });
        return floatValues(outputs[LOG_PROBABILITIES], network.logits);
      };
      const intact = await run(masksOf(sites, []), constants);
      for (const [number, donor] of donors.entries()) {
        const replacements =
          donor === null || donating === null
            ? constants
            : await donating.run(feedOf(gatherInputs(data, donor.subarray(start, start + rows))));
        for (const [slot, mask] of masks.entries()) {
          const found = await run(mask, replacements);
          tally.count(slot, found, 0, data.labels, start, rows);
          details.count(slot, number, found, 0, intact, data.labels, start, rows);
        }
        counter.advance(lesions.length * rows);
      }
    }
  } finally {
    await session.dispose();
    await donating?.dispose();
  }
  return { outcomes: tally.outcomes(data.count, donors.length), details: details.details() };
}

/** The whole network with a choice at every site. */
function encodeJoint(network: Network, sites: readonly Layer[]) {
  const { graph, probe } = network;
  const part = partOf(graph, [network.logits], new Set([probe.input]));
  const siteOf = new Map(sites.map((layer, site) => [layer.output.value, site]));
  const nodes = part.nodes.flatMap((node): NodeProto[] => {
    const value = node.output.find((name) => siteOf.has(name));
    const site = value === undefined ? undefined : siteOf.get(value);
    if (value === undefined || site === undefined) return [node];
    const own = `brodmann/own${site}`;
    const output = node.output.map((name) => (name === value ? own : name));
    return [{ ...node, output }, makeNode("Where", [maskOf(site), own, replacementOfSite(site)], [value])];
  });
  const openDims = (name: string, rank: number) =>
    Array.from({ length: rank }, (_, axis) => `${name}/${axis}`);
  const model = encodePart(graph, {
    nodes: [...nodes, logProbabilityNode(network)],
    initializers: part.initializers,
    inputs: [
      inputInfo(probe),
      ...sites.flatMap(({ output: { map } }, site) => [
        makeValueInfo(maskOf(site), map.dims, DataType.BOOL),
        makeValueInfo(replacementOfSite(site), openDims(replacementOfSite(site), map.dims.length)),
      ]),
    ],
    outputs: [makeUntypedValueInfo(LOG_PROBABILITIES)],
  });
  return { model, nodes };
}

/** What replaces a site's units whatever the input; zero for `resample`, which has values for each. */
async function constantOf(
  network: Network,
  layer: Layer,
  kind: LesionKind,
  data: LabelledInputs,
): Promise<Tensor> {
  const { shape = [], batchAxis = 0 } = network.probe.values.get(layer.output.value) ?? {};
  if (kind !== "mean")
    return floatTensor(
      new Float32Array(1),
      shape.map(() => 1),
    );
  const dims = shape.map((size, axis) => (axis === batchAxis ? 1 : size));
  return floatTensor(await meanOutput(network, layer, data), dims);
}

/** The intact network up to all sites. */
async function openDonating(network: Network, sites: readonly Layer[]) {
  const { graph, probe } = network;
  const values = sites.map(({ output }) => output.value);
  const model = encodePart(graph, {
    ...partOf(graph, values, new Set([probe.input])),
    inputs: [inputInfo(probe)],
    outputs: values.map(makeUntypedValueInfo),
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
function masksOf(sites: readonly Layer[], lesion: JointLesion): Tensor[] {
  return sites.map((site) => {
    const { dims, index } = site.output.map;
    const lesioned = new Set(
      lesion.filter(({ layer }) => layer === site).flatMap(({ units }) => Array.from(units)),
    );
    return new Tensor(
      "bool",
      Uint8Array.from(index, (unit) => (lesioned.has(unit) ? 0 : 1)),
      dims,
    );
  });
}
