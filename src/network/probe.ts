import { BrodmannError } from "../errors.ts";
import { DataType, makeUntypedValueInfo, makeValueInfo, type ValueInfoProto } from "../runtime/onnx.ts";
import { Session, type Tensor, type Tensors } from "../runtime/session.ts";
import { rng } from "../statistics/rng.ts";
import { encodePart, type ModelGraph, partOf, readsOf } from "./model-graph.ts";
import { inputTensor } from "./network-input.ts";

/** What running the network on random inputs tells about a value. */
export interface ProbedValue {
  /** Shape for a batch of one input, or of `fixedBatch` inputs. */
  readonly shape: readonly number[];
  /** The axis whose size follows the batch size; -1 where there is none. */
  readonly batchAxis: number;
  /** Entries along the batch axis for each input: above 1 where tokens or heads are folded into it. */
  readonly rowsPerInput: number;
  /**
   * How many of these come in front of the batch: of N inputs, input n has rows (before * N + n) * after + i. 1 where
   * the batch comes first, null where the rows are in some other order.
   */
  readonly rowsBefore: number | null;
  /** ONNX element type. */
  readonly elementType: number;
}

/** Shapes of all values and the contents of those that do not change with the input, whatever the batch size. */
export interface Probe {
  readonly input: string;
  /** ONNX element type of the input: floats, or integers for token numbers. */
  readonly inputType: number;
  /** Shape of one input, without the batch axis. */
  readonly inputShape: readonly number[];
  /** The only batch size the network accepts, or null where any will do. */
  readonly fixedBatch: number | null;
  readonly values: ReadonlyMap<string, ProbedValue>;
  /** What nodes compute from initializers, and shape arithmetic that the batch size does not enter. */
  readonly constants: ReadonlyMap<string, Tensor>;
}

/**
 * Runs the network on random inputs of two batch sizes with every value as an output. This replaces shape
 * inference: shapes, batch axes and constant subgraphs come from ONNX Runtime itself, whatever the operators.
 * The smaller batch is a single input: what a reshape does to the units of one input is then plain to see, also
 * where it folds the batch into another axis.
 *
 * `inputShape` (one input, without the batch axis) is needed only where the model leaves those sizes open.
 * Throws `E_NETWORK_INPUT` for models without a usable input and `E_NETWORK_SHAPE` for open sizes.
 */
export async function probeNetwork(graph: ModelGraph, inputShape: readonly number[] | null): Promise<Probe> {
  const { info, inputType } = soleInput(graph);
  const declared = declaredDims(info);
  const shape = resolveShape(info.name, declared.slice(1), inputShape);
  const declaredBatch = declared[0] ?? null;
  const constantNames = computedConstants(graph);
  const valueNames = computedValues(graph, info.name);
  const runAt = async (batch: number) =>
    runProbe(graph, { name: info.name, type: inputType, shape }, batch, valueNames, constantNames);
  let outputs: readonly [Tensors, Tensors] | null = null;
  try {
    outputs = [await runAt(1), await runAt(LARGE_BATCH)];
  } catch (error) {
    if (declaredBatch === null) throw error;
  }
  const values = outputs === null ? null : matchBatches(outputs, valueNames);
  // A declared batch size may be baked into reshapes: then the outputs do not follow another one.
  const follows = declaredBatch === null || graph.outputs.some((name) => values?.get(name)?.batchAxis === 0);
  if (outputs !== null && values !== null && follows) {
    const constants = new Map(constantNames.map((name) => [name, outputs[1][name] as Tensor]));
    for (const name of graph.sizes) {
      const [small, large] = outputs.map((tensors) => tensors[name]);
      if (small && large && holdSame(small, large)) constants.set(name, large);
    }
    values.set(info.name, plainValue([1, ...shape], 0, inputType));
    return { input: info.name, inputType, inputShape: shape, fixedBatch: null, values, constants };
  }
  // The file insists on its own batch size (an export without dynamic axes).
  const fixedBatch = declaredBatch ?? 1;
  const only = await runAt(fixedBatch);
  const fixedValues = new Map<string, ProbedValue>();
  for (const name of valueNames) {
    const dims = only[name]?.dims ?? [];
    fixedValues.set(name, plainValue(dims, dims[0] === fixedBatch ? 0 : -1, elementTypeOf(only[name])));
  }
  fixedValues.set(info.name, plainValue([fixedBatch, ...shape], 0, inputType));
  const constants = new Map([...constantNames, ...graph.sizes].map((name) => [name, only[name] as Tensor]));
  return { input: info.name, inputType, inputShape: shape, fixedBatch, values: fixedValues, constants };
}

/** Batch size of the larger probe. */
export const LARGE_BATCH = 3;

/** A value with one row per input. */
export function plainValue(shape: readonly number[], batchAxis: number, elementType: number): ProbedValue {
  return { shape, batchAxis, rowsPerInput: 1, rowsBefore: 1, elementType };
}

export function holdSame(one: Tensor, other: Tensor): boolean {
  if (one.data.length !== other.data.length) return false;
  for (let i = 0; i < one.data.length; i++) if (one.data[i] !== other.data[i]) return false;
  return true;
}

const ELEMENT_TYPES: Readonly<Record<string, number>> = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  int64: DataType.INT64,
  int32: DataType.INT32,
  uint8: DataType.UINT8,
  int8: DataType.INT8,
  bool: DataType.BOOL,
};

export function elementTypeOf(tensor: Tensor | undefined): number {
  return ELEMENT_TYPES[tensor?.type ?? ""] ?? DataType.UNDEFINED;
}

function soleInput(graph: ModelGraph): { readonly info: ValueInfoProto; readonly inputType: number } {
  const [info, ...others] = graph.inputs;
  if (info === undefined || others.length > 0) {
    const names = graph.inputs.map(({ name }) => `"${name}"`).join(", ") || "none";
    throw new BrodmannError("E_NETWORK_INPUT", `network inputs: found ${names}, expected exactly one`, {
      hint: "Export the network with its data as the only input.",
    });
  }
  const type = info.type?.value;
  const inputType = type?.case === "tensorType" ? type.value.elemType : DataType.UNDEFINED;
  if (inputType !== DataType.FLOAT && inputType !== DataType.INT64 && inputType !== DataType.INT32) {
    const found = type?.case === "tensorType" ? DataType[type.value.elemType] : type?.case;
    throw new BrodmannError(
      "E_NETWORK_INPUT",
      `network input "${info.name}": found ${found}, expected floats, or int64 or int32 for tokens`,
      {
        hint: "Export the network with a float32 input (scaling of images belongs in front of it).",
      },
    );
  }
  return { info, inputType };
}

/** Sizes of the declared axes; null where a size is open. */
function declaredDims(info: ValueInfoProto): (number | null)[] {
  const type = info.type?.value;
  const dims = type?.case === "tensorType" ? (type.value.shape?.dim ?? []) : [];
  return dims.map(({ value }) =>
    value.case === "dimValue" && value.value > 0n ? Number(value.value) : null,
  );
}

function resolveShape(
  name: string,
  declared: readonly (number | null)[],
  given: readonly number[] | null,
): number[] {
  const isOpen = declared.length === 0 || declared.some((size) => size === null);
  if (!isOpen) return declared as number[];
  const words = `[N, ${declared.map((size) => size ?? "?").join(", ") || "..."}]`;
  if (given === null) {
    throw new BrodmannError("E_NETWORK_SHAPE", `network input "${name}" has open sizes ${words}`, {
      hint: "Give --data, whose inputs tell the sizes, or export with fixed sizes behind the batch axis.",
    });
  }
  const fits = declared.length === 0 || declared.length === given.length;
  if (!fits || declared.some((size, axis) => size !== null && size !== given[axis])) {
    throw new BrodmannError(
      "E_INPUT_SHAPE",
      `network input "${name}": found data of shape [N, ${given.join(", ")}], expected ${words}`,
      { hint: "Pass data of the network's input shape." },
    );
  }
  return [...given];
}

/** Constants that nodes compute and that nodes on the data path read. */
function computedConstants(graph: ModelGraph): string[] {
  const names = new Set<string>();
  for (const node of graph.nodes) {
    if (node.output.every((name) => name === "" || graph.constants.has(name))) continue;
    for (const name of readsOf(node)) {
      if (graph.constants.has(name) && graph.producer.has(name)) names.add(name);
    }
  }
  return [...names];
}

/** All values that depend on the input, the input itself aside. */
function computedValues(graph: ModelGraph, input: string): string[] {
  return [...graph.producer.keys()].filter((name) => !graph.constants.has(name) && name !== input);
}

interface ProbedInput {
  readonly name: string;
  readonly type: number;
  readonly shape: readonly number[];
}

async function runProbe(
  graph: ModelGraph,
  input: ProbedInput,
  batch: number,
  values: readonly string[],
  constants: readonly string[],
): Promise<Tensors> {
  const outputs = [...values, ...constants];
  const part = partOf(graph, outputs, new Set([input.name]));
  const model = encodePart(graph, {
    nodes: part.nodes,
    initializers: part.initializers,
    inputs: [makeValueInfo(input.name, ["batch", ...input.shape], input.type)],
    outputs: outputs.map(makeUntypedValueInfo),
  });
  const session = await Session.create(model, { label: "network", isOneShot: true });
  try {
    // The smaller batch's inputs are the larger one's first. Tokens 0 and 1 are in every vocabulary.
    const random = rng(0, "probe");
    const draw = input.type === DataType.FLOAT ? () => random.uniform() : () => random.integer(2);
    const size = input.shape.reduce((product, extent) => product * extent, batch);
    const tensor = inputTensor(
      Float32Array.from({ length: size }, draw),
      [batch, ...input.shape],
      input.type,
    );
    return await session.run({ [input.name]: tensor });
  } finally {
    await session.dispose();
  }
}

/** Shapes and batch axes from two runs, or null where sizes do not follow the batch as they should. */
export function matchBatches(
  [one, three]: readonly [Tensors, Tensors],
  names: readonly string[],
): Map<string, ProbedValue> | null {
  const values = new Map<string, ProbedValue>();
  for (const name of names) {
    const [small, large] = [one[name], three[name]];
    const shape = small?.dims ?? [];
    if (small === undefined || large === undefined || shape.length !== large.dims.length) return null;
    const batchAxis = large.dims.findIndex((size, axis) => size !== shape[axis]);
    const rowsPerInput = shape[batchAxis] ?? 1;
    const rowsBefore = rowsPerInput === 1 ? 1 : findRowsBefore(small, large, batchAxis);
    values.set(name, { shape, batchAxis, rowsPerInput, rowsBefore, elementType: elementTypeOf(large) });
  }
  return values;
}

/** In which order rows and inputs share an axis: the one in which the first input has the same values in both runs. */
function findRowsBefore(small: Tensor, large: Tensor, axis: number): number | null {
  const rows = small.dims[axis] as number;
  if (large.dims[axis] !== rows * LARGE_BATCH) return null;
  const outer = small.dims.slice(0, axis).reduce((product, size) => product * size, 1);
  const inner = small.dims.slice(axis + 1).reduce((product, size) => product * size, 1);
  const values = Array.from(small.data as ArrayLike<unknown>, Number);
  const most = values.reduce(
    (found, value) => Math.max(found, Number.isFinite(value) ? Math.abs(value) : 0),
    0,
  );
  const fits = (before: number) => {
    const run = (rows / before) * inner;
    return values.every((value, at) => {
      const from = Math.floor(at / run) * LARGE_BATCH * run + (at % run);
      // Kernels round differently for other batch sizes.
      return !(Math.abs(value - Number(large.data[from])) > 1e-4 * most);
    });
  };
  const divisors = Array.from({ length: rows }, (_, i) => i + 1).filter((size) => rows % size === 0);
  return outer * rows * inner === 0 ? null : (divisors.find(fits) ?? null);
}
