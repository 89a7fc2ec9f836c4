/** What part of a map is seen: a point (x, y) of the map lies at (x · zoom + left, y · zoom + top) of the view. */
import type { Size } from "./layout.ts";

export interface View {
  readonly zoom: number;
  readonly left: number;
  readonly top: number;
}

/** The map from its left edge on, as it was laid out. */
export const START: View = { zoom: 1, left: 0, top: 0 };

/** Zooms by a factor so that what lies at a point of the view stays there. */
export function zoomAt(view: View, factor: number, x: number, y: number): View {
  return {
    zoom: view.zoom * factor,
    left: x - (x - view.left) * factor,
    top: y - (y - view.top) * factor,
  };
}

/** The nearest zoom in bounds: from all of the map to dots of `mostPitch` pixels. */
export function boundedFactor(view: View, factor: number, map: Size & { pitch: number }, seen: Size): number {
  const least = Math.min(1, seen.width / map.width, seen.height / map.height);
  const most = Math.max(4, 48 / map.pitch);
  return Math.min(most, Math.max(least, view.zoom * factor)) / view.zoom;
}

/** The view, moved so that no more emptiness than needed is seen. */
export function held(view: View, map: Size, seen: Size): View {
  return {
    zoom: view.zoom,
    left: hold(view.left, map.width * view.zoom, seen.width),
    top: hold(view.top, map.height * view.zoom, seen.height),
  };
}

const hold = (offset: number, size: number, seen: number): number =>
  size <= seen ? (seen - size) / 2 : Math.min(0, Math.max(seen - size, offset));

/** The view, moved as little as needed to see a rectangle of the map. */
export function revealing(
  view: View,
  area: { readonly x: number; readonly y: number; readonly width: number; readonly height: number },
  seen: Size,
): View {
  const { zoom } = view;
  return {
    zoom,
    left: reveal(view.left, area.x * zoom, area.width * zoom, seen.width),
    top: reveal(view.top, area.y * zoom, area.height * zoom, seen.height),
  };
}

function reveal(offset: number, start: number, size: number, seen: number): number {
  if (start + offset < 0) return 12 - start;
  if (start + size + offset > seen) return seen - 12 - start - size;
  return offset;
}
