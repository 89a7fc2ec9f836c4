// Merges a tile of squared correlations into running lists of the largest values: of each row of the tile, or of each of its
// columns (the mirrored half of a symmetric matrix). Larger values come first, of equal ones the smaller column.
//
// binding  name     access      shape
// 0        params   uniform
// 1        squared  read        the tile, bits of floats from 0 to 1
// 2        entries  read_write  lists x K, K a power of two: bits of a value and its column; zeros where there is none
//
// Element e of list l lies at first + l * list_step + e * element_step; values of 0 enter no list. Several lanes share a
// list, neighbours reading neighbouring addresses. Candidates, those that beat the list's last entry, are put behind the
// list in workgroup memory; once there is no more room, or nothing left, lists and candidates are sorted together (bitonic)
// and the first K stay. Which lane finds a candidate first decides nothing but its place before sorting, and no two
// entries of a list are equal, so that the same tile gives the same bytes.
//
// A tile is read twice (rows and columns) and costs two comparisons a value: 8 bytes, against 2 x samples operations of
// its product. At 4,096 samples and 100 operations per byte of memory bandwidth that is a tenth; GPUs have 10 to 50.

// #include "lib/grid.wgsl"
// #include "lib/bitonic.wgsl"

// A multiple of LISTS.
override WORKGROUP_SIZE: u32 = 64u;
override LISTS: u32 = 4u;
override K: u32 = 16u;
// LISTS * 2 * K.
override SLOTS: u32 = 128u;

struct Params {
  lists: u32,
  elements: u32,
  first: u32,
  list_step: u32,
  element_step: u32,
  // Column of element 0.
  first_column: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> squared: array<u32>;
@group(0) @binding(2) var<storage, read_write> entries: array<vec2u>;

const HAS_CANDIDATES = 1u;
const HAS_MORE = 2u;

// Each list takes 2 * K slots: its entries, then candidates.
var<workgroup> values: array<u32, SLOTS>;
var<workgroup> columns: array<u32, SLOTS>;
var<workgroup> counts: array<atomic<u32>, LISTS>;
var<workgroup> found: atomic<u32>;
var<workgroup> state: u32;

@compute @workgroup_size(WORKGROUP_SIZE)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let first_list = linear_group(group, groups) * LISTS;
  let lanes = WORKGROUP_SIZE / LISTS;
  let by_rows = params.element_step == 1u;
  let own = select(lane % LISTS, lane / lanes, by_rows);
  var element = select(lane / LISTS, lane % lanes, by_rows);
  // Lists beyond the end have no elements; their lanes meet the others at the barriers.
  let elements = select(0u, params.elements, first_list + own < params.lists);
  let start = params.first + (first_list + own) * params.list_step;
  let candidates = own * 2u * K + K;

  for (var i = lane; i < LISTS * K; i += WORKGROUP_SIZE) {
    let list = i / K;
    let slot = list * 2u * K + i % K;
    var entry = vec2u();
    if (first_list + list < params.lists) {
      entry = entries[first_list * K + i];
    }
    values[slot] = entry.x;
    columns[slot] = entry.y;
  }

  loop {
    for (var i = lane; i < LISTS * K; i += WORKGROUP_SIZE) {
      let slot = (i / K) * 2u * K + K + i % K;
      values[slot] = 0u;
      columns[slot] = 0u;
    }
    for (var i = lane; i < LISTS; i += WORKGROUP_SIZE) {
      atomicStore(&counts[i], 0u);
    }
    if (lane == 0u) {
      atomicStore(&found, 0u);
    }
    workgroupBarrier();

    let last_value = values[candidates - 1u];
    let last_column = columns[candidates - 1u];
    for (; element < elements; element += lanes) {
      let value = squared[start + element * params.element_step];
      let column = params.first_column + element;
      let is_better = value > last_value || (value == last_value && column < last_column);
      if (value > 0u && is_better) {
        let place = atomicAdd(&counts[own], 1u);
        // No room: this element is looked at again after the sort.
        if (place >= K) {
          break;
        }
        values[candidates + place] = value;
        columns[candidates + place] = column;
        atomicOr(&found, HAS_CANDIDATES);
      }
    }
    if (element < elements) {
      atomicOr(&found, HAS_MORE);
    }
    workgroupBarrier();
    if (lane == 0u) {
      state = atomicLoad(&found);
    }
    let what = workgroupUniformLoad(&state);

    if (what != 0u) {
      for (var run = 1u; run < 2u * K; run *= 2u) {
        // The entries are in order: until the last merge only candidates are sorted.
        let is_last = run == K;
        let pairs = select(LISTS * K / 2u, LISTS * K, is_last);
        for (var half = run; half > 0u; half /= 2u) {
          for (var number = lane; number < pairs; number += WORKGROUP_SIZE) {
            let list = number / (K / 2u);
            let pair = select(list * K + K / 2u + number % (K / 2u), number, is_last);
            let at = comparator(pair, half, half == run);
            let value = values[at.x];
            let column = columns[at.x];
            let other_value = values[at.y];
            let other_column = columns[at.y];
            if (other_value > value || (other_value == value && other_column < column)) {
              values[at.x] = other_value;
              columns[at.x] = other_column;
              values[at.y] = value;
              columns[at.y] = column;
            }
          }
          workgroupBarrier();
        }
      }
    }
    if ((what & HAS_MORE) == 0u) {
      break;
    }
  }

  for (var i = lane; i < LISTS * K; i += WORKGROUP_SIZE) {
    let list = i / K;
    let slot = list * 2u * K + i % K;
    if (first_list + list < params.lists) {
      entries[first_list * K + i] = vec2u(values[slot], columns[slot]);
    }
  }
}
