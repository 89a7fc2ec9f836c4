// Inner products of rows, with registers only, and what is made of them. The form for CPU adapters, which have no fast
// workgroup memory.
//   correlations (of standardised rows): finished[i, j] = min(1, (left[i] . right[j])^2)
//   distances: finished[i, j] = |left[i] - right[j]| x unit, negative for close pairs, see lib/marked-distance.wgsl
//
// binding  name      access      shape
// 0        params    uniform
// 1        left      read        rows x stride quadruples of samples, standardised, padded with zeros
// 2        right     read        columns x stride, likewise; the same rows as `left` where is_diagonal = 1
// 3        finished  read_write  rows x columns
//
// For distances, the squared length of a row is the first value of its last quadruple, which no product reaches. Samples
// come in batches: sums so far wait in `finished`, and the last batch finishes them. On the diagonal only the upper
// triangle is computed, mirrored at the end, with zeros on the diagonal itself. Products of one batch are summed in the
// order of the samples, batches among themselves.
//
// One lane computes 8 x 8 values.

// #include "lib/grid.wgsl"
// #include "lib/triangle.wgsl"
// #include "lib/inner-products.wgsl"
// #include "lib/marked-distance.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rows: u32,
  columns: u32,
  // Quadruples of samples in a row of `left` and `right`, and those of this batch.
  stride: u32,
  first: u32,
  end: u32,
  is_diagonal: u32,
  is_first: u32,
  is_last: u32,
  is_distance: u32,
  // What distances are multiplied by.
  unit: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<vec4f>;
@group(0) @binding(2) var<storage, read> right: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> finished: array<f32>;

// Adds what earlier batches of samples gave, and in the last batch finishes and mirrors.
fn store(row: u32, column: u32, product: f32) {
  if (row >= params.rows || column >= params.columns || (params.is_diagonal == 1u && row > column)) {
    return;
  }
  let at = row * params.columns + column;
  var sum = product;
  if (params.is_first == 0u) {
    sum += finished[at];
  }
  if (params.is_last == 0u) {
    finished[at] = sum;
    return;
  }
  var value = 0.0;
  if (params.is_distance == 1u) {
    let own = left[row * params.stride + params.stride - 1u].x;
    let other = right[column * params.stride + params.stride - 1u].x;
    value = params.unit * marked_distance(own + other, sum);
  } else {
    value = min(1.0, sum * sum);
  }
  value = select(value, 0.0, params.is_diagonal == 1u && row == column);
  finished[at] = value;
  if (params.is_diagonal == 1u) {
    finished[column * params.columns + row] = value;
  }
}

// The four rows of `left` (or `right`) from `row` on at one quadruple of samples, as columns of a matrix. Rows beyond the
// end are replaced by the last one; their products are not stored.
fn left_rows(row: u32, sample: u32) -> mat4x4f {
  let last = params.rows - 1u;
  return mat4x4f(
    left[min(row, last) * params.stride + sample],
    left[min(row + 1u, last) * params.stride + sample],
    left[min(row + 2u, last) * params.stride + sample],
    left[min(row + 3u, last) * params.stride + sample],
  );
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  let block_rows = (params.rows + 7u) / 8u;
  let block_columns = (params.columns + 7u) / 8u;
  let is_diagonal = params.is_diagonal == 1u;
  if (index >= select(block_rows * block_columns, block_rows * (block_rows + 1u) / 2u, is_diagonal)) {
    return;
  }
  var pair = vec2u(index / block_columns, index % block_columns);
  if (is_diagonal) {
    pair = triangle_pair(index);
  }
  let row = pair.x * 8u;
  let column = pair.y * 8u;
  let last = params.columns - 1u;

  let at0 = min(column + 0u, last) * params.stride;
  let at1 = min(column + 1u, last) * params.stride;
  let at2 = min(column + 2u, last) * params.stride;
  let at3 = min(column + 3u, last) * params.stride;
  let at4 = min(column + 4u, last) * params.stride;
  let at5 = min(column + 5u, last) * params.stride;
  let at6 = min(column + 6u, last) * params.stride;
  let at7 = min(column + 7u, last) * params.stride;
  var low0 = vec4f();
  var high0 = vec4f();
  var low1 = vec4f();
  var high1 = vec4f();
  var low2 = vec4f();
  var high2 = vec4f();
  var low3 = vec4f();
  var high3 = vec4f();
  var low4 = vec4f();
  var high4 = vec4f();
  var low5 = vec4f();
  var high5 = vec4f();
  var low6 = vec4f();
  var high6 = vec4f();
  var low7 = vec4f();
  var high7 = vec4f();
  for (var sample = params.first; sample < params.end; sample++) {
    let low = left_rows(row, sample);
    let high = left_rows(row + 4u, sample);
    let right0 = right[at0 + sample];
    low0 += inner_products(right0, low);
    high0 += inner_products(right0, high);
    let right1 = right[at1 + sample];
    low1 += inner_products(right1, low);
    high1 += inner_products(right1, high);
    let right2 = right[at2 + sample];
    low2 += inner_products(right2, low);
    high2 += inner_products(right2, high);
    let right3 = right[at3 + sample];
    low3 += inner_products(right3, low);
    high3 += inner_products(right3, high);
    let right4 = right[at4 + sample];
    low4 += inner_products(right4, low);
    high4 += inner_products(right4, high);
    let right5 = right[at5 + sample];
    low5 += inner_products(right5, low);
    high5 += inner_products(right5, high);
    let right6 = right[at6 + sample];
    low6 += inner_products(right6, low);
    high6 += inner_products(right6, high);
    let right7 = right[at7 + sample];
    low7 += inner_products(right7, low);
    high7 += inner_products(right7, high);
  }

  for (var i = 0u; i < 4u; i++) {
    store(row + i, column + 0u, low0[i]);
    store(row + 4u + i, column + 0u, high0[i]);
    store(row + i, column + 1u, low1[i]);
    store(row + 4u + i, column + 1u, high1[i]);
    store(row + i, column + 2u, low2[i]);
    store(row + 4u + i, column + 2u, high2[i]);
    store(row + i, column + 3u, low3[i]);
    store(row + 4u + i, column + 3u, high3[i]);
    store(row + i, column + 4u, low4[i]);
    store(row + 4u + i, column + 4u, high4[i]);
    store(row + i, column + 5u, low5[i]);
    store(row + 4u + i, column + 5u, high5[i]);
    store(row + i, column + 6u, low6[i]);
    store(row + 4u + i, column + 6u, high6[i]);
    store(row + i, column + 7u, low7[i]);
    store(row + 4u + i, column + 7u, high7[i]);
  }
}
