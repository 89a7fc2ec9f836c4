// Entrywise norm of kernel slices (method note 3.3): norms[s] = sum over t of |w[s, t]|, or the root of the sum of squares.
// Entrywise on purpose: the matrix 1-norm (largest column sum) is another number.
//
// binding  name    access      shape
// 0        params  uniform
// 1        values  read        slices x taps, row-major
// 2        norms   read_write  slices
//
// One lane a slice. Taps are summed in runs of 16 and the runs among themselves, so that long slices lose no digits.
// Squares are taken of values divided by a power of two near the largest of the slice: they neither overflow nor vanish.

// #include "lib/grid.wgsl"
// #include "lib/power-of-two.wgsl"

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  slices: u32,
  taps: u32,
  // 1: sum of absolute values; 2: root of the sum of squares.
  norm: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> values: array<f32>;
@group(0) @binding(2) var<storage, read_write> norms: array<f32>;

const RUN = 16u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let slice = linear_group(group, groups) * WORKGROUP_SIZE + lane;
  if (slice >= params.slices) {
    return;
  }
  let first = slice * params.taps;
  let end = first + params.taps;
  var largest = 0.0;
  for (var at = first; at < end; at++) {
    largest = max(largest, abs(values[at]));
  }
  let factor = inverse_power_of_two(largest);
  var sum = 0.0;
  for (var run = first; run < end; run += RUN) {
    var part = 0.0;
    for (var at = run; at < min(end, run + RUN); at++) {
      let value = values[at] * factor;
      part += select(value * value, abs(value), params.norm == 1u);
    }
    sum += part;
  }
  norms[slice] = select(sqrt(sum), sum, params.norm == 1u) / factor;
}
