// Numbers the pairs (i, j) with i <= j: (0, 0), (0, 1), (1, 1), (0, 2), ...

// The pair with this number, below 2^31.
fn triangle_pair(number: u32) -> vec2u {
  // The root in float32 is off by a few for large numbers.
  var column = u32((sqrt(8.0 * f32(number) + 1.0) - 1.0) * 0.5);
  for (; column * (column + 1u) / 2u > number;) {
    column--;
  }
  for (; (column + 1u) * (column + 2u) / 2u <= number;) {
    column++;
  }
  return vec2u(number - column * (column + 1u) / 2u, column);
}
