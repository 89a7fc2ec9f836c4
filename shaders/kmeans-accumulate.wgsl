// Sums of the points of every cluster over runs of points, in every restart of k-means that still moves, together with how
// many they are, their squared distances, and how many are new.
//
// binding  name      access      shape
// 0        params    uniform
// 1        points    read        count x dimensions
// 2        moving    read        slots, the restarts that still move
// 3        labels    read        restarts x count
// 4        moves     read        restarts x count pairs: squared distance, 1 where the label is new
// 5        partials  read_write  slots x runs x clusters x (dimensions + 3)
//
// One lane a column (a dimension, 1, the distance or the newness) of one run of points in one restart: it alone writes its
// entries, point after point.

// #include "lib/grid.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  count: u32,
  dimensions: u32,
  clusters: u32,
  slots: u32,
  points_per_run: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> points: array<f32>;
@group(0) @binding(2) var<storage, read> moving: array<u32>;
@group(0) @binding(3) var<storage, read> labels: array<u32>;
@group(0) @binding(4) var<storage, read> moves: array<vec2f>;
@group(0) @binding(5) var<storage, read_write> partials: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  let width = params.dimensions + 3u;
  let runs = (params.count + params.points_per_run - 1u) / params.points_per_run;
  if (index >= params.slots * runs * width) {
    return;
  }
  let column = index % width;
  let run = index / width % runs;
  let slot = index / width / runs;
  let base = (slot * runs + run) * params.clusters * width + column;
  for (var cluster = 0u; cluster < params.clusters; cluster++) {
    partials[base + cluster * width] = 0.0;
  }
  let first = run * params.points_per_run;
  let offset = moving[slot] * params.count;
  for (var point = first; point < min(params.count, first + params.points_per_run); point++) {
    var value = 1.0;
    if (column < params.dimensions) {
      value = points[point * params.dimensions + column];
    } else if (column > params.dimensions) {
      let pair = moves[offset + point];
      value = select(pair.y, pair.x, column == params.dimensions + 1u);
    }
    partials[base + labels[offset + point] * width] += value;
  }
}
