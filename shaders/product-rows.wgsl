// Adds the product of a dense block with vectors: product[row_start + i] += sum over j of values[i, j] vectors[column_start + j].
//
// binding  name     access      shape
// 0        params   uniform
// 1        values   read        rows x columns, row-major
// 2        vectors  read        groups of 16 vectors x four quadruples of them x size
// 3        product  read_write  likewise
//
// One workgroup does two rows with one group of 16 vectors; neighbouring lanes take neighbouring columns. Each lane sums
// every WORKGROUP_SIZE-th column in runs of 16, the lanes' sums are added as a tree.
//
// Cost for N x N and 16 vectors: 4 N^2 bytes of the matrix and 32 N^2 of vectors, which N / 2 workgroups read from the
// caches. At N = 16,384 these are 1 GiB and 8 GiB, 0.4 ms and about 1.6 ms on a GPU with 3 TB/s of memory and 5 TB/s of cache;
// 8,192 workgroups fill any GPU. An embedding takes some 20 to 60 products, so 0.1 s of the second that it may take.

// #include "lib/grid.wgsl"

override WORKGROUP_SIZE: u32 = 32u;

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

// Sums of both rows, for 16 vectors each, of all lanes.
var<workgroup> sums: array<array<mat4x4f, 2>, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups);
  let row_pairs = (params.rows + 1u) / 2u;
  let row = (index % row_pairs) * 2u;
  let vector_group = index / row_pairs;
  let is_used = vector_group < params.vector_groups;
  let columns = select(0u, params.columns, is_used);
  // An odd last row is done twice and stored once.
  let first = min(row, params.rows - 1u) * params.columns;
  let second = min(row + 1u, params.rows - 1u) * params.columns;
  let size = params.size;
  let source = vector_group * 4u * size + params.column_start;
  var first_sum = mat4x4f();
  var second_sum = mat4x4f();
  for (var run = lane; run < columns; run += WORKGROUP_SIZE * RUN) {
    var first_part = mat4x4f();
    var second_part = mat4x4f();
    for (var column = run; column < min(columns, run + WORKGROUP_SIZE * RUN); column += WORKGROUP_SIZE) {
      let at = source + column;
      let entries = mat4x4f(vectors[at], vectors[at + size], vectors[at + 2u * size], vectors[at + 3u * size]);
      first_part = first_part + values[first + column] * entries;
      second_part = second_part + values[second + column] * entries;
    }
    first_sum = first_sum + first_part;
    second_sum = second_sum + second_part;
  }
  sums[lane][0] = first_sum;
  sums[lane][1] = second_sum;
  workgroupBarrier();
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      sums[lane][0] = sums[lane][0] + sums[lane + half][0];
      sums[lane][1] = sums[lane][1] + sums[lane + half][1];
    }
    workgroupBarrier();
  }
  // The first eight lanes store one quadruple each.
  for (var i = lane; i < 8u; i += WORKGROUP_SIZE) {
    let target_row = row + i % 2u;
    if (is_used && target_row < params.rows) {
      product[(vector_group * 4u + i / 2u) * size + params.row_start + target_row] += sums[0][i % 2u][i / 2u];
    }
  }
}
