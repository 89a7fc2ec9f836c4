import { Matmul } from "../compute/cpu/matmul.ts";

/** Subclusters up to which all are compared with all. */
export const MOST_COMPARED = 300;

/** Units of a layer that are compared: their activations (rows of mean 0 and length 1), lengths and sets. */
export interface ComparedLayer {
  readonly units: number;
  /** Units x inputs. */
  readonly rows: Float32Array;
  readonly norms: Float64Array;
  readonly sets: readonly Int32Array[];
}

/**
 * Linear CKA between all sets of all layers (Kornblith et al. 2019, arXiv 1905.00414), |X'Y|^2 / (|X'X| |Y'Y|) with
 * centred activations: the symmetric matrix of sets x sets, layers in turn; NaN with a set that does not vary.
 */
export async function ckaMatrix(layers: readonly ComparedLayer[], inputs: number): Promise<Float64Array> {
  const starts: number[] = [];
  let count = 0;
  for (const { sets } of layers) {
    starts.push(count);
    count += sets.length;
  }
  const powers = new Float64Array(count * count);
  const matmul = new Matmul();
  try {
    for (const [one, a] of layers.entries()) {
      for (const [other, b] of layers.entries()) {
        if (other > one) break;
        const product = new Float32Array(a.units * b.units);
        await matmul.multiply(
          "ABt",
          { rows: a.units, columns: inputs, values: a.rows },
          { rows: b.units, columns: inputs, values: b.rows },
          product,
        );
        addPowers(product, a, b, powers, count, starts[one] as number, starts[other] as number);
      }
    }
  } finally {
    await matmul.dispose();
  }
  const cka = new Float64Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j <= i; j++) {
      const own = (powers[i * count + i] as number) * (powers[j * count + j] as number);
      const value = i === j && own > 0 ? 1 : (powers[i * count + j] as number) / Math.sqrt(own);
      cka[i * count + j] = cka[j * count + i] = Math.round(value * 1e6) / 1e6;
    }
  }
  return cka;
}

/** Squared Frobenius norms of the covariances of every set of `a` with every set of `b`. */
function addPowers(
  product: Float32Array,
  a: ComparedLayer,
  b: ComparedLayer,
  powers: Float64Array,
  count: number,
  startA: number,
  startB: number,
): void {
  a.sets.forEach((setA, i) => {
    b.sets.forEach((setB, j) => {
      let sum = 0;
      for (const u of setA) {
        let row = 0;
        for (const v of setB) {
          row += ((product[u * b.units + v] as number) * (b.norms[v] as number)) ** 2;
        }
        sum += row * (a.norms[u] as number) ** 2;
      }
      powers[(startA + i) * count + startB + j] = sum;
    });
  });
}
