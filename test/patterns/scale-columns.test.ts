import { describe, expect, it } from "vitest";
import type { LayerActivations, Statistic } from "../../src/network/record-activations.ts";
import {
  type ColumnScale,
  columnScaling,
  scaleColumns,
  takeColumns,
} from "../../src/patterns/scale-columns.ts";

function recorded(
  rows: readonly (readonly number[])[],
  columnUnit: readonly number[],
  columnStatistic: readonly Statistic[],
): LayerActivations {
  return {
    inputs: rows.length,
    columns: columnUnit.length,
    values: Float32Array.from(rows.flat()),
    columnUnit: Int32Array.from(columnUnit),
    columnStatistic,
  };
}

function scaled(activations: LayerActivations, scale: ColumnScale): number[] {
  return Array.from(scaleColumns(activations.values, columnScaling(activations, scale)));
}

const values = (count: number): Statistic[] => new Array<Statistic>(count).fill("value");

describe("scaling", () => {
  it("divides every unit by its own largest absolute value, and a silent one by nothing", () => {
    const activations = recorded(
      [
        [1, -4, 0, 7],
        [2, 2, 0, 7],
        [0, 1, 0, 7],
      ],
      [0, 1, 2, 3],
      values(4),
    );
    expect(scaled(activations, "abs-max")).toEqual([0.5, -1, 0, 1, 1, 0.5, 0, 1, 0, 0.25, 0, 1]);
    expect(Array.from(columnScaling(activations, "abs-max").isConstant)).toEqual([0, 0, 1, 1]);
  });

  it("differs between units and the layer where one unit is huge", () => {
    const rows = [
      [0, 1000],
      [1, 500],
      [0.5, 0],
    ];
    const activations = recorded(rows, [0, 1], values(2));
    expect(scaled(activations, "abs-max")).toEqual([0, 1, 1, 0.5, 0.5, 0]);
    expect(scaled(activations, "layer").map((value) => Math.round(value * 1e6) / 1e6)).toEqual([
      0, 1, 0.001, 0.5, 0.0005, 0,
    ]);
  });

  it("gives z-scores of mean 0 and deviation 1, and 0 for what does not vary", () => {
    const rows = Array.from({ length: 50 }, (_, i) => [Math.sin(i) + 100, 0.1, 3 * i]);
    const made = scaled(recorded(rows, [0, 1, 2], values(3)), "z-score");
    for (const column of [0, 2]) {
      const own = rows.map((_, row) => made[row * 3 + column] as number);
      const mean = own.reduce((sum, value) => sum + value, 0) / 50;
      const squares = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 50;
      expect(mean).toBeCloseTo(0, 4);
      expect(squares).toBeCloseTo(1, 4);
    }
    expect(rows.every((_, row) => made[row * 3 + 1] === 0)).toBe(true);
  });

  it("shares one divisor among a unit's positions, and parts the halves of mean and deviation", () => {
    const positions = recorded(
      [
        [1, 4, 10],
        [2, 0, 5],
      ],
      [0, 0, 1],
      values(3),
    );
    expect(scaled(positions, "abs-max")).toEqual([0.25, 1, 1, 0.5, 0, 0.5]);
    const halves = recorded(
      [
        [10, 20, 1, 2],
        [5, 40, 4, 8],
      ],
      [0, 1, 0, 1],
      ["mean", "mean", "std", "std"],
    );
    expect(scaled(halves, "abs-max")).toEqual([1, 0.5, 0.25, 0.25, 0.5, 1, 1, 1]);
    expect(scaled(halves, "layer")).toEqual([0.25, 0.5, 0.125, 0.25, 0.125, 1, 0.5, 1]);
  });

  it("scales other rows by what it found", () => {
    const scaling = columnScaling(recorded([[2], [-4]], [0], values(1)), "abs-max");
    expect(Array.from(scaleColumns(Float32Array.of(8), scaling))).toEqual([2]);
  });

  it("has no NaN where all is 0", () => {
    const silent = recorded(
      [
        [0, 0],
        [0, 0],
      ],
      [0, 1],
      values(2),
    );
    for (const scale of ["abs-max", "z-score", "layer"] as const) {
      expect(scaled(silent, scale)).toEqual([0, 0, 0, 0]);
    }
  });
});

it("takes columns of rows in the order asked for", () => {
  const matrix = Float32Array.of(0, 1, 2, 10, 11, 12);
  expect(Array.from(takeColumns(matrix, 3, [2, 0], [1, 0]))).toEqual([12, 10, 2, 0]);
});
