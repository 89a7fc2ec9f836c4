// Adds the product of a dense block with vectors: product[row_start + i] += sum over j of values[i, j] vectors[column_start + j].
//
// binding  name     access      shape
// 0        params   uniform
// 1        values   read        rows x columns, row-major
// 2        vectors  read        groups of 16 vectors x size x 16, as quadruples
// 3        product  read_write  likewise
//
// One workgroup does two rows with one group of 16 vectors; neighbouring lanes take neighbouring columns. Each lane sums
// every WORKGROUP_SIZE-th column in runs of 16, the lanes' sums are added as a tree.

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

// Sums of eight quadruples (two rows, four quadruples of vectors) of all lanes.
var<workgroup> sums: array<array<vec4f, 8>, WORKGROUP_SIZE>;

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
  let source = (vector_group * params.size + params.column_start) * 4u;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  var sum4 = vec4f();
  var sum5 = vec4f();
  var sum6 = vec4f();
  var sum7 = vec4f();
  for (var run = lane; run < columns; run += WORKGROUP_SIZE * RUN) {
    var part0 = vec4f();
    var part1 = vec4f();
    var part2 = vec4f();
    var part3 = vec4f();
    var part4 = vec4f();
    var part5 = vec4f();
    var part6 = vec4f();
    var part7 = vec4f();
    for (var column = run; column < min(columns, run + WORKGROUP_SIZE * RUN); column += WORKGROUP_SIZE) {
      let a = values[first + column];
      let b = values[second + column];
      let at = source + column * 4u;
      let vector0 = vectors[at + 0u];
      part0 += a * vector0;
      part4 += b * vector0;
      let vector1 = vectors[at + 1u];
      part1 += a * vector1;
      part5 += b * vector1;
      let vector2 = vectors[at + 2u];
      part2 += a * vector2;
      part6 += b * vector2;
      let vector3 = vectors[at + 3u];
      part3 += a * vector3;
      part7 += b * vector3;
    }
    sum0 += part0;
    sum1 += part1;
    sum2 += part2;
    sum3 += part3;
    sum4 += part4;
    sum5 += part5;
    sum6 += part6;
    sum7 += part7;
  }
  sums[lane][0] = sum0;
  sums[lane][1] = sum1;
  sums[lane][2] = sum2;
  sums[lane][3] = sum3;
  sums[lane][4] = sum4;
  sums[lane][5] = sum5;
  sums[lane][6] = sum6;
  sums[lane][7] = sum7;
  workgroupBarrier();
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      for (var i = 0u; i < 8u; i++) {
        sums[lane][i] += sums[lane + half][i];
      }
    }
    workgroupBarrier();
  }
  // The first eight lanes store one quadruple each.
  for (var i = lane; i < 8u; i += WORKGROUP_SIZE) {
    let target_row = row + i / 4u;
    if (is_used && target_row < params.rows) {
      let at = (vector_group * params.size + params.row_start + target_row) * 4u + i % 4u;
      product[at] += sums[0][i];
    }
  }
}
