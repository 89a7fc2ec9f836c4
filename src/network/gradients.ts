/**
 * Gradients of what a network's units or logits amount to, with respect to its input: forward and backward pass in one
 * ONNX Runtime session.
 */
import { BrodmannError } from "../errors.ts";
import { DataType, makeNode, makeUntypedValueInfo, makeValueInfo } from "../runtime/onnx.ts";
import { floatTensor, floatValues, Session, Tensor } from "../runtime/session.ts";
import { buildBackward } from "./backward/build-backward.ts";
import { batchesOf, padBatch, rowsPerRun, threadsFor } from "./batching.ts";
import { extendGraph } from "./extend-graph.ts";
import { encodePart, partOf } from "./model-graph.ts";
import type { Layer, Network } from "./network.ts";
import { inputFeed, inputInfo } from "./network-input.ts";
import { taskOf } from "./task.ts";
import { unitMeans } from "./unit-means.ts";
import type { UnitSite } from "./unit-sites.ts";

/** What is differentiated: units of a layer, or the network's logits. */
export type GradientTarget = Layer | "logits";

export interface GradientOptions {
  /** Where the units of a layer are read; default: in front of the activation function. */
  readonly site?: "preActivation" | "output";
  /** Whether `run` may redirect the gradients that ReLUs block (method note 7.1). */
  readonly hasRedirection?: boolean;
}

/** Objectives of some inputs and their gradients. */
export interface Gradients {
  /** One number for each input. */
  readonly objective: Float32Array;
  /** Inputs x elements of an input. */
  readonly gradient: Float32Array;
}

/** An open session; `dispose()` frees its memory. */
export interface GradientRunner {
  readonly units: number;
  /**
   * Objective and gradient of `rows` inputs. Of a layer the objective is J_i = sum over u of w[i, u] |mean over
   * positions of z_iu|, of the logits sum over c of w[i, c] logit_ic. `weights`: rows x units, so that every input of a
   * batch may have an objective of its own.
   * Throws `E_NETWORK_NOT_FINITE` for gradients that are not finite.
   */
  run(
    inputs: Float32Array,
    weights: Float32Array,
    rows: number,
    options?: { readonly redirect?: boolean },
  ): Promise<Gradients>;
  dispose(): Promise<void>;
}

const WEIGHTS = "brodmann/gradient_weights";
const REDIRECT = "brodmann/gradient_redirect";
const OBJECTIVE = "brodmann/gradient_objective";

/**
 * Opens the forward and backward pass of a layer's units or of the logits.
 * Throws `E_NETWORK_GRADIENT` before anything runs: for an operator without a rule, which it names, and for a network
 * that reads tokens.
 *
 * @example
 * const runner = await openGradients(network, layer);
 * const { objective, gradient } = await runner.run(images, weights, 16, { redirect: false });
 * await runner.dispose();
 */
export async function openGradients(
  network: Network,
  target: GradientTarget,
  options: GradientOptions = {},
): Promise<GradientRunner> {
  const { probe } = network;
  const { site, units } = siteOf(network, target, options.site ?? "preActivation");
  const means = unitMeans(network, site, units, "brodmann/unit_means");
  const weightsInfo = makeValueInfo(WEIGHTS, ["batch", units]);
  const redirectInfo = makeValueInfo(REDIRECT, [], DataType.BOOL);
  const source = await extendGraph(network, { after: means });
  const hasSign = target !== "logits";
  const slope = "brodmann/gradient_slope";
  const objectiveNodes = [
    ...(hasSign ? [makeNode("Sign", [means.value], [`${slope}/sign`])] : []),
    hasSign ? makeNode("Mul", [WEIGHTS, `${slope}/sign`], [slope]) : makeNode("Identity", [WEIGHTS], [slope]),
    makeNode("Mul", [slope, means.value], [OBJECTIVE]),
  ];
  const backward = buildBackward(source, new Map([[means.value, slope]]), [probe.input], {
    redirect: options.hasRedirection ? REDIRECT : null,
  });
  const gradient = backward.gradients.get(probe.input);
  if (gradient === undefined)
    throw new BrodmannError("E_INTERNAL", `${site.value} does not depend on the input`);
  const part = partOf(source.graph, [means.value], new Set([probe.input]));
  const nodes = [...part.nodes, ...objectiveNodes, ...backward.nodes];
  const model = encodePart(source.graph, {
    nodes,
    initializers: [...part.initializers, ...backward.initializers],
    inputs: [inputInfo(probe), weightsInfo, ...(options.hasRedirection ? [redirectInfo] : [])],
    outputs: [makeUntypedValueInfo(OBJECTIVE), makeUntypedValueInfo(gradient)],
  });
  const label = `${network.name}, gradients of ${target === "logits" ? "the logits" : target.name}`;
  const session = await Session.create(model, { label, ...threadsFor(network) });
  const size = network.inputShape.reduce((product, extent) => product * extent, 1);
  const rowsAtOnce = rowsPerRun(network, part.nodes, LARGEST_VALUE);
  return {
    units,
    async run(inputs, weights, rows, { redirect = false } = {}) {
      if (redirect && !options.hasRedirection)
        throw new BrodmannError("E_INTERNAL", `${label}: opened without redirection`);
      const made = { objective: new Float32Array(rows), gradient: new Float32Array(rows * size) };
      for (const { start, rows: count } of batchesOf(rows, rowsAtOnce)) {
        const taken = probe.fixedBatch ?? count;
        const batch = padBatch(inputs.subarray(start * size, (start + count) * size), count, taken);
        const rowWeights = padBatch(weights.subarray(start * units, (start + count) * units), count, taken);
        const outputs = await session.run({
          ...inputFeed(probe, batch, taken),
          [WEIGHTS]: floatTensor(rowWeights, [taken, units]),
          ...(options.hasRedirection
            ? { [REDIRECT]: new Tensor("bool", Uint8Array.of(redirect ? 1 : 0), []) }
            : {}),
        });
        const terms = floatValues(outputs[OBJECTIVE], OBJECTIVE);
        for (let row = 0; row < count; row++) {
          let sum = 0;
          for (let u = 0; u < units; u++) sum += terms[row * units + u] as number;
          made.objective[start + row] = sum;
        }
        const found = floatValues(outputs[gradient], gradient).subarray(0, count * size);
        checkFinite(found, size, start, label);
        made.gradient.set(found, start * size);
      }
      return made;
    },
    dispose: () => session.dispose(),
  };
}

/** Floats of the largest value of one run: 32 MB. */
const LARGEST_VALUE = 2 ** 23;

function siteOf(
  network: Network,
  target: GradientTarget,
  site: "preActivation" | "output",
): { readonly site: UnitSite; readonly units: number } {
  if (target !== "logits") return { site: target[site], units: target.units };
  return { site: logitSite(network), units: taskOf(network).width };
}

/** The logits as a site whose units are the classes, on the last axis. */
function logitSite(network: Network): UnitSite {
  const { shape = [] } = network.probe.values.get(network.logits) ?? {};
  const { answers, width } = taskOf(network);
  const classAxis =
    answers > 1 ? shape.length - 1 : shape.findIndex((size, axis) => axis > 0 && size === width);
  const dims = shape.map((size, axis) => (axis === classAxis ? size : 1));
  return {
    value: network.logits,
    map: { dims, index: Int32Array.from({ length: width }, (_, c) => c), scale: null },
  };
}

function checkFinite(gradient: Float32Array, size: number, first: number, label: string): void {
  const at = gradient.findIndex((value) => !Number.isFinite(value));
  if (at < 0) return;
  throw new BrodmannError(
    "E_NETWORK_NOT_FINITE",
    `${label}: found ${gradient[at]} in the gradient of input ${first + Math.floor(at / size)}, expected finite numbers`,
    { hint: "Check the inputs and the weights: activations that overflow, or a root or logarithm at 0." },
  );
}
