// Brings some nodes' entries of vectors into the layout of the block products and scales them: scaled = S v.
//
// binding  name     access      shape
// 0        params   uniform
// 1        vectors  read        any number of rows x stride; rows first ... first + count - 1 are used
// 2        scale    read        size, the diagonal of S
// 3        scaled   read_write  groups of 16 vectors x four quadruples of them x size; vectors beyond `count` are zero
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
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> vectors: array<f32>;
@group(0) @binding(2) var<storage, read> scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> scaled: array<vec4f>;

fn entry(vector: u32, node: u32) -> f32 {
  if (vector >= params.count) {
    return 0.0;
  }
  return vectors[(params.first + vector) * params.stride + node] * scale[params.node_start + node];
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  let vector_groups = (params.count + 15u) / 16u;
  if (index >= vector_groups * 4u * params.nodes) {
    return;
  }
  let node = index % params.nodes;
  let quadruple = index / params.nodes;
  let vector = quadruple * 4u;
  scaled[quadruple * params.size + params.node_start + node] =
    vec4f(entry(vector, node), entry(vector + 1u, node), entry(vector + 2u, node), entry(vector + 3u, node));
}
