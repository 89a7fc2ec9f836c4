// The float32 rate of an adapter: chains of multiply-adds that depend on nothing but themselves.
//
// binding  name     access      shape
// 0        params   uniform
// 1        results  read_write  groups x WORKGROUP_SIZE quadruples
//
// 8 chains of quadruples a lane: 64 operations per round. Values stay bounded, so that no compiler and no adapter finds
// anything to skip.

override WORKGROUP_SIZE: u32 = 64u;

struct Params {
  rounds: u32,
  factor: f32,
  addend: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> results: array<vec4f>;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = (group.y * groups.x + group.x) * WORKGROUP_SIZE + lane;
  let factor = vec4f(params.factor);
  let addend = vec4f(params.addend);
  var a = vec4f(f32(lane));
  var b = a + 1.0;
  var c = a + 2.0;
  var d = a + 3.0;
  var e = a + 4.0;
  var f = a + 5.0;
  var g = a + 6.0;
  var h = a + 7.0;
  for (var round = 0u; round < params.rounds; round++) {
    a = fma(a, factor, addend);
    b = fma(b, factor, addend);
    c = fma(c, factor, addend);
    d = fma(d, factor, addend);
    e = fma(e, factor, addend);
    f = fma(f, factor, addend);
    g = fma(g, factor, addend);
    h = fma(h, factor, addend);
  }
  if (index < arrayLength(&results)) {
    results[index] = ((a + b) + (c + d)) + ((e + f) + (g + h));
  }
}
