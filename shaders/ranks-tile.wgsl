// Sorts the keys of float rows tile by tile, or finishes the merge of longer runs within tiles.
//
// binding  name    access      shape
// 0        params  uniform
// 1        values  read        rows x samples, row-major, bits of floats; read by the first pass only
// 2        keys    read_write  rows x padded; padded is a power of two, at least TILE
//
// One workgroup a tile. With is_first = 1 the keys come from `values` (padding sorts last) and the tile is sorted;
// else the steps of a merge that stay inside a tile are done (half = TILE / 2 ... 1).

// #include "lib/grid.wgsl"
// #include "lib/float-keys.wgsl"
// #include "lib/bitonic.wgsl"

override WORKGROUP_SIZE: u32 = 64u;
override TILE: u32 = 128u;

struct Params {
  rows: u32,
  samples: u32,
  padded: u32,
  is_first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<u32>;
@group(0) @binding(2) var<storage, read_write> keys: array<u32>;

var<workgroup> tile: array<u32, TILE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let tiles = params.padded / TILE;
  let number = linear_group(group, groups);
  let row = number / tiles;
  let start = (number % tiles) * TILE;
  let is_row = row < params.rows;
  for (var i = lane; i < TILE; i += WORKGROUP_SIZE) {
    var key = PADDING_KEY;
    if (is_row && params.is_first == 0u) {
      key = keys[row * params.padded + start + i];
    } else if (is_row && start + i < params.samples) {
      key = float_key(values[row * params.samples + start + i]);
    }
    tile[i] = key;
  }
  workgroupBarrier();
  var run = select(TILE / 2u, 1u, params.is_first == 1u);
  for (; run < TILE; run *= 2u) {
    for (var half = run; half > 0u; half /= 2u) {
      for (var pair = lane; pair < TILE / 2u; pair += WORKGROUP_SIZE) {
        let at = comparator(pair, half, params.is_first == 1u && half == run);
        let low = tile[at.x];
        let high = tile[at.y];
        if (low > high) {
          tile[at.x] = high;
          tile[at.y] = low;
        }
      }
      workgroupBarrier();
    }
  }
  if (!is_row) {
    return;
  }
  for (var i = lane; i < TILE; i += WORKGROUP_SIZE) {
    keys[row * params.padded + start + i] = tile[i];
  }
}
