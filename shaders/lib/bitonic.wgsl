// Comparators of a bitonic sorting network (Batcher 1968, doi:10.1145/1468075.1468121) in the form in which all sort
// upwards: the first step of each merge compares mirrored positions, the others positions half a run apart.

// The two positions of comparator `number` in runs of 2 * half; lower first.
fn comparator(number: u32, half: u32, is_first: bool) -> vec2u {
  let offset = number & (half - 1u);
  let run = (number - offset) * 2u;
  let other = select(offset + half, 2u * half - 1u - offset, is_first);
  return vec2u(run + offset, run + other);
}
