/**
 * Where everything of the layer map lies, in pixels at zoom 1: layers as columns, in each a block of dots for every cluster.
 * All dots are one distance apart, so that a layer of twice the units takes twice the room.
 */
import type { UnitMap } from "../../../unit-map.ts";

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The units of one cluster in one layer: a rectangle of dots, filled row by row. */
export interface Area {
  readonly layer: number;
  /** -1 = in no cluster. */
  readonly cluster: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Room to the left of it. */
  readonly left: number;
  /** Dots in a row. */
  readonly perRow: number;
  /** Numbers in `UnitMap.units`. */
  readonly units: readonly number[];
}

export interface Column {
  readonly layer: number;
  readonly x: number;
  readonly width: number;
  /** Units that are shown. */
  readonly units: number;
}

export interface MapLayout extends Size {
  /** From dot to dot. */
  readonly pitch: number;
  /** Between the edge of an area and its dots' cells. */
  readonly pad: number;
  /** Room between neighbouring columns. */
  readonly gap: number;
  readonly columns: readonly Column[];
  /** By layer, then from top to bottom. */
  readonly areas: readonly Area[];
}

const MOST_PITCH = 16;
/** The smallest of columns that are one lane. */
const LEAST_SINGLE = 5;
const PITCH_STEP = 0.97;
/** In pitches. */
const PAD = 0.3;
const BLOCK_GAP = 0.9;
const LANE_GAP = 1.6;
/** Share of the width that columns may take; bundles get the rest. */
const COLUMN_SHARE = 0.56;
const MOST_GAP = 300;
/** Narrower than this per layer, a map is wider than its view. */
const LEAST_SPACING = 27;
const MARGIN = { left: 30, right: 44, y: 10 };
/** A small network's map is no higher than it needs. */
const LEAST_HEIGHT = 260;
/** Columns closer than this have slanted names, which reach out to the right. */
const CLOSE = 80;
const CLOSE_RIGHT = 66;

/**
 * Lays out a map for a view of the given size. It is wider than the view where there are too many layers for it, and never
 * higher.
 *
 * @example
 * const layout = layOutMap(data.map.units, data.graph.layers.length, { width: 1190, height: 560 });
 */
export function layOutMap(units: UnitMap["units"], layers: number, view: Size): MapLayout {
  const blocks = blocksOf(units, layers);
  const right = view.width / layers < CLOSE ? CLOSE_RIGHT : MARGIN.right;
  const width = Math.max(view.width, layers * LEAST_SPACING + MARGIN.left + right);
  const room = { width: width - MARGIN.left - right, height: view.height - 2 * MARGIN.y };
  const { pitch, packings } = pack(blocks, room);
  const pad = PAD * pitch;
  const free = room.width - widthOf(packings) * pitch;
  const gap = layers > 1 ? Math.min(MOST_GAP, free / (layers - 1)) : 0;
  let x = MARGIN.left + (free - gap * (layers - 1)) / 2;
  const tallest = Math.max(
    0,
    ...packings.flatMap(({ lanes, perRow }) => lanes.map((lane) => heightOf(lane, perRow))),
  );
  const height = Math.round(Math.min(view.height, Math.max(LEAST_HEIGHT, tallest * pitch + 2 * MARGIN.y)));
  const columns: Column[] = [];
  const areas: Area[] = [];
  packings.forEach(({ perRow, lanes }, layer) => {
    const laneWidth = perRow * pitch + 2 * pad;
    const start = x;
    lanes.forEach((lane, at) => {
      x = start + at * (laneWidth + LANE_GAP * pitch);
      let y = (height - pitch * heightOf(lane, perRow)) / 2;
      for (const { cluster, units: members } of lane) {
        const rows = Math.ceil(members.length / perRow);
        const areaHeight = rows * pitch + 2 * pad;
        const left = at > 0 ? LANE_GAP * pitch : layer > 0 ? gap : MARGIN.left;
        areas.push({
          layer,
          cluster,
          x,
          y,
          width: laneWidth,
          height: areaHeight,
          left,
          perRow,
          units: members,
        });
        y += areaHeight + BLOCK_GAP * pitch;
      }
    });
    const columnWidth = columnWidthOf(perRow, lanes.length) * pitch;
    const count = lanes.flat().reduce((sum, block) => sum + block.units.length, 0);
    columns.push({ layer, x: start, width: columnWidth, units: count });
    x = start + columnWidth + gap;
  });
  return { width, height, pitch, pad, gap, columns, areas };
}

interface Block {
  readonly cluster: number;
  readonly units: number[];
}

/** The blocks of each layer: by number of the cluster, units in none at the end. */
function blocksOf({ layer, unit, cluster }: UnitMap["units"], layers: number): Block[][] {
  const columns = Array.from({ length: layers }, () => new Map<number, number[]>());
  layer.forEach((at, place) => {
    const column = columns[at];
    const label = cluster[place] as number;
    const members = column?.get(label);
    if (members === undefined) column?.set(label, [place]);
    else members.push(place);
  });
  const order = (label: number): number => (label < 0 ? Number.POSITIVE_INFINITY : label);
  return columns.map((column) =>
    [...column]
      .sort(([one], [other]) => order(one) - order(other))
      .map(([label, members]) => ({
        cluster: label,
        units: members.sort((one, other) => (unit[one] as number) - (unit[other] as number)),
      })),
  );
}

/** How the blocks of a column stand: in lanes from left to right, where they are too many for one. */
interface Packing {
  readonly perRow: number;
  readonly lanes: readonly (readonly Block[])[];
}

/**
 * The largest pitch at which all columns fit. Columns are one lane, since bundles then begin and end beside their areas, unless
 * dots would become too small for that.
 */
function pack(blocks: readonly (readonly Block[])[], room: Size): { pitch: number; packings: Packing[] } {
  for (let pitch = MOST_PITCH; pitch >= LEAST_SINGLE; pitch *= PITCH_STEP) {
    const packings = packAt(blocks, pitch, room, 1);
    if (packings !== null) return { pitch, packings };
  }
  for (let pitch = MOST_PITCH; ; pitch *= PITCH_STEP) {
    const packings = packAt(blocks, pitch, room, Number.POSITIVE_INFINITY);
    if (packings !== null) return { pitch, packings };
  }
}

/** Each column as narrow as can be; where there is room, blocks of one lane are near squares. Null where it is too much. */
function packAt(
  blocks: readonly (readonly Block[])[],
  pitch: number,
  room: Size,
  mostLanes: number,
): Packing[] | null {
  const fits = (packings: readonly Packing[]): boolean =>
    widthOf(packings) * pitch <= COLUMN_SHARE * room.width;
  const narrow: Packing[] = [];
  for (const column of blocks) {
    const packing = narrowest(column, room.height / pitch, mostLanes);
    if (packing === null) return null;
    narrow.push(packing);
  }
  if (!fits(narrow)) return null;
  const even = narrow.map(({ perRow, lanes }) => ({
    perRow: lanes.length > 1 ? perRow : Math.max(perRow, side(lanes[0] ?? [])),
    lanes,
  }));
  return fits(even) ? even : narrow;
}

/** In pitches, without the gaps between columns. */
const widthOf = (packings: readonly Packing[]): number =>
  packings.reduce((sum, { perRow, lanes }) => sum + columnWidthOf(perRow, lanes.length), 0);

const columnWidthOf = (perRow: number, lanes: number): number =>
  lanes === 0 ? 0 : lanes * (perRow + 2 * PAD) + (lanes - 1) * LANE_GAP;

/** The narrowest way to stand within so many pitches of height; null where there is none. */
function narrowest(column: readonly Block[], rows: number, mostLanes: number): Packing | null {
  const most = Math.max(1, ...column.map(({ units }) => units.length));
  let best: Packing | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (let perRow = 1; perRow <= most && columnWidthOf(perRow, 1) < least; perRow++) {
    const lanes = lanesOf(column, perRow, rows);
    if (lanes === null || lanes.length > mostLanes) continue;
    const width = columnWidthOf(perRow, lanes.length);
    if (width >= least) continue;
    least = width;
    best = { perRow, lanes };
  }
  return best;
}

/** Blocks in their order from lane to lane; null where one is higher than a lane. */
function lanesOf(column: readonly Block[], perRow: number, rows: number): Block[][] | null {
  const lanes: Block[][] = [];
  let height = Number.POSITIVE_INFINITY;
  for (const block of column) {
    const own = heightOf([block], perRow);
    if (own > rows) return null;
    if (height + BLOCK_GAP + own > rows) {
      lanes.push([]);
      height = -BLOCK_GAP;
    }
    lanes.at(-1)?.push(block);
    height += BLOCK_GAP + own;
  }
  return lanes;
}

/** Side of the square that a middling block of the column would fill. */
function side(column: readonly Block[]): number {
  const sizes = column.map(({ units }) => units.length).sort((one, other) => one - other);
  return Math.round(Math.sqrt(sizes[Math.floor(sizes.length / 2)] ?? 1));
}

/** Height of blocks one below the other, in pitches. */
const heightOf = (blocks: readonly Block[], perRow: number): number =>
  blocks.reduce((sum, { units }) => sum + Math.ceil(units.length / perRow) + 2 * PAD + BLOCK_GAP, -BLOCK_GAP);

/** Centre of the dot at a place of an area's units. */
export function dotAt({ pitch, pad }: MapLayout, area: Area, place: number): { x: number; y: number } {
  return {
    x: area.x + pad + ((place % area.perRow) + 0.5) * pitch,
    y: area.y + pad + (Math.floor(place / area.perRow) + 0.5) * pitch,
  };
}

/** What lies at a point: an area, and the place of a dot in it (null between dots). */
export function findAt(
  layout: MapLayout,
  x: number,
  y: number,
): { readonly area: Area; readonly place: number | null } | null {
  const area = layout.areas.find(
    (one) => x >= one.x && x < one.x + one.width && y >= one.y && y < one.y + one.height,
  );
  if (area === undefined) return null;
  const column = Math.floor((x - area.x - layout.pad) / layout.pitch);
  const row = Math.floor((y - area.y - layout.pad) / layout.pitch);
  const place = row * area.perRow + column;
  const isDot = column >= 0 && column < area.perRow && row >= 0 && place < area.units.length;
  return { area, place: isDot ? place : null };
}
