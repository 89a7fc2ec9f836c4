// Squared correlations of standardised rows as a textbook does them: one lane computes one value of the whole square. What
// the kernels of shaders/ are measured against.
//
// binding  name     access      shape
// 0        params   uniform
// 1        left     read        rows x stride quadruples
// 2        right    read        columns x stride quadruples
// 3        squared  read_write  rows x columns

struct Params {
  rows: u32,
  columns: u32,
  // Quadruples in a row.
  stride: u32,
  first: u32,
  end: u32,
  is_diagonal: u32,
  is_first: u32,
  is_last: u32,
  is_distance: u32,
  unit: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read> right: array<f32>;
@group(0) @binding(3) var<storage, read_write> squared: array<f32>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * 64u + lane;
  if (index >= params.rows * params.columns) {
    return;
  }
  let row = index / params.columns;
  let column = index % params.columns;
  var sum = 0.0;
  for (var i = params.first * 4u; i < params.end * 4u; i++) {
    sum += left[row * params.stride * 4u + i] * right[column * params.stride * 4u + i];
  }
  squared[index] = select(min(1.0, sum * sum), 0.0, row == column);
}
