// What a weight between two nodes adds to the sums of the first one.

// Label of nodes that are left out.
const UNLABELLED = 0xffffffffu;

// The weight to nodes of the own label (inside), and the weight to nodes of any label (volume).
fn weight_shares(weight: f32, label: u32, other: u32) -> vec2f {
  return vec2f(select(0.0, weight, other == label), select(0.0, weight, other != UNLABELLED));
}
