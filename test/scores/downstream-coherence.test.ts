/** Cosines of logit Jacobians against finite differences of the network's definition. */
import { describe, expect, it } from "vitest";
import { layerNamed, loadNetworkBytes } from "../../src/network/network.ts";
import type { Partition } from "../../src/partition/partition.ts";
import { scoreCoherence } from "../../src/scores/coherence.ts";
import { downstreamDirections, jacobianInputs, spreadInputs } from "../../src/scores/downstream-coherence.ts";
import { randomData, sketch, weightsOf } from "../support/models.ts";

const [INPUTS, A, B, CLASSES] = [5, 7, 6, 4];

/** 5-7-6-4 with ReLU. */
function tinyMlp(): Uint8Array {
  const s = sketch([INPUTS], { seed: 5 });
  const a = s.node("Relu", [s.dense(s.input, "a", INPUTS, A)]);
  const b = s.node("Relu", [s.dense(a, "b", A, B)]);
  return s.encode(s.dense(b, "logits", B, CLASSES));
}

/** A dense layer in double precision. */
function dense(model: Uint8Array, name: string, from: readonly number[]): number[] {
  const [weight, bias] = [weightsOf(model, `${name}.weight`), weightsOf(model, `${name}.bias`)];
  return Array.from(bias, (shift, unit) =>
    from.reduce((sum, value, i) => sum + value * (weight[unit * from.length + i] as number), shift),
  );
}

const relu = (values: readonly number[]): number[] => values.map((value) => Math.max(0, value));

/** Columns of the mean Jacobian of the logits by the outputs of a layer, by central differences. */
function columnsByDifferences(model: Uint8Array, inputs: readonly number[][], layer: "a" | "b"): number[][] {
  const behind = (outputs: readonly number[]) =>
    dense(model, "logits", layer === "b" ? outputs : relu(dense(model, "b", outputs)));
  const outputsOf = (input: readonly number[]) => {
    const a = relu(dense(model, "a", input));
    return layer === "a" ? a : relu(dense(model, "b", a));
  };
  const columns = Array.from({ length: layer === "a" ? A : B }, () => new Array<number>(CLASSES).fill(0));
  const step = 1e-6;
  for (const input of inputs) {
    const outputs = outputsOf(input);
    for (const [unit, column] of columns.entries()) {
      const moved = (by: number) => behind(outputs.map((value, u) => (u === unit ? value + by : value)));
      const [up, down] = [moved(step), moved(-step)];
      for (let c = 0; c < CLASSES; c++) {
        column[c] =
          (column[c] as number) + ((up[c] as number) - (down[c] as number)) / (2 * step) / inputs.length;
      }
    }
  }
  return columns;
}

function meanPairCosine(columns: readonly (readonly number[])[]): number {
  const cosines: number[] = [];
  const dot = (a: readonly number[], b: readonly number[]) =>
    a.reduce((sum, value, i) => sum + value * (b[i] as number), 0);
  for (const [i, a] of columns.entries()) {
    for (const b of columns.slice(0, i)) cosines.push(dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)));
  }
  return cosines.reduce((sum, value) => sum + value / cosines.length, 0);
}

describe("downstream coherence", () => {
  it("is the mean cosine of the Jacobian's columns, averaged over the inputs", async () => {
    const model = tinyMlp();
    const network = await loadNetworkBytes(model, "tiny");
    const data = randomData(24, [INPUTS], CLASSES);
    const labels = { a: [0, 0, 0, 1, 1, 1, 1], b: [0, 0, 1, 1, 1, 1] };
    const partition: Partition = {
      layers: Object.entries(labels).map(([name, own]) => ({ name, labels: Int32Array.from(own) })),
      clusters: 2,
      method: {},
      quality: null,
    };
    const scores = await scoreCoherence(network, data, partition);
    expect(scores.jacobianInputs).toBe(24);
    const inputs = Array.from({ length: 24 }, (_, i) => Array.from(data.batch(i, 1)));
    expect(scores.subclusters).toHaveLength(4);
    for (const { layer, units, values, verdicts } of scores.subclusters) {
      const columns = columnsByDifferences(model, inputs, layer as "a" | "b");
      const expected = meanPairCosine(Array.from(units, (unit) => columns[unit] as number[]));
      expect(values.downstreamCosine).toBeCloseTo(expected, 4);
      expect(verdicts.downstreamCosine.p).toBeGreaterThan(0);
    }
    expect(scores.network.downstreamCosine.tested).toBe(4);
  });

  it("leaves out units that do not reach the answers, and says what has no gradient", async () => {
    // A determinant has no rule.
    const s = sketch([4]);
    const hidden = s.dense(s.input, "a", 4, 4);
    const odd = s.node("Det", [s.node("Reshape", [hidden, s.ints([-1, 2, 2])])], {}, { name: "odd" });
    const joined = s.node("Concat", [s.node("Unsqueeze", [odd, s.ints([1])]), hidden], { axis: 1n });
    const network = await loadNetworkBytes(s.encode(s.dense(joined, "b", 5, 3)), "odd");
    const found = await downstreamDirections(network, layerNamed(network, "a"), randomData(6, [4], 3), {});
    expect(found.directions).toBeNull();
    expect(found.reason).toMatch(/odd \(Det\)/);

    const t = sketch([INPUTS], { seed: 2 });
    const a = t.dense(t.input, "a", INPUTS, 3);
    const weight = t.floats("w", [3, 3], [1, 2, 0, 3, 4, 0, 5, 6, 0]);
    const bytes = t.encode(t.node("Gemm", [a, weight], { transB: 1n }, { name: "logits" }));
    const dead = await loadNetworkBytes(bytes, "dead");
    const data = randomData(6, [INPUTS], 3);
    const { directions } = await downstreamDirections(dead, layerNamed(dead, "a"), data, {});
    expect(Array.from(directions?.hasDirection ?? [])).toEqual([1, 1, 0]);
    const length = Math.sqrt(1 + 9 + 25);
    for (const [c, value] of [1, 3, 5].entries()) {
      expect(directions?.values[c]).toBeCloseTo(value / length, 6);
    }
  });
});

describe("the inputs of a Jacobian", () => {
  it("are spread over all of them", () => {
    const data = {
      count: 10,
      batch: (start: number, rows: number) =>
        Float32Array.from({ length: 2 * rows }, (_, i) => 2 * start + i),
    };
    const some = spreadInputs(data, 4);
    expect(some.count).toBe(4);
    expect(Array.from(some.batch(0, 4))).toEqual([0, 1, 4, 5, 10, 11, 14, 15]);
    expect(Array.from(some.batch(2, 1))).toEqual([10, 11]);
    expect(spreadInputs(data, 10)).toBe(data);
  });

  it("are fewer where there are many logits", async () => {
    const wide = async (classes: number) => {
      const s = sketch([2]);
      return loadNetworkBytes(s.encode(s.dense(s.dense(s.input, "a", 2, 3), "logits", 3, classes)), "wide");
    };
    expect(jacobianInputs(await wide(10), 5000)).toBe(256);
    expect(jacobianInputs(await wide(10), 40)).toBe(40);
    expect(jacobianInputs(await wide(1024), 5000)).toBe(32);
    expect(jacobianInputs(await wide(9000), 5000)).toBe(16);
  });
});
