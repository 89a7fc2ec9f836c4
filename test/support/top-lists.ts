import type { Correlations, TopCorrelations } from "../../src/compute/compute.ts";
import { rng } from "../../src/statistics/rng.ts";

/** Rows of few different values and with copies, so that many correlations are equal; every seventh is dead. */
export function tiedRows(units: number, samples: number): Float32Array {
  const random = rng(6, "tied rows", units, samples);
  const rows = new Float32Array(units * samples);
  for (let unit = 0; unit < units; unit++) {
    const row = rows.subarray(unit * samples, (unit + 1) * samples);
    if (unit % 7 === 2) row.fill(0.3);
    else if (unit % 3 === 1) row.set(rows.subarray((unit - 1) * samples, unit * samples));
    else for (let at = 0; at < samples; at++) row[at] = random.integer(3);
  }
  return rows;
}

/** The same from the whole matrix, by sorting each row: larger values first, then smaller columns. */
export function bruteForceTop({ units, values, isDead }: Correlations, most: number): TopCorrelations {
  const k = Math.min(most, Math.max(0, units - 1));
  const top = {
    units,
    k,
    values: new Float32Array(units * k),
    columns: new Int32Array(units * k).fill(-1),
    isDead,
  };
  for (let unit = 0; unit < units; unit++) {
    const row = Array.from(values.subarray(unit * units, (unit + 1) * units), (value, column) => ({
      value,
      column,
    }));
    row
      .filter(({ value }) => value > 0)
      .sort((a, b) => b.value - a.value || a.column - b.column)
      .slice(0, k)
      .forEach(({ value, column }, at) => {
        top.values[unit * k + at] = value;
        top.columns[unit * k + at] = column;
      });
  }
  return top;
}
