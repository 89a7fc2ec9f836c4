/**
 * The last matrix that a compute was given, kept on the device with its degrees: degrees, eigenvectors and the cuts of
 * many partitions are asked of one and the same.
 */
import type { SymmetricBlock, SymmetricMatrix } from "../compute.ts";
import { type DeviceMatrix, releaseMatrix, uploadMatrix } from "./device-matrix.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { degrees } from "./node-weights.ts";

/** Largest degrees in this range keep their digits in float32, squares and small differences included. */
const LARGEST_DEGREE = 2 ** 60;
const SMALLEST_DEGREE = 2 ** -60;

/** A matrix on the device and its row sums. */
export interface KeptMatrix {
  readonly matrix: DeviceMatrix;
  readonly degree: Float64Array;
}

/** What tells one block from another; its values are not kept alive. */
interface BlockKey {
  readonly place: string;
  readonly values: WeakRef<Float32Array>;
}

export class MatrixCache {
  readonly #device: GpuDevice;
  #kept: (KeptMatrix & { readonly key: readonly BlockKey[] }) | null = null;
  /** Settles when the last work that was handed in has ended. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(device: GpuDevice) {
    this.#device = device;
  }

  /**
   * Does work on the matrix on the device. Works take turns, because the next one may be on another matrix, which takes
   * the place of this one. Weights near the ends of the range are brought near 1.
   */
  use<Result>(matrix: SymmetricMatrix, work: (kept: KeptMatrix) => Promise<Result>): Promise<Result> {
    const turn = async () => work(await this.#get(matrix));
    const result = this.#last.then(turn, turn);
    this.#last = result;
    return result;
  }

  async #get(matrix: SymmetricMatrix): Promise<KeptMatrix> {
    const { size, blocks } = matrix;
    if (this.#kept !== null && this.#kept.matrix.size === size && isSame(this.#kept.key, blocks)) {
      return this.#kept;
    }
    this.clear();
    let kept = await this.#upload(matrix, 1);
    const largest = kept.degree.reduce((most, value) => Math.max(value, most), 0);
    if (!(largest >= SMALLEST_DEGREE && kept.degree.every((value) => value <= LARGEST_DEGREE))) {
      const factor = factorOf(matrix);
      if (factor !== 1) {
        releaseMatrix(kept.matrix);
        kept = await this.#upload(matrix, factor);
      }
    }
    this.#kept = { ...kept, key: blocks.map(keyOf) };
    return this.#kept;
  }

  clear(): void {
    if (this.#kept !== null) releaseMatrix(this.#kept.matrix);
    this.#kept = null;
  }

  async #upload(matrix: SymmetricMatrix, factor: number): Promise<KeptMatrix> {
    const uploaded = uploadMatrix(this.#device, matrix, factor);
    try {
      return { matrix: uploaded, degree: await degrees(this.#device, uploaded) };
    } catch (error) {
      releaseMatrix(uploaded);
      throw error;
    }
  }
}

/** The power of two that brings the largest weight near 1. */
function factorOf({ blocks }: SymmetricMatrix): number {
  let largest = 0;
  for (const block of blocks) {
    for (const value of block.shape === "sparse" ? block.weight : block.values) {
      if (value > largest) largest = value;
    }
  }
  return largest > 0 && Number.isFinite(largest) ? 2 ** -Math.floor(Math.log2(largest)) : 1;
}

function keyOf(block: SymmetricBlock): BlockKey {
  const values = block.shape === "sparse" ? block.weight : block.values;
  const place =
    block.shape === "between"
      ? [block.rowStart, block.rowCount, block.columnStart, block.columnCount]
      : [block.start, block.count];
  return { place: `${block.shape} ${place}`, values: new WeakRef(values) };
}

function isSame(key: readonly BlockKey[], blocks: readonly SymmetricBlock[]): boolean {
  if (key.length !== blocks.length) return false;
  return blocks.every((block, index) => {
    const [kept, given] = [key[index], keyOf(block)];
    return kept?.place === given.place && kept.values.deref() === given.values.deref();
  });
}
