// Gives every point its nearest centre, in every restart of k-means that still moves.
//
// binding  name     access      shape
// 0        params   uniform
// 1        points   read        count x quadruples of dimensions, padded with zeros
// 2        centres  read        restarts x clusters x quadruples
// 3        moving   read        slots, the restarts that still move
// 4        labels   read_write  restarts x count
// 5        moves    read_write  restarts x count pairs: squared distance to the centre, 1 where the label is new
//
// One lane a point of one restart. In a tie the old label stays, else the lowest one is taken.

// #include "lib/grid.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  count: u32,
  // Quadruples of dimensions.
  quadruples: u32,
  clusters: u32,
  slots: u32,
  // 1 for the first assignment: `labels` holds nothing yet.
  is_first: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> points: array<vec4f>;
@group(0) @binding(2) var<storage, read> centres: array<vec4f>;
@group(0) @binding(3) var<storage, read> moving: array<u32>;
@group(0) @binding(4) var<storage, read_write> labels: array<u32>;
@group(0) @binding(5) var<storage, read_write> moves: array<vec2f>;

fn squared_distance(point: u32, centre: u32) -> f32 {
  var sum = 0.0;
  for (var i = 0u; i < params.quadruples; i++) {
    let difference = points[point * params.quadruples + i] - centres[centre * params.quadruples + i];
    sum += dot(difference, difference);
  }
  return sum;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.slots * params.count) {
    return;
  }
  let point = index % params.count;
  let restart = moving[index / params.count];
  let at = restart * params.count + point;
  let first = restart * params.clusters;
  var old = 0u;
  if (params.is_first == 0u) {
    old = labels[at];
  }
  var label = old;
  var smallest = squared_distance(point, first + old);
  for (var cluster = 0u; cluster < params.clusters; cluster++) {
    let distance = squared_distance(point, first + cluster);
    if (distance < smallest) {
      smallest = distance;
      label = cluster;
    }
  }
  labels[at] = label;
  moves[at] = vec2f(smallest, select(0.0, 1.0, label != old || params.is_first == 1u));
}
