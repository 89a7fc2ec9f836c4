/**
 * Seeded random streams. Every random thing draws from a stream of its own, keyed by the root seed and by what
 * it is for (`rng(seed, "null", layer, draw)`), so results depend neither on the order of the work nor on how it
 * is split over processes. Generator: xoroshiro128+ (Blackman & Vigna 2018, doi:10.1145/3460772), whose lower
 * 32 bits `pure-rand` returns. The lowest of them are linear recurrences, and `integer` would use just those, so
 * every output passes through a bijective mix first: equidistribution stays, linearity goes.
 * The only file that imports `pure-rand`.
 */
import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import { BrodmannError } from "../errors.ts";

/** A stream of random numbers. */
export interface Rng {
  /** The next 32 random bits, 0 to 2^32 - 1. */
  bits(): number;
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Uniform integer in [0, bound), without modulo bias; `bound` is an integer from 1 to 2^32. */
  integer(bound: number): number;
  /** Standard normal. */
  normal(): number;
  /** Shuffles in place (Fisher-Yates) and returns its argument. */
  shuffle<T extends Int32Array | Uint32Array | Float32Array | Float64Array | unknown[]>(values: T): T;
  /** Remembers the place in the stream; the function that it gives goes back there, as often as it is called. */
  mark(): () => void;
}

/**
 * The stream of a seed and a key.
 *
 * @example
 * const draws = rng(0, "null", 3, 17);
 * draws.integer(10);
 */
export function rng(seed: number, ...key: readonly (string | number)[]): Rng {
  const state = hash128(JSON.stringify([seed, ...key])) as [number, number, number, number];
  if (state.every((word) => word === 0)) state.fill(1);
  let generator = xoroshiro128plusFromState(state);
  const bits = () => finalMix(generator.next()) >>> 0;
  const uniform = () => ((bits() >>> 5) * 67108864 + (bits() >>> 6)) / 9007199254740992;
  const integer = (bound: number) => {
    if (!(Number.isInteger(bound) && bound >= 1 && bound <= 4294967296)) {
      throw new BrodmannError("E_INTERNAL_RNG", `rng.integer: found bound ${bound}, expected 1 to 2^32`);
    }
    const limit = 4294967296 - (4294967296 % bound);
    let value = bits();
    while (value >= limit) value = bits();
    return value % bound;
  };
  const normal = () => {
    // Box-Muller; 1 - u is in (0, 1], so the logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    return radius * Math.cos(2 * Math.PI * uniform());
  };
  return {
    bits,
    uniform,
    integer,
    normal,
    shuffle(values) {
      for (let last = values.length - 1; last > 0; last--) {
        const other = integer(last + 1);
        const kept = values[last];
        values[last] = values[other] as never;
        values[other] = kept as never;
      }
      return values;
    },
    mark() {
      const kept = generator.clone();
      return () => {
        generator = kept.clone();
      };
    },
  };
}

/** A 128-bit mix in the manner of MurmurHash3 (Appleby) of the text's UTF-16 units, as four 32-bit words. */
function hash128(text: string): number[] {
  const multipliers = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93];
  const state = [0x9368e53c, 0x586dcd20, 0x8cb92ba7, 0x2d1f6e3b];
  for (let start = 0; start < text.length; start += 4) {
    for (let lane = 0; lane < 4; lane++) {
      const code = start + lane < text.length ? text.charCodeAt(start + lane) + 1 : 0;
      let word = Math.imul(code ^ ((start + lane) << 16), multipliers[lane] as number);
      word = Math.imul((word << 15) | (word >>> 17), multipliers[(lane + 1) & 3] as number);
      const mixed = (state[lane] as number) ^ word;
      const rotated = (mixed << 19) | (mixed >>> 13);
      state[lane] = (Math.imul(rotated + (state[(lane + 1) & 3] as number), 5) + 0x561ccd1b) | 0;
    }
  }
  for (let round = 0; round < 2; round++) {
    for (let lane = 0; lane < 4; lane++) {
      state[lane] = finalMix((state[lane] as number) + (state[(lane + 3) & 3] as number) + text.length);
    }
  }
  return state;
}

/** The 32-bit finaliser of MurmurHash3, a bijection whose every output bit depends on every input bit. */
function finalMix(word: number): number {
  let h = word | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
