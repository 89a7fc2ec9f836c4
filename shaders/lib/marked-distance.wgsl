// Distance of two rows from the sum of their squared lengths and their inner product. Rounding shows where the squared
// distance is below NEAR of that sum: such pairs get a negative sign, and the host computes them anew. The twin is
// `markedDistance` in src/compute/near-distances.ts.

// 2^-10 and 2^-24.
const NEAR = 0.0009765625;
const NEAR_FLOOR = 0.000000059604644775390625;

fn marked_distance(squares: f32, product: f32) -> f32 {
  let squared = squares - 2.0 * product;
  if (squared < NEAR * squares) {
    return -sqrt(max(squared, NEAR_FLOOR * squares));
  }
  return sqrt(squared);
}
