// Adds up the weights of sparse rows: for each node of a row, the weight that leads to nodes of its own label (inside) and
// the weight that leads to labelled nodes (volume).
//
// binding  name      access      shape
// 0        params    uniform
// 1        row_ends  read        rows + 1, where each row's entries begin and the last ones end
// 2        columns   read        entries
// 3        weights   read        entries
// 4        labels    read        size; UNLABELLED where a node is left out
// 5        sums      read_write  size pairs (inside, volume)
//
// One lane a row; entries are summed in runs of 16.

// #include "lib/grid.wgsl"
// #include "lib/node-weights.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  row_start: u32,
  column_start: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> row_ends: array<u32>;
@group(0) @binding(2) var<storage, read> columns: array<u32>;
@group(0) @binding(3) var<storage, read> weights: array<f32>;
@group(0) @binding(4) var<storage, read> labels: array<u32>;
@group(0) @binding(5) var<storage, read_write> sums: array<vec2f>;

const RUN = 16u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let row = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  if (row >= params.rows) {
    return;
  }
  let node = params.row_start + row;
  let label = labels[node];
  let end = row_ends[row + 1u];
  var sum = vec2f();
  for (var run = row_ends[row]; run < end; run += RUN) {
    var part = vec2f();
    for (var at = run; at < min(end, run + RUN); at++) {
      part += weight_shares(weights[at], label, labels[params.column_start + columns[at]]);
    }
    sum += part;
  }
  sums[node] += sum;
}
