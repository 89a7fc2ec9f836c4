// Distance of two rows from the sum of their squared lengths and their inner product. Rounding shows where the squared
// distance is below NEAR of that sum: such pairs get a negative sign, and the host computes them anew. The twin is
// `markedDistance` in src/compute/near-distances.ts.

const NEAR = 0x1p-10;
const NEAR_FLOOR = 0x1p-24;

fn marked_distance(squares: f32, product: f32) -> f32 {
  let squared = squares - 2.0 * product;
  if (squared < NEAR * squares) {
    return -sqrt(max(squared, NEAR_FLOOR * squares));
  }
  return sqrt(squared);
}
