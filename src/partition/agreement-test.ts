/**
 * Whether two partitions of the same units agree more than chance (measures note P4), by permuting one of them over the
 * units that both put in a cluster. Cluster sizes stay, so the expectations in ARI and AMI are those of all permutations
 * and only the table of counts changes: a permutation costs two passes over the units, whatever the number of clusters (5,000
 * of 10,000 units: about a second on one core, for each of the two nulls).
 *
 * Two nulls. Freely permuted labels ask whether the partitions have anything in common. In a network they nearly always
 * have the layers in common, since clusters of any graph keep to some layers more than to others; labels permuted within
 * layers keep the size of every subcluster, and ask whether the partitions agree on units beyond that.
 */
import { type Rng, rng } from "../statistics/rng.ts";
import { shuffleRange } from "../statistics/shuffle-range.ts";
import { chanceOf, comparePartitions, pairLayers, requireCommonUnits } from "./compare.ts";
import type { Agreement, Partition, QualityTest, ShuffleTest, TestedComparison } from "./partition.ts";

/** Relative error of a sum over cells; sums that differ by less are equal. */
const ROUNDING = 1e-11;

/**
 * `comparePartitions` with z and p of AMI and ARI among `shuffles` shufflings of the second partition's labels. p = (1 +
 * shufflings that agree at least as well) / (shuffles + 1).
 *
 * Throws `E_PARTITION_DISJOINT` where no unit is in clusters of both, and what `comparePartitions` throws.
 *
 * @example
 * const { overall } = testAgreement(ofWeights, ofActivations, 5000);
 * overall.withinLayers.ami.p; // 0.0002
 */
export function testAgreement(
  first: Partition,
  second: Partition,
  shuffles: number,
  seed: number = 0,
): TestedComparison {
  const { overall, layers } = comparePartitions(first, second);
  requireCommonUnits(overall);
  const { rows, columns, layerStart } = commonUnits(first, second);
  const ranges = layers.map((_, layer) => [layerStart[layer], layerStart[layer + 1]] as [number, number]);
  const tables = ranges.map(([start, end]) => tableOf(rows, columns, start, end));
  const whole = tableOf(rows, columns, 0, rows.length);

  const labels = columns.slice();
  const within = whole.collect(shuffles);
  const inLayers = tables.map((table) => table.collect(shuffles));
  const random = rng(seed, "label shuffles", "within layers");
  for (let draw = 0; draw < shuffles; draw++) {
    for (const [start, end] of ranges) shuffleRange(labels, start, end, random);
    for (const draws of inLayers) draws.add(labels);
    within.add(labels);
  }
  const hasOneLayer = ranges.some(([start, end]) => end - start === rows.length);
  const free = hasOneLayer ? within : whole.collect(shuffles);
  if (!hasOneLayer) shuffleFreely(columns, shuffles, rng(seed, "label shuffles", "freely"), free.add);
  return {
    shuffles,
    overall: {
      ...overall,
      withinLayers: within.test(overall),
      freely: free.test(overall),
    },
    layers: layers.map((layer, number) => ({
      ...layer,
      shuffled: (inLayers[number] as Draws).test(layer),
    })),
  };
}

function shuffleFreely(
  columns: Int32Array,
  shuffles: number,
  random: Rng,
  add: (labels: Int32Array) => void,
): void {
  const labels = columns.slice();
  for (let draw = 0; draw < shuffles; draw++) {
    shuffleRange(labels, 0, labels.length, random);
    add(labels);
  }
}

/** Labels 0, 1, ... in both partitions of the units that both put in a cluster, layer by layer. */
function commonUnits(
  first: Partition,
  second: Partition,
): { readonly rows: Int32Array; readonly columns: Int32Array; readonly layerStart: readonly number[] } {
  const rows: number[] = [];
  const columns: number[] = [];
  const layerStart = [0];
  for (const [a, b] of pairLayers(first, second)) {
    for (let unit = 0; unit < a.labels.length; unit++) {
      const [row, column] = [a.labels[unit] as number, b.labels[unit] as number];
      if (row < 0 || column < 0) continue;
      rows.push(row);
      columns.push(column);
    }
    layerStart.push(rows.length);
  }
  return { rows: dense(rows), columns: dense(columns), layerStart };
}

function dense(labels: readonly number[]): Int32Array {
  const ids = new Map([...new Set(labels)].map((label, id) => [label, id]));
  return Int32Array.from(labels, (label) => ids.get(label) as number);
}

/** What shuffled labels gave for one table. */
interface Draws {
  readonly add: (labels: Int32Array) => void;
  readonly test: (agreement: Agreement) => ShuffleTest;
}

/** The table of counts of the units start ... end - 1 by row and by the column that labels give them. */
function tableOf(
  rows: Int32Array,
  columns: Int32Array,
  start: number,
  end: number,
): { readonly collect: (shuffles: number) => Draws } {
  const units = end - start;
  // Units of a row one after another: one row of counts is then all the table that there is at a time.
  const order = Int32Array.from({ length: units }, (_, i) => start + i).sort(
    (a, b) => (rows[a] as number) - (rows[b] as number) || a - b,
  );
  const rowEnd: number[] = [];
  order.forEach((unit, i) => {
    if (i + 1 === units || rows[unit] !== rows[order[i + 1] as number]) rowEnd.push(i + 1);
  });
  const counts = new Int32Array(columns.reduce((most, label) => Math.max(most, label), -1) + 1);
  const logarithm = Float64Array.from({ length: units + 1 }, (_, n) => (n === 0 ? 0 : n * Math.log(n)));
  const sums = { logarithms: 0, squares: 0 };
  const take = (label: number): void => {
    const count = counts[label] as number;
    sums.logarithms += logarithm[count] as number;
    sums.squares += count * count;
    counts[label] = 0;
  };
  const sum = (labels: Int32Array): void => {
    sums.logarithms = 0;
    sums.squares = 0;
    let at = 0;
    for (const stop of rowEnd) {
      const first = at;
      for (; at < stop; at++) {
        const label = labels[order[at] as number] as number;
        counts[label] = (counts[label] as number) + 1;
      }
      if (counts.length <= stop - first) for (let label = 0; label < counts.length; label++) take(label);
      else for (let i = first; i < stop; i++) take(labels[order[i] as number] as number);
    }
  };
  sum(columns);
  const found = { ...sums };
  const sizes = (labels: Int32Array): number[] => {
    const bySize = new Map<number, number>();
    for (const unit of order) {
      bySize.set(labels[unit] as number, (bySize.get(labels[unit] as number) ?? 0) + 1);
    }
    return [...bySize.values()];
  };
  const chance = chanceOf(sizes(rows), sizes(columns), units);
  return {
    collect: (shuffles) => {
      const logarithms = new Float64Array(units > 0 ? shuffles : 0);
      const squares = new Float64Array(logarithms.length);
      let draw = 0;
      return {
        add: (labels) => {
          if (units === 0) return;
          sum(labels);
          logarithms[draw] = sums.logarithms - found.logarithms;
          squares[draw] = sums.squares - found.squares;
          draw++;
        },
        test: ({ ami, ari }) => {
          const isRounding = (difference: number) =>
            Math.abs(difference) <= ROUNDING * Math.max(1, found.logarithms);
          return {
            ami: against(
              ami,
              logarithms.map((difference) => (isRounding(difference) ? 0 : difference / units)),
              chance.information,
            ),
            ari: against(
              ari,
              squares.map((difference) => difference / 2),
              chance.pairs,
            ),
          };
        },
      };
    },
  };
}

/** z and p of an index from what each draw has more than the value that it adjusts. */
function against(
  index: number,
  more: Float64Array,
  { expected, most }: { readonly expected: number; readonly most: number },
): QualityTest {
  // Where all arrangements are equal partitions, no draw has more or less.
  const scale = more.some((value) => value !== 0) ? 1 / (most - expected) : 0;
  const mean = (more.reduce((total, value) => total + value, 0) / more.length) * scale;
  const sd = Math.sqrt(more.reduce((total, value) => total + (value * scale - mean) ** 2, 0) / more.length);
  const hits = more.reduce((count, value) => count + (value >= 0 ? 1 : 0), 0);
  const isDefined = more.length > 0;
  return {
    mean: index + mean,
    sd,
    z: sd > 0 ? -mean / sd : Number.NaN,
    p: isDefined ? (1 + hits) / (more.length + 1) : Number.NaN,
  };
}
