// Takes the result of the block products back into a store and scales it: v = factor S product.
//
// binding  name     access      shape
// 0        params   uniform
// 1        product  read        groups of 16 vectors x size x 16
// 2        scale    read        size, the diagonal of S
// 3        vectors  read_write  any number of rows x stride; rows first ... first + count - 1 are written
//
// One lane an entry of a vector.

// #include "lib/grid.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  size: u32,
  stride: u32,
  first: u32,
  count: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> product: array<f32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> vectors: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= params.count * params.size) {
    return;
  }
  let node = index % params.size;
  let vector = index / params.size;
  let value = product[((vector / 16u) * params.size + node) * 16u + vector % 16u];
  vectors[(params.first + vector) * params.stride + node] = value * (scale[node] * params.factor);
}
