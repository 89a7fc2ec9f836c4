// Average-tie ranks of values in rows of sorted keys: (keys below) + (equal keys + 1) / 2. Rows with a value that is not
// finite get the rank 0 throughout.
//
// binding  name    access      shape
// 0        params  uniform
// 1        values  read        rows x samples, row-major, bits of floats
// 2        keys    read        rows x padded, ascending
// 3        ranks   read_write  rows x samples
//
// One lane a value, by bisection.

// #include "lib/grid.wgsl"
// #include "lib/float-keys.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  samples: u32,
  padded: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<u32>;
@group(0) @binding(2) var<storage, read> keys: array<u32>;
@group(0) @binding(3) var<storage, read_write> ranks: array<f32>;

// Number of keys from `start` on that are below `key`, or not above it.
fn count_below(start: u32, key: u32, is_inclusive: bool) -> u32 {
  var low = 0u;
  var high = params.samples;
  for (; low < high;) {
    let middle = (low + high) >> 1u;
    let other = keys[start + middle];
    if (other < key || (is_inclusive && other == key)) {
      low = middle + 1u;
    } else {
      high = middle;
    }
  }
  return low;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.rows * params.samples) {
    return;
  }
  let row = index / params.samples;
  let start = row * params.padded;
  let is_finite = keys[start] > LOWEST_KEY && keys[start + params.samples - 1u] < HIGHEST_KEY;
  let key = float_key(values[index]);
  let rank = f32(count_below(start, key, false) + count_below(start, key, true) + 1u) * 0.5;
  ranks[index] = select(0.0, rank, is_finite);
}
