import type { NodeProto } from "../runtime/onnx.ts";
import type { Network } from "./network.ts";

/**
 * Rows that a run of these nodes should take at once: as many as keep the largest value that a node reads or makes within
 * `budget` floats, so that one node's output is still in cache when the next one reads it, and memory stays
 * bounded whatever the number of inputs.
 */
export function rowsPerRun(network: Network, nodes: readonly NodeProto[], budget: number = 2 ** 21): number {
  if (network.probe.fixedBatch !== null) return network.probe.fixedBatch;
  let largest = 1;
  for (const name of new Set(nodes.flatMap((node) => [...node.input, ...node.output]))) {
    const value = network.probe.values.get(name);
    if (value === undefined || value.batchAxis < 0) continue;
    largest = Math.max(
      largest,
      value.shape.reduce((total, extent) => total * extent, 1),
    );
  }
  return Math.max(1, Math.min(MAX_ROWS, Math.floor(budget / largest)));
}

const MAX_ROWS = 8192;

/** Floats of the largest value of what runs once per batch, in front of a cut: 32 MB. */
export const PREFIX_FLOATS = 8_000_000;

/** Ranges [start, rows] that cover `count` inputs with at most `size` rows each. */
export function* batchesOf(count: number, size: number): Generator<{ start: number; rows: number }> {
  for (let start = 0; start < count; start += size) yield { start, rows: Math.min(size, count - start) };
}

/** A batch padded with zeros to the size that a network with a fixed batch demands. */
export function padBatch(values: Float32Array, rows: number, size: number): Float32Array {
  if (rows === size) return values;
  const padded = new Float32Array((values.length / rows) * size);
  padded.set(values);
  return padded;
}

/** Multiplications per input below which threads cost more than they save. */
const SMALL_WORK = 20_000;

/**
 * Options for sessions of a small network, whose single operators end before a second thread wakes up: no threads to
 * start, to wait for and to end.
 */
export function threadsFor(network: Network): { readonly threads?: number } {
  return isSmall(network) ? { threads: 1 } : {};
}

/** Options for sessions that many lesions run through: in several threads, but for a small network. */
export function sideBySide(network: Network): { readonly threads?: number; readonly isParallel?: boolean } {
  return isSmall(network) ? { threads: 1 } : { isParallel: true };
}

function isSmall(network: Network): boolean {
  let work = 0;
  for (const { units, weights } of network.layers) {
    const shape = network.probe.values.get(weights.output)?.shape ?? [];
    const positions = shape.slice(2).reduce((product, size) => product * size, 1);
    work += units * weights.kernel.inputs * weights.kernel.taps * positions;
  }
  return work < SMALL_WORK;
}
