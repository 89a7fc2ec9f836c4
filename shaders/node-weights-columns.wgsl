// Adds up the weights of a dense block along its columns: the same as node-weights-rows for the block's transpose.
//
// binding  name    access      shape
// 0        params  uniform
// 1        values  read        rows x columns, row-major
// 2        labels  read        size; UNLABELLED where a node is left out
// 3        sums    read_write  size pairs (inside, volume)
//
// One workgroup does COLUMNS columns; neighbouring lanes take neighbouring columns, and the other lanes share
// its rows. Each lane sums every (WORKGROUP_SIZE / COLUMNS)-th row in runs of 16, their sums are added as a tree.

// #include "lib/grid.wgsl"
// #include "lib/node-weights.wgsl"

// A power of two times COLUMNS.
override WORKGROUP_SIZE: u32 = 128u;
override COLUMNS: u32 = 32u;

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
  let column = linear_group(group, groups) * COLUMNS + lane % COLUMNS;
  let split = lane / COLUMNS;
  let splits = WORKGROUP_SIZE / COLUMNS;
  let is_column = column < params.columns;
  let rows = select(0u, params.rows, is_column);
  let node = params.column_start + min(column, params.columns - 1u);
  let label = labels[node];
  var sum = vec2f();
  for (var run = split; run < rows; run += splits * RUN) {
    var part = vec2f();
    for (var row = run; row < min(rows, run + splits * RUN); row += splits) {
      part += weight_shares(values[row * params.columns + column], label, labels[params.row_start + row]);
    }
    sum += part;
  }
  lane_sums[lane] = sum;
  workgroupBarrier();
  for (var half = splits / 2u; half > 0u; half /= 2u) {
    if (split < half) {
      lane_sums[lane] += lane_sums[lane + half * COLUMNS];
    }
    workgroupBarrier();
  }
  if (split == 0u && is_column) {
    sums[node] += lane_sums[lane];
  }
}
