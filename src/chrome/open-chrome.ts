/**
 * Analyses in headless Chrome: graphs, partitions and scores are computed in a page, by our kernels on the browser's GPU
 * and by its ONNX Runtime; what comes back is what the other devices give.
 */
import { storedBehind } from "../data/stored-inputs.ts";
import type { Engine } from "../engine.ts";
import type { Network } from "../network/network.ts";
import type { InputSource, LabelledInputs } from "../network/outcomes.ts";
import { encodeModel } from "../runtime/onnx.ts";
import type { PageCalls, PageFacts } from "./calls.ts";
import { type OpenedPage, openPage } from "./open-page.ts";
import type { CallPage } from "./page-client.ts";
import { findPageFiles } from "./page-files.ts";

export interface ChromeOptions {
  /** What runs networks; default WebGPU on a hardware adapter, else the CPU by WebAssembly. */
  readonly networks?: "webgpu" | "wasm" | undefined;
  /** How long the browser may take to start; default a minute. */
  readonly startTimeoutMs?: number | undefined;
  /** Told what people should know of how networks run: that a provider gives wrong values and another one is used. */
  readonly onNotice?: ((message: string) => void) | undefined;
}

/** What runs in the page, and what was found there. */
export interface OpenedChrome {
  /** Takes the place of a `compute` in every call of the library. Its `dispose()` ends the browser. */
  readonly engine: Engine;
  /** One sentence for people: the browser, the adapter, and what speaks against it. */
  readonly reason: string;
  readonly browser: {
    readonly path: string;
    readonly version: string;
    readonly processId: number | undefined;
  };
  readonly page: PageFacts;
}

/**
 * Starts an installed Chrome or Chromium without a window, with a hardware adapter where there is one. The browser to use
 * can be named by the environment variable PUPPETEER_EXECUTABLE_PATH. Call `engine.dispose()` when done.
 *
 * Throws `E_DEVICE_MISSING` where there is no browser, one that does not start, or none of its adapters works.
 *
 * @example
 * const { engine } = await openChrome();
 * const graph = await weightGraph(network, { engine });
 * await engine.dispose();
 */
export async function openChrome(options: ChromeOptions = {}): Promise<OpenedChrome> {
  const { networks, startTimeoutMs } = options;
  const notices: string[] = [];
  const onNotice = (message: string): void => {
    notices.push(message);
    options.onNotice?.(message);
  };
  const opened = await openPage<PageCalls>(findPageFiles, { networks }, { startTimeoutMs, onNotice });
  const { browser, page } = opened;
  const { name, type } = page.adapter;
  const warning = type === "software" ? ", a software adapter: it runs on the CPU, and slowly" : "";
  return {
    engine: chromeEngine(opened, notices),
    reason: `device: chrome, ${browser.version} on ${name}${warning}`,
    browser,
    page,
  };
}

function chromeEngine(
  { browser, call, page, close }: OpenedPage<PageCalls>,
  notices: readonly string[],
): Engine {
  const keys = pageKeys(call);
  const { name, vendor, type } = page.adapter;
  return {
    device: "chrome",
    facts: {
      chrome: { browser: browser.version, adapter: { name, vendor, type }, onnxRuntime: page.runtime },
      notices,
    },
    async unitGraph(network, data, options = {}) {
      const key = keys.next();
      const graph = await call(
        "unitGraph",
        {
          key,
          network: await keys.ofNetwork(network),
          inputs: data === null || options.kind !== "activations" ? null : await keys.ofInputs(data),
          options: plain(options),
        },
        options,
      );
      keys.keep(graph, key);
      return graph;
    },
    async correlate(layers, values, samples, facts, options = {}) {
      const key = keys.next();
      const argument = { key, layers, values, samples, facts, options: plain(options) };
      const graph = await call("correlate", argument, options);
      keys.keep(graph, key);
      return graph;
    },
    partition: async (graph, settings, options) =>
      call("partition", { graph: await keys.ofGraph(graph), options: settings }, options),
    degrees: async (graph) => call("degrees", { graph: await keys.ofGraph(graph) }),
    importance: async (network, data, partition, options = {}) =>
      call(
        "importance",
        {
          network: await keys.ofNetwork(network),
          inputs: await keys.ofInputs(data),
          partition,
          options: plain(options),
        },
        options,
      ),
    importanceShard: async (network, data, partition, shard, options = {}) =>
      call(
        "importanceShard",
        {
          network: await keys.ofNetwork(network),
          inputs: await keys.ofInputs(data),
          partition,
          shard,
          options: plain(options),
        },
        options,
      ),
    visualize: async (network, layer, sets, options = {}) =>
      call(
        "visualize",
        { network: await keys.ofNetwork(network), layer, sets, options: plain(options) },
        options,
      ),
    coherence: async (network, data, partition, options = {}) =>
      call(
        "coherence",
        {
          network: await keys.ofNetwork(network),
          inputs: await keys.ofInputs(data),
          partition,
          options: plain(options),
        },
        options,
      ),
    coherenceShard: async (network, data, partition, shard, options = {}) =>
      call(
        "coherenceShard",
        {
          network: await keys.ofNetwork(network),
          inputs: await keys.ofInputs(data),
          partition,
          shard,
          options: plain(options),
        },
        options,
      ),
    patterns: async (network, data, options = {}) =>
      call(
        "patterns",
        {
          network: await keys.ofNetwork(network),
          inputs: await keys.ofInputs(data),
          options: plain(options),
        },
        options,
      ),
    activationPatterns: async (recorded, options = {}) =>
      call("activationPatterns", { recorded, options: plain(options) }, options),
    populations: async (network, data, options = {}) =>
      call(
        "populations",
        {
          network: await keys.ofNetwork(network),
          inputs: await keys.ofInputs(data),
          options: plain(options),
        },
        options,
      ),
    dispose: close,
  };
}

/** Options that can be sent: without the signal and the callbacks, which stay here. */
function plain<T extends object>(options: T): T {
  const isPlain = (value: unknown) => typeof value !== "function" && !(value instanceof AbortSignal);
  return Object.fromEntries(Object.entries(options).filter(([, value]) => isPlain(value))) as T;
}

/** Names of what the page holds. Each thing is sent when it is first needed, and given up there once it is gone here. */
function pageKeys(call: CallPage<PageCalls>) {
  let count = 0;
  const known = new WeakMap<object, Promise<string>>();
  const gone = new FinalizationRegistry<string>((key) => {
    // A page that is gone holds nothing.
    call("release", { key }).catch(() => {});
  });
  const next = (): string => `${++count}`;
  const keep = (thing: object, key: string): void => {
    known.set(thing, Promise.resolve(key));
    gone.register(thing, key);
  };
  const keyOf = (thing: object, hold: (key: string) => Promise<void>): Promise<string> => {
    let key = known.get(thing);
    if (key === undefined) {
      const name = next();
      key = hold(name).then(() => name);
      known.set(thing, key);
      // What could not be sent is sent again the next time.
      key.then(
        () => gone.register(thing, name),
        () => known.delete(thing),
      );
    }
    return key;
  };
  return {
    next,
    keep,
    ofGraph: (graph: Parameters<Engine["degrees"]>[0]) =>
      keyOf(graph, (key) => call("holdGraph", { key, graph })),
    ofNetwork: (network: Network) =>
      keyOf(network, (key) =>
        call("holdNetwork", {
          key,
          name: network.name,
          model: encodeModel(network.graph.model),
          inputShape: network.inputShape,
        }),
      ),
    ofInputs: (data: InputSource | LabelledInputs) =>
      keyOf(data, (key) =>
        call("holdInputs", {
          key,
          inputs: storedBehind(data.batch) ?? storeBatches(data),
          answers: "labels" in data ? { labels: data.labels, targets: data.targets } : null,
        }),
      ),
  };
}

/** Inputs of any source, all at once. */
function storeBatches(data: InputSource) {
  const values = data.batch(0, data.count);
  const size = values.length / Math.max(1, data.count);
  return { count: data.count, size, values, isByte: false, channels: null, transposed: [] };
}
