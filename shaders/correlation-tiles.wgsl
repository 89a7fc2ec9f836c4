// Inner products of rows, by tiles in workgroup memory, and what is made of them. The form for GPUs.
//   correlations (of standardised rows): finished[i, j] = min(1, (left[i] . right[j])^2)
//   distances: finished[i, j] = |left[i] - right[j]| x unit, negative for close pairs, see lib/marked-distance.wgsl
//
// binding  name      access      shape
// 0        params    uniform
// 1        left      read        rows x stride quadruples of samples, standardised, padded with zeros
// 2        right     read        columns x stride, likewise; the same rows as `left` where is_diagonal = 1
// 3        finished  read_write  rows x columns
//
// For distances, the squared length of a row is the first value of its last quadruple, which no product reaches. Samples
// come in batches: sums so far wait in `finished`, and the last batch finishes them. On the diagonal only the upper
// triangle is computed, mirrored at the end, with zeros on the diagonal itself. Products of one batch are summed in the
// order of the samples, batches among themselves.
//
// One workgroup of 16 x 16 lanes computes a tile of 128 x 128 values, a lane 8 x 8 of them, 16 rows and columns apart so
// that neighbouring lanes read and write neighbouring addresses. Workgroup memory: 16 KiB.

// #include "lib/grid.wgsl"
// #include "lib/triangle.wgsl"
// #include "lib/inner-products.wgsl"
// #include "lib/marked-distance.wgsl"

struct Params {
  rows: u32,
  columns: u32,
  // Quadruples of samples in a row of `left` and `right`, and those of this batch.
  stride: u32,
  first: u32,
  end: u32,
  is_diagonal: u32,
  is_first: u32,
  is_last: u32,
  is_distance: u32,
  // What distances are multiplied by.
  unit: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<vec4f>;
@group(0) @binding(2) var<storage, read> right: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> finished: array<f32>;

const SIDE = 16u;
const TILE = 128u;
// Quadruples of samples that are in workgroup memory at a time.
const DEPTH = 4u;

// DEPTH x TILE: neighbouring lanes take neighbouring rows.
var<workgroup> left_tile: array<vec4f, 512>;
var<workgroup> right_tile: array<vec4f, 512>;

// Adds what earlier batches of samples gave, and in the last batch finishes and mirrors.
fn store(row: u32, column: u32, product: f32) {
  if (row >= params.rows || column >= params.columns || (params.is_diagonal == 1u && row > column)) {
    return;
  }
  let at = row * params.columns + column;
  var sum = product;
  if (params.is_first == 0u) {
    sum += finished[at];
  }
  if (params.is_last == 0u) {
    finished[at] = sum;
    return;
  }
  var value = 0.0;
  if (params.is_distance == 1u) {
    let own = left[row * params.stride + params.stride - 1u].x;
    let other = right[column * params.stride + params.stride - 1u].x;
    value = params.unit * marked_distance(own + other, sum);
  } else {
    value = min(1.0, sum * sum);
  }
  value = select(value, 0.0, params.is_diagonal == 1u && row == column);
  finished[at] = value;
  if (params.is_diagonal == 1u) {
    finished[column * params.columns + row] = value;
  }
}

// Four rows of the left tile, SIDE apart, at one quadruple of samples.
fn left_rows(at: u32) -> mat4x4f {
  return mat4x4f(left_tile[at], left_tile[at + SIDE], left_tile[at + 2u * SIDE], left_tile[at + 3u * SIDE]);
}

@compute @workgroup_size(256)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let index = linear_group(group, groups);
  let tile_rows = (params.rows + TILE - 1u) / TILE;
  let tile_columns = (params.columns + TILE - 1u) / TILE;
  let is_diagonal = params.is_diagonal == 1u;
  var tile = vec2u(index / tile_columns, index % tile_columns);
  if (is_diagonal) {
    tile = triangle_pair(index);
  }
  let row = tile.x * TILE;
  let column = tile.y * TILE;
  // Tiles beyond the end (of a dispatch in rows) load nothing and store nothing, but meet at the barriers.
  let lane_row = lane / SIDE;
  let lane_column = lane % SIDE;
  var low0 = vec4f();
  var high0 = vec4f();
  var low1 = vec4f();
  var high1 = vec4f();
  var low2 = vec4f();
  var high2 = vec4f();
  var low3 = vec4f();
  var high3 = vec4f();
  var low4 = vec4f();
  var high4 = vec4f();
  var low5 = vec4f();
  var high5 = vec4f();
  var low6 = vec4f();
  var high6 = vec4f();
  var low7 = vec4f();
  var high7 = vec4f();
  for (var start = params.first; start < params.end; start += DEPTH) {
    for (var load = lane; load < TILE * DEPTH; load += SIDE * SIDE) {
      let sample = start + load % DEPTH;
      let offset = load / DEPTH;
      var left_value = vec4f();
      var right_value = vec4f();
      if (sample < params.end && row + offset < params.rows) {
        left_value = left[(row + offset) * params.stride + sample];
      }
      if (sample < params.end && column + offset < params.columns) {
        right_value = right[(column + offset) * params.stride + sample];
      }
      left_tile[(load % DEPTH) * TILE + offset] = left_value;
      right_tile[(load % DEPTH) * TILE + offset] = right_value;
    }
    workgroupBarrier();
    for (var depth = 0u; depth < DEPTH; depth++) {
      let low = left_rows(depth * TILE + lane_row);
      let high = left_rows(depth * TILE + lane_row + 4u * SIDE);
      let at = depth * TILE + lane_column;
      let right0 = right_tile[at + 0u * SIDE];
      low0 += inner_products(right0, low);
      high0 += inner_products(right0, high);
      let right1 = right_tile[at + 1u * SIDE];
      low1 += inner_products(right1, low);
      high1 += inner_products(right1, high);
      let right2 = right_tile[at + 2u * SIDE];
      low2 += inner_products(right2, low);
      high2 += inner_products(right2, high);
      let right3 = right_tile[at + 3u * SIDE];
      low3 += inner_products(right3, low);
      high3 += inner_products(right3, high);
      let right4 = right_tile[at + 4u * SIDE];
      low4 += inner_products(right4, low);
      high4 += inner_products(right4, high);
      let right5 = right_tile[at + 5u * SIDE];
      low5 += inner_products(right5, low);
      high5 += inner_products(right5, high);
      let right6 = right_tile[at + 6u * SIDE];
      low6 += inner_products(right6, low);
      high6 += inner_products(right6, high);
      let right7 = right_tile[at + 7u * SIDE];
      low7 += inner_products(right7, low);
      high7 += inner_products(right7, high);
    }
    workgroupBarrier();
  }

  for (var i = 0u; i < 4u; i++) {
    let low_row = row + lane_row + i * SIDE;
    let high_row = low_row + 4u * SIDE;
    store(low_row, column + lane_column + 0u * SIDE, low0[i]);
    store(high_row, column + lane_column + 0u * SIDE, high0[i]);
    store(low_row, column + lane_column + 1u * SIDE, low1[i]);
    store(high_row, column + lane_column + 1u * SIDE, high1[i]);
    store(low_row, column + lane_column + 2u * SIDE, low2[i]);
    store(high_row, column + lane_column + 2u * SIDE, high2[i]);
    store(low_row, column + lane_column + 3u * SIDE, low3[i]);
    store(high_row, column + lane_column + 3u * SIDE, high3[i]);
    store(low_row, column + lane_column + 4u * SIDE, low4[i]);
    store(high_row, column + lane_column + 4u * SIDE, high4[i]);
    store(low_row, column + lane_column + 5u * SIDE, low5[i]);
    store(high_row, column + lane_column + 5u * SIDE, high5[i]);
    store(low_row, column + lane_column + 6u * SIDE, low6[i]);
    store(high_row, column + lane_column + 6u * SIDE, high6[i]);
    store(low_row, column + lane_column + 7u * SIDE, low7[i]);
    store(high_row, column + lane_column + 7u * SIDE, high7[i]);
  }
}
