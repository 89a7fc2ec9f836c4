// Writes a batch of a layer's outputs as rows of units: recorded[unit, start + row] is the value at the unit's position, or
// the sum of the absolute values at all its positions, in their order.
//
// binding  name       access      shape
// 0        params     uniform
// 1        batch      read        rows x width, the network's own layout
// 2        positions  read        positions of all units, one unit after another
// 3        ends       read        units + 1, where each unit's positions start and the last one's end
// 4        recorded   read_write  panel of rows of `samples` values; unit 0 of this dispatch is row `target_row`
//
// One lane a unit and input, neighbours take neighbouring inputs and so write neighbouring addresses. A unit without
// positions becomes 0. Sums run one by one, as on the CPU.

// #include "lib/grid.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  width: u32,
  first_unit: u32,
  units: u32,
  samples: u32,
  start: u32,
  target_row: u32,
  is_summed: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> batch: array<f32>;
@group(0) @binding(2) var<storage, read> positions: array<u32>;
@group(0) @binding(3) var<storage, read> ends: array<u32>;
@group(0) @binding(4) var<storage, read_write> recorded: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.rows * params.units) {
    return;
  }
  let unit = index / params.rows;
  let row = index % params.rows;
  let end = ends[params.first_unit + unit + 1u];
  var value = 0.0;
  for (var at = ends[params.first_unit + unit]; at < end; at++) {
    let found = batch[row * params.width + positions[at]];
    value = select(found, value + abs(found), params.is_summed == 1u);
  }
  recorded[(params.target_row + unit) * params.samples + params.start + row] = value;
}
