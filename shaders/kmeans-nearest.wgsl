// Squared distance of every point to the nearest centre so far, for every restart of a k-means++ seeding, after a new centre
// was taken, and its sums over runs of points.
//
// binding  name     access      shape
// 0        params   uniform
// 1        points   read        count x quadruples of dimensions, padded with zeros
// 2        chosen   read        restarts, the new centre's point
// 3        nearest  read_write  restarts x count
// 4        sums     read_write  restarts x runs
//
// One lane a run of points of one restart. A centre's distance to itself is 0 exactly, so that it is not drawn again.

// #include "lib/grid.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  count: u32,
  // Quadruples of dimensions.
  quadruples: u32,
  restarts: u32,
  points_per_run: u32,
  // 1 for the first centre: `nearest` holds nothing yet.
  is_first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> points: array<vec4f>;
@group(0) @binding(2) var<storage, read> chosen: array<u32>;
@group(0) @binding(3) var<storage, read_write> nearest: array<f32>;
@group(0) @binding(4) var<storage, read_write> sums: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  let runs = (params.count + params.points_per_run - 1u) / params.points_per_run;
  if (index >= params.restarts * runs) {
    return;
  }
  let restart = index / runs;
  let first = (index % runs) * params.points_per_run;
  let centre = chosen[restart];
  var sum = 0.0;
  for (var point = first; point < min(params.count, first + params.points_per_run); point++) {
    var distance = 0.0;
    for (var i = 0u; i < params.quadruples; i++) {
      let difference = points[point * params.quadruples + i] - points[centre * params.quadruples + i];
      distance += dot(difference, difference);
    }
    let at = restart * params.count + point;
    if (params.is_first == 0u) {
      distance = min(distance, nearest[at]);
    }
    nearest[at] = distance;
    sum += distance;
  }
  sums[index] = sum;
}
