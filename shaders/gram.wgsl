// Inner products of two ranges of vectors: products[i, j] = vectors[first + i] . vectors[second + j].
//
// binding  name      access      shape
// 0        params    uniform
// 1        vectors   read        any number of rows x stride, as quadruples; entries beyond their length are zero
// 2        products  read_write  first_count x second_count
//
// One workgroup does 4 x 4 products; each lane sums every WORKGROUP_SIZE-th quadruple, the lanes' sums are added as a tree.

// #include "lib/grid.wgsl"
// #include "lib/inner-products.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  // Quadruples in a vector.
  stride: u32,
  first: u32,
  first_count: u32,
  second: u32,
  second_count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> vectors: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> products: array<f32>;

var<workgroup> sums: array<array<vec4f, 4>, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups);
  let block_columns = (params.second_count + 3u) / 4u;
  let row = (index / block_columns) * 4u;
  let column = (index % block_columns) * 4u;
  // Rows and columns beyond the end repeat the last one and are not stored.
  let last_row = params.first_count - 1u;
  let last_column = params.second_count - 1u;
  let row0 = (params.first + min(row + 0u, last_row)) * params.stride;
  let column0 = (params.second + min(column + 0u, last_column)) * params.stride;
  let row1 = (params.first + min(row + 1u, last_row)) * params.stride;
  let column1 = (params.second + min(column + 1u, last_column)) * params.stride;
  let row2 = (params.first + min(row + 2u, last_row)) * params.stride;
  let column2 = (params.second + min(column + 2u, last_column)) * params.stride;
  let row3 = (params.first + min(row + 3u, last_row)) * params.stride;
  let column3 = (params.second + min(column + 3u, last_column)) * params.stride;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var at = lane; at < params.stride; at += WORKGROUP_SIZE) {
    let right = mat4x4f(vectors[column0 + at], vectors[column1 + at], vectors[column2 + at], vectors[column3 + at]);
    sum0 += inner_products(vectors[row0 + at], right);
    sum1 += inner_products(vectors[row1 + at], right);
    sum2 += inner_products(vectors[row2 + at], right);
    sum3 += inner_products(vectors[row3 + at], right);
  }
  sums[lane][0] = sum0;
  sums[lane][1] = sum1;
  sums[lane][2] = sum2;
  sums[lane][3] = sum3;
  workgroupBarrier();
  for (var half = WORKGROUP_SIZE / 2u; half > 0u; half /= 2u) {
    if (lane < half) {
      for (var i = 0u; i < 4u; i++) {
        sums[lane][i] += sums[lane + half][i];
      }
    }
    workgroupBarrier();
  }
  for (var i = lane; i < 16u; i += WORKGROUP_SIZE) {
    let product_row = row + i / 4u;
    let product_column = column + i % 4u;
    if (product_row < params.first_count && product_column < params.second_count) {
      products[product_row * params.second_count + product_column] = sums[0][i / 4u][i % 4u];
    }
  }
}
