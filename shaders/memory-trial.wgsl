// A trial of the device, no part of any result: the same reads from workgroup memory or from storage. Where the former is no
// faster, as on adapters that run on the CPU, kernels that copy into workgroup memory first do not pay. This kernel compiles
// in a tenth of the time that correlation-tiles.wgsl takes there.
//
// binding  name    access      shape
// 0        params  uniform
// 1        source  read        64
// 2        sums    read_write  64 for each workgroup

// #include "lib/grid.wgsl"

struct Params {
  count: u32,
  rounds: u32,
  is_shared: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<vec4f>;

const LANES = 64u;

var<workgroup> copied: array<vec4f, 64>;

@compute @workgroup_size(64)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  copied[lane] = source[lane];
  workgroupBarrier();
  var sum = vec4f();
  for (var i = 0u; i < params.rounds; i++) {
    let at = (lane + i) % LANES;
    if (params.is_shared == 1u) {
      sum += copied[at];
    } else {
      sum += source[at];
    }
  }
  let index = linear_group(group, groups) * LANES + lane;
  if (index < params.count) {
    sums[index] = sum;
  }
}
