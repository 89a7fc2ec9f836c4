// Inner products of two ranges of vectors in parts, as gram.wgsl does them, bit by bit: the lower levels of its tree of sums
// run in the registers of a subgroup. Short parts gain: one workgroup that is one subgroup has no barrier at all.
//
// binding  name      access      shape
// 0        params    uniform
// 1        vectors   read        any number of rows x stride, as quadruples; entries beyond their length are zero
// 2        products  read_write  parts (from first_part on) x first_count x second_count
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
  // Quadruples in a part.
  part_length: u32,
  // Number of this dispatch's first part.
  first_part: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> vectors: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> products: array<f32>;

var<workgroup> sums: array<mat4x4f, WORKGROUP_SIZE>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) invocation: u32,
  @builtin(subgroup_invocation_id) place: u32,
) {
  let lane = select(place, invocation, WORKGROUP_SIZE > SUBGROUP_SIZE);
  let index = linear_group(group, groups);
  let block_rows = (params.first_count + 3u) / 4u;
  let block_columns = (params.second_count + 3u) / 4u;
  let row = (index / block_columns % block_rows) * 4u;
  let column = (index % block_columns) * 4u;
  let part = index / block_columns / block_rows;
  // Rows and columns beyond the end repeat the last one and are not stored.
  let last = vec2u(params.first + params.first_count, params.second + params.second_count) - 1u;
  let rows = min(params.first + row + vec4u(0u, 1u, 2u, 3u), vec4u(last.x)) * params.stride;
  let columns = min(params.second + column + vec4u(0u, 1u, 2u, 3u), vec4u(last.y)) * params.stride;
  let end = min(params.stride, (part + 1u) * params.part_length);
  var sum = mat4x4f();
  for (var at = part * params.part_length + lane; at < end; at += WORKGROUP_SIZE) {
    let right = mat4x4f(
      vectors[columns.x + at],
      vectors[columns.y + at],
      vectors[columns.z + at],
      vectors[columns.w + at],
    );
    sum = sum + mat4x4f(
      inner_products(vectors[rows.x + at], right),
      inner_products(vectors[rows.y + at], right),
      inner_products(vectors[rows.z + at], right),
      inner_products(vectors[rows.w + at], right),
    );
  }
  if (WORKGROUP_SIZE > SUBGROUP_SIZE) {
    sums[lane] = sum;
    workgroupBarrier();
    for (var half = WORKGROUP_SIZE / 2u; half >= SUBGROUP_SIZE; half /= 2u) {
      if (lane < half) {
        sums[lane] = sums[lane] + sums[lane + half];
      }
      workgroupBarrier();
    }
    sum = mat4x4f(sums[place][0], sums[place][1], sums[place][2], sums[place][3]);
  }
  for (var half = min(WORKGROUP_SIZE, SUBGROUP_SIZE) / 2u; half > 0u; half /= 2u) {
    sum = sum + mat4x4f(
      subgroupShuffleXor(sum[0], half),
      subgroupShuffleXor(sum[1], half),
      subgroupShuffleXor(sum[2], half),
      subgroupShuffleXor(sum[3], half),
    );
  }
  for (var i = lane; i < 16u; i += WORKGROUP_SIZE) {
    let product_row = row + i / 4u;
    let product_column = column + i % 4u;
    let is_part = part * params.part_length < params.stride;
    if (is_part && product_row < params.first_count && product_column < params.second_count) {
      let to = ((params.first_part + part) * params.first_count + product_row) * params.second_count + product_column;
      products[to] = sum[i / 4u][i % 4u];
    }
  }
}
