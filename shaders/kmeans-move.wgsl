// Moves the centres of every restart of k-means that still moves to the means of their points.
//
// binding  name      access      shape
// 0        params    uniform
// 1        totals    read        slots x clusters x (dimensions + 3), of kmeans-total
// 2        moving    read        slots, the restarts that still move
// 3        centres   read        restarts x clusters x dimensions
// 4        moved     read_write  restarts x clusters x dimensions; only restarts that move are written
// 5        facts     read_write  slots x clusters: points, sum of their squared distances, new ones, squared move
//
// One lane a cluster of one restart. The centre of an empty cluster stays.

// #include "lib/grid.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  dimensions: u32,
  clusters: u32,
  slots: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> totals: array<f32>;
@group(0) @binding(2) var<storage, read> moving: array<u32>;
@group(0) @binding(3) var<storage, read> centres: array<f32>;
@group(0) @binding(4) var<storage, read_write> moved: array<f32>;
@group(0) @binding(5) var<storage, read_write> facts: array<vec4f>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.slots * params.clusters) {
    return;
  }
  let cluster = index % params.clusters;
  let slot = index / params.clusters;
  let own = index * (params.dimensions + 3u);
  let size = totals[own + params.dimensions];
  let first = (moving[slot] * params.clusters + cluster) * params.dimensions;
  var squares = 0.0;
  for (var i = 0u; i < params.dimensions; i++) {
    let old = centres[first + i];
    var mean = old;
    if (size > 0.0) {
      mean = totals[own + i] / size;
    }
    squares += (mean - old) * (mean - old);
    moved[first + i] = mean;
  }
  facts[index] = vec4f(size, totals[own + params.dimensions + 1u], totals[own + params.dimensions + 2u], squares);
}
