import { describe, expect, test } from "vitest";
import { startAdam, stepAdam } from "../../src/visualize/adam.ts";

describe("Adam", () => {
  test("takes the steps of the published algorithm", () => {
    // Algorithm 1 of the paper in float64, upwards on -(x - a)^2 / 2 for two coordinates.
    const aim = [3, -0.5];
    const expected = [0, 0];
    const [m, v] = [
      [0, 0],
      [0, 0],
    ];
    const values = new Float32Array(2);
    const state = startAdam(2);
    for (let step = 1; step <= 40; step++) {
      stepAdam(
        values,
        Float32Array.from(values, (value, i) => (aim[i] as number) - value),
        state,
        step,
        0.05,
      );
      for (const i of [0, 1] as const) {
        const g = (aim[i] as number) - (expected[i] as number);
        m[i] = 0.9 * (m[i] as number) + 0.1 * g;
        v[i] = 0.999 * (v[i] as number) + 0.001 * g * g;
        const [mean, square] = [(m[i] as number) / (1 - 0.9 ** step), (v[i] as number) / (1 - 0.999 ** step)];
        expected[i] = (expected[i] as number) + (0.05 * mean) / (Math.sqrt(square) + 1e-8);
      }
      expect(values[0]).toBeCloseTo(expected[0] as number, 5);
      expect(values[1]).toBeCloseTo(expected[1] as number, 5);
    }
  });

  test("leaves what has no gradient where it is", () => {
    const values = Float32Array.of(0.25, -1);
    const state = startAdam(2);
    for (let step = 1; step <= 5; step++) stepAdam(values, Float32Array.of(0, 1e-30), state, step, 0.05);
    expect(values[0]).toBe(0.25);
    expect(values[1]).toBeCloseTo(-1, 5);
  });
});
