// Takes some nodes' entries of the block products back into vectors and scales them: v = factor S product.
//
// binding  name     access      shape
// 0        params   uniform
// 1        product  read        groups of 16 vectors x four quadruples of them x size
// 2        scale    read        size, the diagonal of S
// 3        vectors  read_write  any number of rows x stride; rows first ... first + count - 1 are written
//
// One lane a quadruple of vectors of one node; neighbouring lanes take neighbouring nodes.

// #include "lib/grid.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  size: u32,
  stride: u32,
  // The nodes of the vectors' entries, in the numbering of the whole matrix.
  node_start: u32,
  nodes: u32,
  first: u32,
  count: u32,
  factor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> product: array<vec4f>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> vectors: array<f32>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  if (index >= (params.count + 3u) / 4u * params.nodes) {
    return;
  }
  let node = index % params.nodes;
  let quadruple = index / params.nodes;
  let entries = product[quadruple * params.size + params.node_start + node] * (scale[params.node_start + node] * params.factor);
  for (var i = 0u; i < min(4u, params.count - quadruple * 4u); i++) {
    vectors[(params.first + quadruple * 4u + i) * params.stride + node] = entries[i];
  }
}
