import type { PageCalls } from "../chrome/calls.ts";
import { createWebgpuCompute } from "../compute/webgpu/webgpu-compute.ts";
import { batchesOf } from "../data/stored-inputs.ts";
import { type Engine, localEngine } from "../engine.ts";
import { BrodmannError } from "../errors.ts";
import type { UnitGraph } from "../graph/unit-graph.ts";
import { loadNetworkBytes, type Network } from "../network/network.ts";
import type { LabelledInputs } from "../network/outcomes.ts";
import { openGpu, shadersBelow } from "./open-gpu.ts";
import { runtimeFacts, startRuntime } from "./ort-web.ts";
import { endWithDevice, type TakenCalls, tellNode } from "./take-calls.ts";

let opened: Engine | null = null;

const models = new Map<string, Network>();
const inputs = new Map<string, LabelledInputs>();
const graphs = new Map<string, UnitGraph>();

export const pageCalls: TakenCalls<PageCalls> = {
  async open({ networks: wanted }) {
    const found = await openGpu(shadersBelow(document.baseURI));
    if (found === null) return null;
    const { gpu, device, facts } = found;
    const { name, vendor, type } = facts;
    endWithDevice(device, facts);
    opened = localEngine(createWebgpuCompute(gpu));
    const networks = wanted ?? (type === "hardware" ? "webgpu" : "wasm");
    startRuntime(new URL("ort/", document.baseURI).href, networks === "webgpu" ? device : null, (message) =>
      tellNode("onNotice", message),
    );
    const { version, threads } = runtimeFacts();
    return {
      adapter: {
        name,
        vendor,
        type,
        bindingBytes: gpu.limits.bindingBytes,
        features: [...gpu.features],
      },
      runtime: { version, networks, threads },
    };
  },
  async holdNetwork({ key, name, model, inputShape }) {
    models.set(key, await loadNetworkBytes(model, name, { inputShape }));
  },
  async holdInputs({ key, inputs: stored, answers }) {
    const { labels = new Int32Array(), targets } = answers ?? {};
    inputs.set(key, { count: stored.count, labels, targets, batch: batchesOf(stored) });
  },
  async holdGraph({ key, graph }) {
    graphs.set(key, graph);
  },
  async release({ key }) {
    for (const held of [models, inputs, graphs]) held.delete(key);
  },
  async unitGraph({ key, network, inputs: inputsKey, options }, own) {
    const data = inputsKey === null ? null : known(inputs, inputsKey);
    const graph = await engine().unitGraph(known(models, network), data, { ...options, ...own });
    graphs.set(key, graph);
    return graph;
  },
  async correlate({ key, layers, values, samples, facts, options }, own) {
    const graph = await engine().correlate(layers, values, samples, facts, { ...options, ...own });
    graphs.set(key, graph);
    return graph;
  },
  partition: ({ graph, options }, own) => engine().partition(known(graphs, graph), options, own),
  degrees: ({ graph }) => engine().degrees(known(graphs, graph)),
  importance: ({ network, inputs: inputsKey, partition, options }, own) =>
    engine().importance(known(models, network), known(inputs, inputsKey), partition, {
      ...options,
      ...own,
    }),
  importanceShard: ({ network, inputs: inputsKey, partition, shard, options }, own) =>
    engine().importanceShard(known(models, network), known(inputs, inputsKey), partition, shard, {
      ...options,
      ...own,
    }),
  visualize: ({ network, layer, sets, options }, own) =>
    engine().visualize(known(models, network), layer, sets, { ...options, ...own }),
  coherence: ({ network, inputs: inputsKey, partition, options }, own) =>
    engine().coherence(known(models, network), known(inputs, inputsKey), partition, {
      ...options,
      ...own,
    }),
  coherenceShard: ({ network, inputs: inputsKey, partition, shard, options }, own) =>
    engine().coherenceShard(known(models, network), known(inputs, inputsKey), partition, shard, {
      ...options,
      ...own,
    }),
  patterns: ({ network, inputs: inputsKey, options }, own) =>
    engine().patterns(known(models, network), known(inputs, inputsKey), { ...options, ...own }),
  activationPatterns: ({ recorded, options }, own) =>
    engine().activationPatterns(recorded, { ...options, ...own }),
  populations: ({ network, inputs: inputsKey, options }, own) =>
    engine().populations(known(models, network), known(inputs, inputsKey), { ...options, ...own }),
};

function engine(): Engine {
  if (opened !== null) return opened;
  throw new BrodmannError("E_INTERNAL_PAGE", "page: found a call before it was opened");
}

function known<T>(held: ReadonlyMap<string, T>, key: string): T {
  const value = held.get(key);
  if (value !== undefined) return value;
  throw new BrodmannError("E_INTERNAL_PAGE", `page: found nothing under ${key}`);
}
