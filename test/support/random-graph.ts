import type { SymmetricBlock } from "../../src/compute/compute.ts";
import type { UnitGraph } from "../../src/graph/unit-graph.ts";
import { rng } from "../../src/statistics/rng.ts";

/** A dense float32 matrix of random weights, a share of them zero. */
export function randomValues(count: number, seed: number, zeros = 0.3): Float32Array {
  const random = rng(seed);
  return Float32Array.from({ length: count }, () => (random.uniform() < zeros ? 0 : random.uniform()));
}

/** Entries of a matrix of blocks by definition, size x size. */
export function denseOf(size: number, blocks: readonly SymmetricBlock[]): Float64Array {
  const dense = new Float64Array(size * size);
  const put = (row: number, column: number, value: number): void => {
    dense[row * size + column] = value;
    dense[column * size + row] = value;
  };
  for (const block of blocks) {
    if (block.shape === "between") {
      block.values.forEach((value, at) => {
        const row = block.rowStart + Math.floor(at / block.columnCount);
        put(row, block.columnStart + (at % block.columnCount), value);
      });
    } else if (block.shape === "within") {
      block.values.forEach((value, at) => {
        put(block.start + Math.floor(at / block.count), block.start + (at % block.count), value);
      });
    } else {
      for (let row = 0; row < block.count; row++) {
        for (let at = block.rowStart[row] as number; at < (block.rowStart[row + 1] as number); at++) {
          put(block.start + row, block.start + (block.column[at] as number), block.weight[at] as number);
        }
      }
    }
  }
  return dense;
}

/** A global weight graph of three layers (5, 4 and 3 units), the last unit of the first left out. */
export function layeredGraph(names: readonly string[] = ["/1/Gemm", "/2/Gemm", "out"]): UnitGraph {
  const layer = Int32Array.of(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2);
  const unit = Int32Array.of(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2);
  const blocks: SymmetricBlock[] = [
    {
      shape: "between",
      rowStart: 4,
      rowCount: 4,
      columnStart: 0,
      columnCount: 4,
      values: randomValues(16, 1),
    },
    {
      shape: "between",
      rowStart: 8,
      rowCount: 3,
      columnStart: 4,
      columnCount: 4,
      values: randomValues(12, 2),
    },
  ];
  return {
    kind: "weights",
    scope: "global",
    layers: [5, 4, 3].map((units, at) => ({ name: names[at] ?? String(at), units })),
    layer,
    unit,
    matrix: { size: 11, blocks },
    parts: [{ nodeStart: 0, nodeCount: 11, keeps: [0, 1, 2] }],
    facts: { norm: "l1", model: "a.onnx" },
  };
}

/** A local graph of two parts that share the units of layer 1, whose labels come from the second. */
export function localGraph(): UnitGraph {
  const values = randomValues(9, 5);
  for (let at = 0; at < 3; at++) values[at * 4] = 0;
  values[3] = values[1] as number;
  values[6] = values[2] as number;
  values[7] = values[5] as number;
  return {
    kind: "activations",
    scope: "local",
    layers: [
      { name: "a", units: 3 },
      { name: "b", units: 3 },
    ],
    layer: Int32Array.of(0, 0, 1, 1, 1, 1, 1),
    unit: Int32Array.of(0, 2, 0, 1, 0, 1, 2),
    matrix: {
      size: 7,
      blocks: [
        { shape: "within", start: 4, count: 3, values },
        {
          shape: "between",
          rowStart: 2,
          rowCount: 2,
          columnStart: 0,
          columnCount: 2,
          values: randomValues(4, 6, 0),
        },
      ],
    },
    parts: [
      { nodeStart: 0, nodeCount: 4, keeps: [0] },
      { nodeStart: 4, nodeCount: 3, keeps: [1] },
    ],
    facts: {},
  };
}
