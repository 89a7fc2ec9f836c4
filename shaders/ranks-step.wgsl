// One step of a bitonic merge over rows of keys in global memory, for steps that reach across tiles.
//
// binding  name    access      shape
// 0        params  uniform
// 1        keys    read_write  rows x padded; padded is a power of two
//
// One lane a comparator, padded / 2 in a row.

// #include "lib/grid.wgsl"
// #include "lib/bitonic.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  padded: u32,
  half: u32,
  // 1 for the first step of a merge, whose comparators are mirrored.
  is_first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> keys: array<u32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let pairs = params.padded / 2u;
  let index = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.rows * pairs) {
    return;
  }
  let row = index / pairs;
  let at = comparator(index % pairs, params.half, params.is_first == 1u) + row * params.padded;
  let low = keys[at.x];
  let high = keys[at.y];
  if (low > high) {
    keys[at.x] = high;
    keys[at.y] = low;
  }
}
