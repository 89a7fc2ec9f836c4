// Floats as unsigned integers in the same order, for sorting (sign bit flipped, negative values complemented).

// Keys of finite floats lie strictly between these two, which are those of -infinity and infinity.
const LOWEST_KEY = 0x007fffffu;
const HIGHEST_KEY = 0xff800000u;
// Sorts behind the keys of all numbers.
const PADDING_KEY = 0xffffffffu;

// The key of the float with these bits; -0 has the key of 0.
fn float_key(bits: u32) -> u32 {
  let unsigned_zero = select(bits, 0u, bits == 0x80000000u);
  return select(unsigned_zero + 0x80000000u, 0xffffffffu - unsigned_zero, unsigned_zero >= 0x80000000u);
}
