/** Graphs with more nodes in front of a network's input or behind its values, probed like the network itself. */
import { BrodmannError } from "../errors.ts";
import {
  buildModel,
  DataType,
  makeUntypedValueInfo,
  makeValueInfo,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "../runtime/onnx.ts";
import { Session, Tensor, type Tensors } from "../runtime/session.ts";
import { rng } from "../statistics/rng.ts";
import type { ConstantSource } from "./constants.ts";
import { graphOf } from "./load-model.ts";
import { indexModel, type ModelGraph, readsOf } from "./model-graph.ts";
import { elementTypeOf, holdSame, LARGE_BATCH, matchBatches, type ProbedValue, plainValue } from "./probe.ts";

/** Nodes put around a network, in the network's operator set (`graph.opset`), with constants and inputs of their own. */
export interface GraphExtension {
  readonly nodes: readonly NodeProto[];
  readonly initializers?: readonly TensorProto[];
  /** Graph inputs with all sizes; a size given as a word follows the batch. */
  readonly inputs?: readonly ValueInfoProto[];
}

/**
 * The graph with nodes in front that make the network's input, and nodes behind that read any of its values, ready
 * for `buildBackward`. Only the new nodes are run to learn their shapes.
 *
 * Throws `E_NETWORK_REJECTED` where ONNX Runtime refuses the new nodes.
 *
 * @example
 * const squashed = await extendGraph(network, {
 *   before: {
 *     nodes: [makeNode("Sigmoid", ["image/raw"], [network.probe.input])],
 *     inputs: [makeValueInfo("image/raw", ["batch", ...network.inputShape])],
 *   },
 * });
 */
export async function extendGraph(
  source: ConstantSource,
  parts: { readonly before?: GraphExtension; readonly after?: GraphExtension },
): Promise<ConstantSource> {
  const { before = { nodes: [] }, after = { nodes: [] } } = parts;
  const model = source.graph.model;
  const old = graphOf(model);
  const made = new Set(before.nodes.flatMap((node) => node.output));
  const graph = indexModel({
    ...model,
    graph: {
      ...old,
      node: [...before.nodes, ...old.node, ...after.nodes],
      initializer: [...(before.initializers ?? []), ...old.initializer, ...(after.initializers ?? [])],
      input: [
        ...(before.inputs ?? []),
        ...old.input.filter(({ name }) => !made.has(name)),
        ...(after.inputs ?? []),
      ],
    },
  });
  const values = new Map(source.probe.values);
  const constants = new Map(source.probe.constants);
  for (const part of [before, after]) {
    if (part.nodes.length === 0) continue;
    const { fixedBatch } = source.probe;
    const batches = fixedBatch === null ? [1, LARGE_BATCH] : [fixedBatch];
    const runs: Tensors[] = [];
    const names = part.nodes.flatMap((node) => node.output).filter((name) => name !== "");
    for (const info of part.inputs ?? []) values.set(info.name, declaredValue(info, fixedBatch ?? 1));
    for (const batch of batches) runs.push(await runPart(graph, part, values, source, names, batch));
    const last = runs.at(-1) ?? {};
    const probed = runs.length === 2 ? matchBatches([runs[0] as Tensors, last], names) : null;
    for (const name of names) {
      const tensor = last[name];
      if (tensor === undefined) continue;
      const isFixed = runs.every((run) => run[name] !== undefined && holdSame(run[name], tensor));
      if ((graph.constants.has(name) || graph.sizes.has(name)) && isFixed) constants.set(name, tensor);
      const { dims } = tensor;
      const plain = plainValue(dims, dims[0] === fixedBatch ? 0 : -1, elementTypeOf(tensor));
      values.set(name, probed?.get(name) ?? plain);
    }
  }
  return { graph, probe: { ...source.probe, values, constants } };
}

/** An input as it is declared; its first open size follows the batch. */
function declaredValue(info: ValueInfoProto, batch: number): ProbedValue {
  const type = info.type?.value;
  const dims = type?.case === "tensorType" ? type.value.shape?.dim : undefined;
  if (dims === undefined || type?.case !== "tensorType")
    throw new BrodmannError("E_INTERNAL", `input ${info.name}: found no shape`);
  const sizes = dims.map(({ value }) => (value.case === "dimValue" ? Number(value.value) : batch));
  const batchAxis = dims.findIndex(({ value }) => value.case !== "dimValue");
  return plainValue(sizes, batchAxis, type.value.elemType);
}

async function runPart(
  graph: ModelGraph,
  part: GraphExtension,
  values: ReadonlyMap<string, ProbedValue>,
  source: ConstantSource,
  names: readonly string[],
  batch: number,
): Promise<Tensors> {
  const own = new Set(names);
  const reads = [...new Set(part.nodes.flatMap(readsOf))].filter((name) => !own.has(name));
  const initializers: TensorProto[] = [];
  const inputs: ValueInfoProto[] = [];
  const feeds: Record<string, Tensor> = {};
  const random = rng(0, "probe extension");
  for (const name of reads) {
    const stored = graph.initializers.get(name);
    const constant = source.probe.constants.get(name);
    const probed = values.get(name);
    if (stored) {
      initializers.push(stored);
    } else if (constant) {
      feeds[name] = constant;
      inputs.push(makeValueInfo(name, constant.dims, elementTypeOf(constant)));
    } else if (probed) {
      const { fixedBatch } = source.probe;
      const dims = probed.shape.map((size, axis) =>
        axis === probed.batchAxis && fixedBatch === null ? size * batch : size,
      );
      feeds[name] = randomTensor(dims, probed.elementType, random.uniform);
      inputs.push(makeValueInfo(name, dims, probed.elementType));
    }
  }
  const model = buildModel({
    nodes: part.nodes,
    initializers,
    inputs,
    outputs: names.map(makeUntypedValueInfo),
    opsets: new Map(graph.model.opsetImport.map(({ domain, version }) => [domain, Number(version)])),
    irVersion: Number(graph.model.irVersion),
  });
  const session = await Session.create(model, { label: "nodes around the network", isOneShot: true });
  try {
    return await session.run(feeds);
  } finally {
    await session.dispose();
  }
}

function randomTensor(dims: readonly number[], type: number, draw: () => number): Tensor {
  const size = dims.reduce((product, extent) => product * extent, 1);
  if (type === DataType.BOOL) return new Tensor("bool", new Uint8Array(size), dims);
  if (type === DataType.INT64) return new Tensor("int64", new BigInt64Array(size), dims);
  if (type === DataType.INT32) return new Tensor("int32", new Int32Array(size), dims);
  return new Tensor("float32", Float32Array.from({ length: size }, draw), dims);
}
