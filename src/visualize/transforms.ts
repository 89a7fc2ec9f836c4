/**
 * Random views of an image, which make what a network answers to robust (Olah, Mordvintsev & Schubert 2017): shifted by
 * some pixels, scaled and turned about the centre, sampled bilinearly. Beyond the image's edge lies mid grey. A view is
 * linear in the image, so its adjoint carries gradients back.
 */
import type { Rng } from "../statistics/rng.ts";
import type { ImageShape } from "./image-parameter.ts";

/** How far views go; 0 or absent: not at all. */
export interface ViewOptions {
  /** Largest shift along each axis, in whole pixels. */
  readonly jitter?: number | undefined;
  /** Largest change of size as a share: 0.1 takes 0.9 to 1.1, in steps of a fifth of it. */
  readonly scale?: number | undefined;
  /** Largest turn, in degrees, in whole degrees. */
  readonly rotation?: number | undefined;
}

/** Where a view's pixels come from: the source of (y, x), about the centre, is the matrix times it, plus the shift. */
export interface View {
  /** Row-major, for (y, x). */
  readonly matrix: readonly [number, number, number, number];
  readonly shift: readonly [number, number];
}

const GREY = 0.5;
const SCALES = 5;

/** Whether views differ from the image at all. */
export function hasViews({ jitter = 0, scale = 0, rotation = 0 }: ViewOptions): boolean {
  return jitter > 0 || scale > 0 || rotation > 0;
}

/** A random view; every choice of shift, size and turn is as likely as any other. */
export function drawView({ jitter = 0, scale = 0, rotation = 0 }: ViewOptions, random: Rng): View {
  const within = (limit: number) => random.integer(2 * limit + 1) - limit;
  const shift = [within(jitter), within(jitter)] as const;
  const size = 1 + (scale * within(SCALES)) / SCALES;
  const angle = (within(Math.floor(rotation)) * Math.PI) / 180;
  const [cosine, sine] = [Math.cos(angle) / size, Math.sin(angle) / size];
  return { matrix: [cosine, sine, -sine, cosine], shift };
}

/** The view of an image, channels x height x width, written into `target`. */
export function takeView(source: Float32Array, shape: ImageShape, view: View, target: Float32Array): void {
  const area = shape.height * shape.width;
  target.fill(0);
  forEachTap(shape, view, (to, from, weight) => {
    for (let plane = 0; plane < target.length; plane += area) {
      const value = from < 0 ? GREY : (source[plane + from] as number);
      target[plane + to] = (target[plane + to] as number) + weight * value;
    }
  });
}

/** The adjoint of `takeView`'s linear part: brings the gradient of a view back to the image, into `target`. */
export function returnView(
  gradient: Float32Array,
  shape: ImageShape,
  view: View,
  target: Float32Array,
): void {
  const area = shape.height * shape.width;
  target.fill(0);
  forEachTap(shape, view, (to, from, weight) => {
    if (from < 0) return;
    for (let plane = 0; plane < target.length; plane += area) {
      target[plane + from] = (target[plane + from] as number) + weight * (gradient[plane + to] as number);
    }
  });
}

/** Every pixel of a view with the up to four that it is mixed from; those beyond the edge are -1. */
function forEachTap(
  { height, width }: ImageShape,
  { matrix, shift }: View,
  use: (to: number, from: number, weight: number) => void,
): void {
  const [yy, yx, xy, xx] = matrix;
  const [centreY, centreX] = [(height - 1) / 2, (width - 1) / 2];
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const y = yy * (row - centreY) + yx * (column - centreX) + centreY + shift[0];
      const x = xy * (row - centreY) + xx * (column - centreX) + centreX + shift[1];
      const [top, left] = [Math.floor(y), Math.floor(x)];
      for (let down = 0; down < 2; down++) {
        const vertical = down === 1 ? y - top : 1 - (y - top);
        for (let right = 0; right < 2; right++) {
          const weight = vertical * (right === 1 ? x - left : 1 - (x - left));
          if (weight === 0) continue;
          const [fromRow, fromColumn] = [top + down, left + right];
          const isInside = fromRow >= 0 && fromRow < height && fromColumn >= 0 && fromColumn < width;
          use(row * width + column, isInside ? fromRow * width + fromColumn : -1, weight);
        }
      }
    }
  }
}
