// Takes the next centre of every restart of k-means++ seeding (Arthur & Vassilvitskii 2007): a point drawn with probability
// proportional to its squared distance to the nearest centre so far. The host draws the random numbers and finds the run.
//
// binding  name     access      shape
// 0        params   uniform
// 1        points   read        count x dimensions
// 2        nearest  read        restarts x count, squared distances
// 3        draws    read        restarts pairs: (run, bits of what is left of the draw), or (NO_RUN, point)
// 4        chosen   read_write  restarts, the new centre's point
// 5        centres  read_write  restarts x clusters x dimensions
//
// One lane a restart. Where rounding leaves nothing to draw from, the last point of the run that is no centre is taken.

// #include "lib/grid.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  count: u32,
  dimensions: u32,
  clusters: u32,
  restarts: u32,
  // Number of the centre that is taken.
  cluster: u32,
  points_per_run: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read> nearest: array<f32>;
@group(0) @binding(3) var<storage, read> draws: array<vec2u>;
@group(0) @binding(4) var<storage, read_write> chosen: array<u32>;
@group(0) @binding(5) var<storage, read_write> centres: array<f32>;

const NO_RUN = 0xffffffffu;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.restarts) {
    return;
  }
  let draw = draws[index];
  var point = draw.y;
  if (draw.x != NO_RUN) {
    let first = draw.x * params.points_per_run;
    let end = min(params.count, first + params.points_per_run);
    var left = bitcast<f32>(draw.y);
    point = first;
    for (var at = first; at < end; at++) {
      let distance = nearest[index * params.count + at];
      if (distance > 0.0 && left >= 0.0) {
        point = at;
      }
      left -= distance;
    }
  }
  chosen[index] = point;
  let to = (index * params.clusters + params.cluster) * params.dimensions;
  for (var i = 0u; i < params.dimensions; i++) {
    centres[to + i] = points[point * params.dimensions + i];
  }
}
