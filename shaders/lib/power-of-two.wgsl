// Exact scaling by powers of two, from the bits of a float: multiplying by one changes no digit.

// 2^-e for the exponent e of a finite, non-negative value; 1 for zero and for values too close to the ends of the range
// to have an inverse power that is a normal number.
fn inverse_power_of_two(value: f32) -> f32 {
  let exponent = bitcast<u32>(value) >> 23u;
  if (exponent == 0u || exponent >= 254u) {
    return select(1.0, 0x1p-126, exponent >= 254u);
  }
  return bitcast<f32>((254u - exponent) << 23u);
}
