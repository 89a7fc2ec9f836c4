// Inner products of two ranges of vectors, as gram.wgsl does them, bit by bit: the lower levels of its tree of sums run in the
// registers of a subgroup. Short vectors gain: one workgroup that is one subgroup has no barrier at all.
//
// binding  name      access      shape
// 0        params    uniform
// 1        vectors   read        any number of rows x stride, as quadruples; entries beyond their length are zero
// 2        products  read_write  first_count x second_count
//
// SUBGROUP_SIZE is the size of all subgroups of the adapter. Which lanes make up a subgroup is not assumed: with several
// in a workgroup each adds up the whole, and of one subgroup the lanes are numbered by their place in it.

enable subgroups;

// #include "lib/grid.wgsl"
// #include "lib/inner-products.wgsl"

override WORKGROUP_SIZE: u32 = 64u;
override SUBGROUP_SIZE: u32 = 32u;

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
  @builtin(local_invocation_index) invocation: u32,
  @builtin(subgroup_invocation_id) place: u32,
) {
  let lane = select(place, invocation, WORKGROUP_SIZE > SUBGROUP_SIZE);
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
  if (WORKGROUP_SIZE > SUBGROUP_SIZE) {
    sums[lane][0] = sum0;
    sums[lane][1] = sum1;
    sums[lane][2] = sum2;
    sums[lane][3] = sum3;
    workgroupBarrier();
    for (var half = WORKGROUP_SIZE / 2u; half >= SUBGROUP_SIZE; half /= 2u) {
      if (lane < half) {
        for (var i = 0u; i < 4u; i++) {
          sums[lane][i] += sums[lane + half][i];
        }
      }
      workgroupBarrier();
    }
    sum0 = sums[place][0];
    sum1 = sums[place][1];
    sum2 = sums[place][2];
    sum3 = sums[place][3];
  }
  for (var half = min(WORKGROUP_SIZE, SUBGROUP_SIZE) / 2u; half > 0u; half /= 2u) {
    sum0 += subgroupShuffleXor(sum0, half);
    sum1 += subgroupShuffleXor(sum1, half);
    sum2 += subgroupShuffleXor(sum2, half);
    sum3 += subgroupShuffleXor(sum3, half);
  }
  let totals = array<vec4f, 4>(sum0, sum1, sum2, sum3);
  for (var i = lane; i < 16u; i += WORKGROUP_SIZE) {
    let product_row = row + i / 4u;
    let product_column = column + i % 4u;
    if (product_row < params.first_count && product_column < params.second_count) {
      products[product_row * params.second_count + product_column] = totals[i / 4u][i % 4u];
    }
  }
}
