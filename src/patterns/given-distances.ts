import { BrodmannError } from "../errors.ts";

/** Side of the squares that are compared with their mirror images at once, so that both stay in the fast caches. */
const SQUARE = 64;

/** Throws `E_INPUT_SHAPE` or `E_INPUT_VALUE` unless these are count x count distances. */
export function requireDistances(distances: Float32Array, count: number): void {
  if (distances.length !== count * count) {
    throw new BrodmannError(
      "E_INPUT_SHAPE",
      `distances: found ${distances.length} values, expected ${count} x ${count}`,
    );
  }
  for (let top = 0; top < count; top += SQUARE) {
    for (let left = 0; left <= top; left += SQUARE) {
      for (let row = top; row < Math.min(count, top + SQUARE); row++) {
        for (let column = left; column <= Math.min(row, left + SQUARE - 1); column++) {
          const distance = distances[row * count + column] as number;
          const isDistance = distance >= 0 && distance < Number.POSITIVE_INFINITY;
          const mirrored = distances[column * count + row];
          if (isDistance && distance === mirrored && (row !== column || distance === 0)) continue;
          throw new BrodmannError(
            "E_INPUT_VALUE",
            `distances: found ${distance} in row ${row}, column ${column} and ${mirrored} across the diagonal, ` +
              "expected the same finite number from 0, and 0 on the diagonal",
          );
        }
      }
    }
  }
}
