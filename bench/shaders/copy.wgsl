// The memory rate of an adapter: every quadruple of a buffer read and written once.
//
// binding  name    access      shape
// 0        params  uniform
// 1        source  read        count quadruples
// 2        sink    read_write  count quadruples
//
// A lane copies every WORKGROUP_SIZE-th of 16 x WORKGROUP_SIZE quadruples.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  count: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> source: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sink: array<vec4f>;

const PER_LANE = 16u;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first = (group.y * groups.x + group.x) * WORKGROUP_SIZE * PER_LANE + lane;
  for (var i = 0u; i < PER_LANE; i++) {
    let at = first + i * WORKGROUP_SIZE;
    if (at < params.count) {
      sink[at] = source[at];
    }
  }
}
