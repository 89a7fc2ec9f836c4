// Adds the sums of kmeans-accumulate over the runs of points.
//
// binding  name      access      shape
// 0        params    uniform
// 1        partials  read        slots x runs x columns
// 2        totals    read_write  slots x columns
//
// One lane a column (an entry of a cluster's sums); runs are added in order. Neighbouring lanes read neighbouring addresses.

// #include "lib/grid.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  columns: u32,
  slots: u32,
  runs: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> partials: array<f32>;
@group(0) @binding(2) var<storage, read_write> totals: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.slots * params.columns) {
    return;
  }
  let first = index / params.columns * params.runs * params.columns + index % params.columns;
  var sum = 0.0;
  for (var run = 0u; run < params.runs; run++) {
    sum += partials[first + run * params.columns];
  }
  totals[index] = sum;
}
