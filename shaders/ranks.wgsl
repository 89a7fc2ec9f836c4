// Average-tie ranks of each row: ranks[i] = (values below values[i]) + (values equal to it + 1) / 2, so 1 ... samples.
// Rows with a value that is not finite get the rank 0 throughout, as rows without any variation.
//
// binding  name    access      shape
// 0        params  uniform
// 1        values  read        rows x samples, row-major, bits of floats
// 2        ranks   read_write  rows x samples
//
// One workgroup a row, for samples <= TILE. The keys of the row are sorted in workgroup memory without their positions;
// each value then finds its own run of equal keys by bisection.

// #include "lib/grid.wgsl"
// #include "lib/float-keys.wgsl"
// #include "lib/bitonic.wgsl"

override WORKGROUP_SIZE: u32 = 64u;
// A power of two, at least twice the workgroup size.
override TILE: u32 = 128u;

struct Params {
  rows: u32,
  samples: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<u32>;
@group(0) @binding(2) var<storage, read_write> ranks: array<f32>;

var<workgroup> keys: array<u32, TILE>;

// Number of keys of the row that are below `key`, or not above it.
fn count_below(key: u32, is_inclusive: bool) -> u32 {
  var low = 0u;
  var high = params.samples;
  for (; low < high;) {
    let middle = (low + high) >> 1u;
    let other = keys[middle];
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
  let row = linear_group(group, groups);
  let is_row = row < params.rows;
  let first = row * params.samples;
  for (var i = lane; i < TILE; i += WORKGROUP_SIZE) {
    var key = PADDING_KEY;
    if (is_row && i < params.samples) {
      key = float_key(values[first + i]);
    }
    keys[i] = key;
  }
  workgroupBarrier();
  for (var run = 1u; run < TILE; run *= 2u) {
    for (var half = run; half > 0u; half /= 2u) {
      for (var number = lane; number < TILE / 2u; number += WORKGROUP_SIZE) {
        let at = comparator(number, half, half == run);
        let low = keys[at.x];
        let high = keys[at.y];
        if (low > high) {
          keys[at.x] = high;
          keys[at.y] = low;
        }
      }
      workgroupBarrier();
    }
  }
  if (!is_row || params.samples == 0u) {
    return;
  }
  let is_finite = keys[0] > LOWEST_KEY && keys[params.samples - 1u] < HIGHEST_KEY;
  for (var i = lane; i < params.samples; i += WORKGROUP_SIZE) {
    let key = float_key(values[first + i]);
    let rank = f32(count_below(key, false) + count_below(key, true) + 1u) * 0.5;
    ranks[first + i] = select(0.0, rank, is_finite);
  }
}
