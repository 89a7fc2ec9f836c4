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

const MOST_PITCH = 13;
/** In pitches. */
const PAD = 0.3;
const BLOCK_GAP = 0.9;
/** Share of the width that columns may take; bundles get the rest. */
const COLUMN_SHARE = 0.56;
const MOST_GAP = 300;
/** Narrower than this per layer, a map is wider than its view. */
const LEAST_SPACING = 27;
const MARGIN = { x: 30, y: 10 };

/**
 * Lays out a map for a view of the given size. It is wider than the view where there are too many layers for it, and never
 * higher.
 *
 * @example
 * const layout = layOutMap(data.map.units, data.graph.layers.length, { width: 1190, height: 560 });
 */
export function layOutMap(units: UnitMap["units"], layers: number, view: Size): MapLayout {
  const blocks = blocksOf(units, layers);
  const width = Math.max(view.width, layers * LEAST_SPACING + 2 * MARGIN.x);
  const room = { width: width - 2 * MARGIN.x, height: view.height - 2 * MARGIN.y };
  const { pitch, perRow } = fitDots(blocks, room);
  const pad = PAD * pitch;
  const widths = blocks.map((column, layer) =>
    column.length === 0 ? 0 : (perRow[layer] as number) * pitch + 2 * pad,
  );
  const free = room.width - widths.reduce((sum, one) => sum + one, 0);
  const gap = layers > 1 ? Math.min(MOST_GAP, free / (layers - 1)) : 0;
  let x = MARGIN.x + (free - gap * (layers - 1)) / 2;
  const columns: Column[] = [];
  const areas: Area[] = [];
  blocks.forEach((column, layer) => {
    const columnWidth = widths[layer] as number;
    const dots = perRow[layer] as number;
    let y = (view.height - pitch * heightOf(column, dots)) / 2;
    for (const { cluster, units: members } of column) {
      const height = Math.ceil(members.length / dots) * pitch + 2 * pad;
      areas.push({ layer, cluster, x, y, width: columnWidth, height, perRow: dots, units: members });
      y += height + BLOCK_GAP * pitch;
    }
    const count = column.reduce((sum, block) => sum + block.units.length, 0);
    columns.push({ layer, x, width: columnWidth, units: count });
    x += columnWidth + gap;
  });
  return { width, height: view.height, pitch, pad, gap, columns, areas };
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

/** The largest pitch at which every column fits, and then the dots in a row of each: blocks near squares where there is room. */
function fitDots(blocks: readonly (readonly Block[])[], room: Size): { pitch: number; perRow: number[] } {
  for (let pitch = MOST_PITCH; ; pitch *= 0.97) {
    const rows = room.height / pitch;
    const least = blocks.map((column) => leastPerRow(column, rows));
    const width = (perRow: readonly number[]): number =>
      perRow.reduce((sum, dots) => sum + dots + 2 * PAD, 0) * pitch;
    if (least.some((dots) => dots === null) || width(least as number[]) > COLUMN_SHARE * room.width) continue;
    const perRow = (least as number[]).map((dots, layer) => Math.max(dots, side(blocks[layer] ?? [])));
    return { pitch, perRow: width(perRow) <= COLUMN_SHARE * room.width ? perRow : (least as number[]) };
  }
}

/** Side of the square that a middling block of the column would fill. */
function side(column: readonly Block[]): number {
  const sizes = column.map(({ units }) => units.length).sort((one, other) => one - other);
  return Math.round(Math.sqrt(sizes[Math.floor(sizes.length / 2)] ?? 1));
}

/** Height of a column in pitches. */
const heightOf = (column: readonly Block[], perRow: number): number =>
  column.reduce((sum, { units }) => sum + Math.ceil(units.length / perRow) + 2 * PAD + BLOCK_GAP, -BLOCK_GAP);

/** The fewest dots in a row with which a column is no higher than so many pitches; null where none are few enough. */
function leastPerRow(column: readonly Block[], rows: number): number | null {
  let most = Math.max(1, ...column.map(({ units }) => units.length));
  if (heightOf(column, most) > rows) return null;
  let least = 1;
  while (least < most) {
    const middle = Math.floor((least + most) / 2);
    if (heightOf(column, middle) <= rows) most = middle;
    else least = middle + 1;
  }
  return least;
}

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
