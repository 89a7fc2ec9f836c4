/**
 * The largest eigenvalue of small correlation matrices, and its eigenvector: locally optimal conjugate gradients on the
 * Rayleigh quotient (Knyazev 2001, doi:10.1137/S1064827500366124, for a single vector). One product with the matrix a
 * step and a convergence like that of Lanczos, without its basis.
 */

/** Residual over eigenvalue; the eigenvalue's own error is of the square of this. */
const TOLERANCE = 1e-7;
const MOST_STEPS = 500;

/** Finds the leading eigenpair of the `size` x `size` matrix: the vector goes to `vector`, the eigenvalue comes back. */
export type LeadingComponent = (matrix: Float64Array, size: number, vector: Float64Array) => number;

/**
 * A solver for positive semidefinite symmetric matrices of up to `capacity` rows (row-major). The vector has length 1 and
 * a sum of at least 0. Where the leading eigenvalue is a multiple one, the vector is one of its eigenvectors, always the
 * same.
 *
 * @example
 * const vector = new Float64Array(2);
 * makeLeadingComponent(2)(Float64Array.of(1, 0.5, 0.5, 1), 2, vector); // 1.5, vector: 0.707, 0.707
 */
export function makeLeadingComponent(capacity: number): LeadingComponent {
  const scratch = () => new Float64Array(capacity);
  const [product, step, stepProduct, last, lastProduct] = [
    scratch(),
    scratch(),
    scratch(),
    scratch(),
    scratch(),
  ];
  const small = new Float64Array(9);
  const axes = new Float64Array(9);
  const mix = new Float64Array(3);
  return (matrix, size, x) => {
    startVector(matrix, size, x);
    multiply(matrix, size, x, product);
    last.fill(0, 0, size);
    lastProduct.fill(0, 0, size);
    let value = dot(x, product, size);
    for (let round = 0; round < MOST_STEPS; round++) {
      let residual = 0;
      for (let i = 0; i < size; i++) {
        const r = (product[i] as number) - value * (x[i] as number);
        step[i] = r;
        residual += r * r;
      }
      if (Math.sqrt(residual) <= TOLERANCE * value) break;
      orthonormalise(step, null, x, null, size);
      multiply(matrix, size, step, stepProduct);
      orthonormalise(last, lastProduct, x, product, size);
      const hasLast = orthonormalise(last, lastProduct, step, stepProduct, size);
      small[0] = value;
      small[1] = small[3] = dot(x, stepProduct, size);
      small[4] = dot(step, stepProduct, size);
      small[2] = small[6] = hasLast ? dot(x, lastProduct, size) : 0;
      small[5] = small[7] = hasLast ? dot(step, lastProduct, size) : 0;
      small[8] = hasLast ? dot(last, lastProduct, size) : -1;
      leadingOfThree(small, axes, mix);
      const [a, b, c] = mix as unknown as [number, number, number];
      for (let i = 0; i < size; i++) {
        const move = b * (step[i] as number) + c * (last[i] as number);
        const moveProduct = b * (stepProduct[i] as number) + c * (lastProduct[i] as number);
        last[i] = move;
        lastProduct[i] = moveProduct;
        x[i] = a * (x[i] as number) + move;
        product[i] = a * (product[i] as number) + moveProduct;
      }
      // Errors of the running products would add up.
      if (round % 16 === 15) {
        normalise(x, size);
        multiply(matrix, size, x, product);
      }
      value = dot(x, product, size) / dot(x, x, size);
    }
    normalise(x, size);
    let sum = 0;
    for (let i = 0; i < size; i++) sum += x[i] as number;
    if (sum < 0) for (let i = 0; i < size; i++) x[i] = -(x[i] as number);
    return value;
  };
}

/** The row of largest norm, which is near the leading eigenvector, with a little of everything. */
function startVector(matrix: Float64Array, size: number, x: Float64Array): void {
  let best = 0;
  let most = -1;
  for (let row = 0; row < size; row++) {
    let norm = 0;
    for (let i = row * size; i < (row + 1) * size; i++) norm += (matrix[i] as number) ** 2;
    if (norm > most * (1 + 1e-9)) {
      most = norm;
      best = row;
    }
  }
  for (let i = 0; i < size; i++) {
    const golden = (i + 1) * 0.6180339887498949;
    x[i] = (matrix[best * size + i] as number) + 0.01 * (golden - Math.floor(golden) + 0.5);
  }
  normalise(x, size);
}

function multiply(matrix: Float64Array, size: number, x: Float64Array, result: Float64Array): void {
  for (let row = 0; row < size; row++) {
    const from = row * size;
    let sum = 0;
    for (let i = 0; i < size; i++) sum += (matrix[from + i] as number) * (x[i] as number);
    result[row] = sum;
  }
}

function dot(a: Float64Array, b: Float64Array, size: number): number {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += (a[i] as number) * (b[i] as number);
  return sum;
}

function normalise(x: Float64Array, size: number): void {
  const scale = 1 / Math.sqrt(dot(x, x, size));
  for (let i = 0; i < size; i++) x[i] = (x[i] as number) * scale;
}

/**
 * Takes `other` (of length 1) out of `x` and scales the rest to length 1, `product` along with it; false and zeros where
 * nothing is left.
 */
function orthonormalise(
  x: Float64Array,
  product: Float64Array | null,
  other: Float64Array,
  otherProduct: Float64Array | null,
  size: number,
): boolean {
  const before = Math.sqrt(dot(x, x, size));
  const share = dot(x, other, size);
  for (let i = 0; i < size; i++) x[i] = (x[i] as number) - share * (other[i] as number);
  const after = Math.sqrt(dot(x, x, size));
  const scale = after > 1e-10 * before ? 1 / after : 0;
  for (let i = 0; i < size; i++) {
    x[i] = (x[i] as number) * scale;
    if (product !== null && otherProduct !== null) {
      product[i] = ((product[i] as number) - share * (otherProduct[i] as number)) * scale;
    }
  }
  return scale > 0;
}

/** Leading eigenvector of the symmetric 3 x 3 matrix `m`, which is used up, by Jacobi's rotations of `axes`. */
function leadingOfThree(m: Float64Array, axes: Float64Array, vector: Float64Array): void {
  axes.fill(0);
  for (let i = 0; i < 3; i++) axes[4 * i] = 1;
  for (let sweep = 0; sweep < 12; sweep++) {
    const off = Math.abs(m[1] as number) + Math.abs(m[2] as number) + Math.abs(m[5] as number);
    if (off <= 1e-16 * (Math.abs(m[0] as number) + Math.abs(m[4] as number) + Math.abs(m[8] as number)))
      break;
    rotate(m, axes, 0, 1);
    rotate(m, axes, 0, 2);
    rotate(m, axes, 1, 2);
  }
  let best = 0;
  for (let i = 1; i < 3; i++) if ((m[4 * i] as number) > (m[4 * best] as number)) best = i;
  for (let i = 0; i < 3; i++) vector[i] = axes[3 * i + best] as number;
}

/** The rotation of axes `p` and `q` that makes their entry of the 3 x 3 matrix zero. */
function rotate(m: Float64Array, axes: Float64Array, p: number, q: number): void {
  const off = m[3 * p + q] as number;
  if (off === 0) return;
  const theta = ((m[4 * q] as number) - (m[4 * p] as number)) / (2 * off);
  const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  for (let i = 0; i < 3; i++) turn(m, 3 * i + p, 3 * i + q, c, s);
  for (let i = 0; i < 3; i++) turn(m, 3 * p + i, 3 * q + i, c, s);
  for (let i = 0; i < 3; i++) turn(axes, 3 * i + p, 3 * i + q, c, s);
}

function turn(values: Float64Array, p: number, q: number, c: number, s: number): void {
  const [a, b] = [values[p] as number, values[q] as number];
  values[p] = c * a - s * b;
  values[q] = s * a + c * b;
}
