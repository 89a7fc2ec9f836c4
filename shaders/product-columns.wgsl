// Adds the product of a dense block's transpose with vectors: product[column_start + j] += sum over i of
// values[i, j] vectors[row_start + i].
//
// binding  name     access      shape
// 0        params   uniform
// 1        values   read        rows x columns, row-major
// 2        vectors  read        groups of 16 vectors x four quadruples of them x size
// 3        product  read_write  likewise
//
// One workgroup does COLUMNS columns with one group of 16 vectors; neighbouring lanes take neighbouring columns, and the other
// lanes share its rows. Each lane sums every (WORKGROUP_SIZE / COLUMNS)-th row in runs of 16, their sums are added as a tree.
//
// Cost for 4096 x 4096 and 16 vectors: 64 MiB of the matrix; the lanes of a row read the same vectors. 128 workgroups of 256
// lanes keep some 4 MB of loads under way, enough for about 1 TB/s: 0.07 ms.

// #include "lib/grid.wgsl"

// A power of two times COLUMNS.
override WORKGROUP_SIZE: u32 = 128u;
override COLUMNS: u32 = 32u;

struct Params {
  rows: u32,
  columns: u32,
  // Where the rows and the columns begin in the numbering of the whole matrix.
  row_start: u32,
  column_start: u32,
  size: u32,
  vector_groups: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read> vectors: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> product: array<vec4f>;

const RUN = 16u;

var<workgroup> sums: array<mat4x4f, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups);
  let column_groups = (params.columns + COLUMNS - 1u) / COLUMNS;
  let column = (index % column_groups) * COLUMNS + lane % COLUMNS;
  let split = lane / COLUMNS;
  let splits = WORKGROUP_SIZE / COLUMNS;
  let vector_group = index / column_groups;
  let is_used = vector_group < params.vector_groups && column < params.columns;
  let rows = select(0u, params.rows, is_used);
  let size = params.size;
  let source = vector_group * 4u * size + params.row_start;
  var sum = mat4x4f();
  for (var run = split; run < rows; run += splits * RUN) {
    var part = mat4x4f();
    for (var row = run; row < min(rows, run + splits * RUN); row += splits) {
      let at = source + row;
      let entries = mat4x4f(vectors[at], vectors[at + size], vectors[at + 2u * size], vectors[at + 3u * size]);
      part = part + values[row * params.columns + column] * entries;
    }
    sum = sum + part;
  }
  sums[lane] = sum;
  workgroupBarrier();
  for (var half = splits / 2u; half > 0u; half /= 2u) {
    if (split < half) {
      sums[lane] = sums[lane] + sums[lane + half * COLUMNS];
    }
    workgroupBarrier();
  }
  if (split == 0u && is_used) {
    let at = vector_group * 4u * size + params.column_start + column;
    for (var i = 0u; i < 4u; i++) {
      product[at + i * size] += sums[lane][i];
    }
  }
}
