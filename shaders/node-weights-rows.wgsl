// Adds up the weights of a dense block along its rows: for each node of a row, the weight that leads to nodes of its own
// label (inside) and the weight that leads to labelled nodes (volume). With one label for all, the volumes are the degrees.
//
// binding  name    access      shape
// 0        params  uniform
// 1        values  read        rows x columns, row-major
// 2        labels  read        size; UNLABELLED where a node is left out
// 3        sums    read_write  size pairs (inside, volume)
//
// One workgroup a row; each lane sums every WORKGROUP_SIZE-th column in runs of 16, the lanes' sums are added as a tree.

// #include "lib/grid.wgsl"
// #include "lib/node-weights.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  columns: u32,
  // Where the rows and the columns begin in the numbering of the whole matrix.
  row_start: u32,
  column_start: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> labels: array<u32>;
@group(0) @binding(3) var<storage, read_write> sums: array<vec2f>;

const RUN = 16u;

var<workgroup> lane_sums: array<vec2f, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = linear_group(group, groups);
  let is_row = row < params.rows;
  let columns = select(0u, params.columns, is_row);
  let node = params.row_start + min(row, params.rows - 1u);
  let label = labels[node];
  var sum = vec2f();
  for (var run = lane; run < columns; run += WORKGROUP_SIZE * RUN) {
    var part = vec2f();
    for (var column = run; column < min(columns, run + WORKGROUP_SIZE * RUN); column += WORKGROUP_SIZE) {
      part += weight_shares(values[row * params.columns + column], label, labels[params.column_start + column]);
    }
    sum += part;
  }
  lane_sums[lane] = sum;
  workgroupBarrier();
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      lane_sums[lane] += lane_sums[lane + half];
    }
    workgroupBarrier();
  }
  if (lane == 0u && is_row) {
    sums[node] += lane_sums[0];
  }
}
