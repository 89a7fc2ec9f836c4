// Linear combinations of vectors: combined[i] = (vectors[target + i], if is_added, plus) sum over j of
// coefficients[j, i] vectors[source + j].
//
// binding  name          access      shape
// 0        params        uniform
// 1        vectors       read        any number of rows x stride, as quadruples
// 2        coefficients  read        source_count x target_quadruples, quadruples of targets, padded with zeros
// 3        combined      read_write  target_count x stride
//
// One lane does a quadruple of entries of four combinations; sums run over the sources in order. The result goes to a
// buffer of its own, because sources and targets may overlap.
//
// Cost of 16 combinations of 160 vectors of length 16,384: 256 workgroups, each lane 160 loads that neighbours share lines of;
// 40 MB from the caches, some 60 us on a GPU.

// #include "lib/grid.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  stride: u32,
  source_first: u32,
  source_count: u32,
  target_first: u32,
  target_count: u32,
  is_added: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> vectors: array<vec4f>;
@group(0) @binding(2) var<storage, read> coefficients: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> combined: array<vec4f>;

fn store(vector: u32, at: u32, sum: vec4f) {
  if (vector >= params.target_count) {
    return;
  }
  var value = sum;
  if (params.is_added == 1u) {
    value += vectors[(params.target_first + vector) * params.stride + at];
  }
  combined[vector * params.stride + at] = value;
}

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  let quadruples = (params.target_count + 3u) / 4u;
  if (index >= quadruples * params.stride) {
    return;
  }
  let at = index % params.stride;
  let quadruple = index / params.stride;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var source = 0u; source < params.source_count; source++) {
    let value = vectors[(params.source_first + source) * params.stride + at];
    let weight = coefficients[source * quadruples + quadruple];
    sum0 += weight.x * value;
    sum1 += weight.y * value;
    sum2 += weight.z * value;
    sum3 += weight.w * value;
  }
  let vector = quadruple * 4u;
  store(vector, at, sum0);
  store(vector + 1u, at, sum1);
  store(vector + 2u, at, sum2);
  store(vector + 3u, at, sum3);
}
