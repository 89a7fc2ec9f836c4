/** Graphs of all shapes of blocks, on the host and on a device. */
import { expect } from "vitest";
import type { SymmetricBlock, SymmetricMatrix } from "../../src/compute/compute.ts";
import { type DeviceMatrix, releaseMatrix, uploadMatrix } from "../../src/compute/webgpu/device-matrix.ts";
import type { GpuDevice } from "../../src/compute/webgpu/gpu-device.ts";
import { chain, sparse, within } from "./reference-graphs.ts";

/** Several matrices as one, without edges between them. */
export function sideBySide(parts: readonly SymmetricMatrix[]): SymmetricMatrix {
  const blocks: SymmetricBlock[] = [];
  let size = 0;
  for (const part of parts) {
    for (const block of part.blocks) {
      blocks.push(
        block.shape === "between"
          ? { ...block, rowStart: block.rowStart + size, columnStart: block.columnStart + size }
          : { ...block, start: block.start + size },
      );
    }
    size += part.size;
  }
  return { size, blocks };
}

export const GRAPHS: Readonly<Record<string, SymmetricMatrix>> = {
  "a chain of layers": chain([40, 65, 33], 2, 2, 1),
  "a dense block": within(65, 3, 2, 2),
  "sparse rows": sparse(90, 2, 3),
  "all shapes": sideBySide([chain([9, 70, 5], 2, 2, 1), within(63, 3, 2, 2), sparse(41, 2, 3)]),
};

/** A graph of one shape with that many nodes in its block; a block between layers has 3 in the other one. */
export const SHAPES: Readonly<Record<SymmetricBlock["shape"], (nodes: number) => SymmetricMatrix>> = {
  between: (nodes) => chain(nodes % 2 === 0 ? [nodes, 3] : [3, nodes], 2, 2, 1),
  within: (nodes) => within(nodes, 2, 2, 5),
  sparse: (nodes) => sparse(nodes, 2, 3),
};

export async function withMatrix(
  device: GpuDevice,
  matrix: SymmetricMatrix,
  run: (uploaded: DeviceMatrix) => Promise<void>,
): Promise<void> {
  const uploaded = uploadMatrix(device, matrix);
  try {
    await run(uploaded);
  } finally {
    releaseMatrix(uploaded);
  }
}

/** Every entry within the tolerance, relative above 1. */
export function expectClose(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): void {
  expect(found.length).toBe(expected.length);
  for (let i = 0; i < found.length; i++) {
    const want = expected[i] as number;
    const scale = Math.max(1, Math.abs(want));
    expect(Math.abs((found[i] as number) - want), `entry ${i}`).toBeLessThanOrEqual(tolerance * scale);
  }
}
