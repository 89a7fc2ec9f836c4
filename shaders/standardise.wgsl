// Brings each row to mean 0 and length 1: z = (x - mean) / |x - mean|. Rows whose values are all equal, or not all finite,
// become zero and are marked dead.
//
// binding  name    access      shape
// 0        params  uniform
// 1        source  read        rows x samples, row-major, bits of floats
// 2        scaled  read_write  (first_row + rows) x stride; columns from samples on become zero
// 3        dead    read_write  first_row + rows; 1 where the row is dead
//
// One workgroup a row. Stable in float32: values are scaled by a power of two near the largest, differences from the
// first value are taken before anything is summed (they are exact where values lie close together), the mean of the
// differences is subtracted, and then what mean is left. Sums are trees of fixed order over lanes.

// #include "lib/grid.wgsl"
// #include "lib/power-of-two.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  samples: u32,
  stride: u32,
  // Where the rows go in `scaled` and `dead`.
  first_row: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<u32>;
@group(0) @binding(2) var<storage, read_write> scaled: array<f32>;
@group(0) @binding(3) var<storage, read_write> dead: array<u32>;

const EXPONENT = 0x7f800000u;
const RUN = 16u;

var<workgroup> sums: array<f32, WORKGROUP_SIZE>;
var<workgroup> largest: array<u32, WORKGROUP_SIZE>;

// The sum of one value of each lane, the same in all lanes. WORKGROUP_SIZE is a power of two.
fn tree_sum(lane: u32, value: f32) -> f32 {
  sums[lane] = value;
  workgroupBarrier();
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      sums[lane] += sums[lane + half];
    }
    workgroupBarrier();
  }
  let sum = sums[0];
  workgroupBarrier();
  return sum;
}

// The largest value of all lanes, in all lanes.
fn tree_max(lane: u32, value: u32) -> u32 {
  largest[lane] = value;
  workgroupBarrier();
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      largest[lane] = max(largest[lane], largest[lane + half]);
    }
    workgroupBarrier();
  }
  let most = largest[0];
  workgroupBarrier();
  return most;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = linear_group(group, groups);
  // No lane leaves early: all lanes meet at the barriers below.
  let count = select(0u, params.samples, row < params.rows);
  let first = row * params.samples;
  let sink = (params.first_row + row) * params.stride;

  // Positive floats are ordered as their bits.
  var most = 0u;
  var differs = 0u;
  for (var i = lane; i < count; i += WORKGROUP_SIZE) {
    let bits = source[first + i];
    most = max(most, bits & 0x7fffffffu);
    // Equal as numbers: the same bits, or zeros of either sign.
    let other = source[first];
    differs |= select(1u, 0u, bits == other || ((bits | other) & 0x7fffffffu) == 0u);
  }
  most = tree_max(lane, most);
  differs = tree_max(lane, differs);
  let is_dead = differs == 0u || most >= EXPONENT;
  let used = select(count, 0u, is_dead);
  // Half of it, so that differences of the largest values stay in range.
  let factor = inverse_power_of_two(bitcast<f32>(select(most, 0u, is_dead))) * 0.5;
  let origin = bitcast<f32>(source[select(0u, first, used > 0u)]) * factor;

  var sum = 0.0;
  for (var run = lane; run < used; run += WORKGROUP_SIZE * RUN) {
    var part = 0.0;
    for (var i = run; i < min(used, run + WORKGROUP_SIZE * RUN); i += WORKGROUP_SIZE) {
      part += bitcast<f32>(source[first + i]) * factor - origin;
    }
    sum += part;
  }
  let mean = tree_sum(lane, sum) / f32(max(used, 1u));

  var rest = 0.0;
  var squares = 0.0;
  for (var run = lane; run < used; run += WORKGROUP_SIZE * RUN) {
    var rest_part = 0.0;
    var squares_part = 0.0;
    for (var i = run; i < min(used, run + WORKGROUP_SIZE * RUN); i += WORKGROUP_SIZE) {
      let difference = bitcast<f32>(source[first + i]) * factor - origin - mean;
      rest_part += difference;
      squares_part += difference * difference;
    }
    rest += rest_part;
    squares += squares_part;
  }
  let correction = tree_sum(lane, rest) / f32(max(used, 1u));
  let variation = tree_sum(lane, squares) - correction * correction * f32(used);
  let scale = 1.0 / sqrt(max(variation, 0x1p-120));

  if (row >= params.rows) {
    return;
  }
  for (var i = lane; i < params.stride; i += WORKGROUP_SIZE) {
    var value = 0.0;
    if (i < used) {
      value = (bitcast<f32>(source[first + i]) * factor - origin - mean - correction) * scale;
    }
    scaled[sink + i] = value;
  }
  if (lane == 0u) {
    dead[params.first_row + row] = select(0u, 1u, is_dead);
  }
}
