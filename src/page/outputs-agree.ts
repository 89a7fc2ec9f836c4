/**
 * Whether outputs of a network are those of another provider of ONNX Runtime. Its WebGPU shaders give wrong values without
 * an error for some shapes (1.30: convolutions in NHWC, see `ort-web.ts`), so none is trusted before it was compared.
 */

/** What is read of a tensor in main memory. */
export interface TensorValues {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ArrayLike<unknown>;
}

/** By the name of the input or output. */
export type NamedValues = Readonly<Record<string, TensorValues>>;

/** An input as a model declares it: names in the place of extents that are open. */
export interface DeclaredInput {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

/**
 * Largest difference, relative to the output, both as root mean squares. Sums in another order differ by some 1e-7, and by
 * some 1e-5 behind many layers; half precision would differ by 5e-4, and a value that is read from the wrong place by its
 * own size: one such value among 1e8 is found. Not element by element: on the other side of a kink (the gradient of a
 * ReLU) a rounding error turns into a difference of any size, in few places.
 */
const TOLERANCE = 1e-4;

/** Rows of a run that are compared. */
const FEW_ROWS = 4;

/** What GPUs may take for zero: the smallest normal float32. */
const SMALLEST = 2 ** -126;

/**
 * Compares what a session `made` of `inputs` with what `reference` makes of them: of some of their rows where all inputs
 * have rows, and where these differ (a model may mix rows, or take no other number of them) of all.
 *
 * @example
 * if (!(await outputsAgree(made, inputs, declared, (some) => cpu.run(some)))) useTheCpu();
 */
export async function outputsAgree(
  made: NamedValues,
  inputs: NamedValues,
  declared: readonly DeclaredInput[],
  reference: (inputs: NamedValues) => Promise<NamedValues>,
): Promise<boolean> {
  const rows = rowsToCompare(inputs, declared);
  if (rows !== null) {
    const isSame = await reference(takeRows(inputs, rows.picked, rows.count)).then(
      (expected) => areClose(takeRows(made, rows.picked, rows.count), expected),
      () => false,
    );
    if (isSame) return true;
  }
  return areClose(made, await reference(inputs));
}

interface Rows {
  readonly picked: readonly number[];
  /** Of the whole run. */
  readonly count: number;
}

/** Rows from the first to the last one; null where a run has few, or inputs whose size is open in another way. */
function rowsToCompare(inputs: NamedValues, declared: readonly DeclaredInput[]): Rows | null {
  let count: number | undefined;
  for (const { name, shape } of declared) {
    const [lead, ...rest] = shape;
    if (rest.some((extent) => typeof extent !== "number")) return null;
    if (typeof lead !== "string") continue;
    const rows = inputs[name]?.dims[0];
    if (rows === undefined || (count !== undefined && count !== rows)) return null;
    count = rows;
  }
  if (count === undefined || count <= FEW_ROWS) return null;
  const last = count - 1;
  return {
    count,
    picked: Array.from({ length: FEW_ROWS }, (_, i) => Math.floor((i * last) / (FEW_ROWS - 1))),
  };
}

/** The picked rows of tensors that have `count` of them; the others as they are. */
function takeRows(tensors: NamedValues, picked: readonly number[], count: number): NamedValues {
  const taken = Object.entries(tensors).map(([name, tensor]): [string, TensorValues] => {
    const [rows, ...rest] = tensor.dims;
    if (rows !== count) return [name, tensor];
    // Any typed array.
    const all = tensor.data as Float32Array;
    const size = all.length / count;
    const data = all.slice(0, picked.length * size);
    picked.forEach((row, at) => {
      data.set(all.subarray(row * size, (row + 1) * size), at * size);
    });
    return [name, { type: tensor.type, data, dims: [picked.length, ...rest] }];
  });
  return Object.fromEntries(taken);
}

/** Whether outputs are the expected ones: floats within the tolerance, everything else exactly. */
export function areClose(made: NamedValues, expected: NamedValues): boolean {
  return Object.entries(expected).every(([name, { data, dims }]) => {
    const found = made[name];
    if (found === undefined || `${found.dims}` !== `${dims}`) return false;
    if (data instanceof Float32Array && found.data instanceof Float32Array) {
      return areFloatsClose(found.data, data);
    }
    const values = found.data;
    return Array.prototype.every.call(data, (value: unknown, at) => value === values[at]);
  });
}

function areFloatsClose(found: Float32Array, expected: Float32Array): boolean {
  let difference = 0;
  let size = 0;
  for (let at = 0; at < expected.length; at++) {
    const [a, b] = [found[at] as number, expected[at] as number];
    // Infinities, and what is no number, in the same places.
    const isSame = Object.is(a, b);
    if (isSame && !Number.isFinite(b)) continue;
    if (!Number.isFinite(a) || !Number.isFinite(b)) return false;
    difference += (a - b) ** 2;
    size += b * b;
  }
  return Math.sqrt(difference) <= TOLERANCE * Math.sqrt(size) + SMALLEST * Math.sqrt(expected.length);
}
