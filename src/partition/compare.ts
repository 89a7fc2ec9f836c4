/**
 * Agreement of two partitions of the same units: adjusted Rand index (Hubert & Arabie 1985,
 * doi:10.1007/BF01908075), adjusted mutual information with the exact expectation under the permutation model
 * (Vinh, Epps & Bailey 2010, JMLR 11:2837), variation of information (Meila 2007,
 * doi:10.1016/j.jmva.2006.11.013), normalised mutual information and element-centric similarity (Gates et al. 2019,
 * doi:10.1038/s41598-019-44892-y).
 *
 * With n_ij the units in cluster i of one and j of the other, a_i and b_j their sums, N all units, H entropy in nats:
 *   ARI = (R - E R) / (max R - E R),  R = sum_ij C(n_ij, 2),  E R = sum_i C(a_i, 2) sum_j C(b_j, 2) / C(N, 2)
 *   ECS = mean over units of n_ij / max(a_i, b_j)  for the unit's own clusters i and j
 *   NMI = MI / M,  AMI = (MI - E MI) / (M - E MI),  M = (H_a + H_b) / 2,  VI = H_a + H_b - 2 MI
 */
import { BrodmannError } from "../errors.ts";
import type { Agreement, LayerLabels, Partition } from "./partition.ts";

export interface PartitionComparison {
  /** All layers together. */
  readonly overall: Agreement;
  /** Every layer that either partition names, in the order of the first. */
  readonly layers: readonly (Agreement & { readonly name: string })[];
}

/**
 * Agreement of two partitions per layer, matched by name, and over all units together. A layer that one of them
 * does not name is unpartitioned there. Throws `E_PARTITION_LAYERS` where no layer is common to both and
 * `E_PARTITION_UNITS` where a layer has different numbers of units.
 *
 * @example
 * comparePartitions(spectral, louvain).overall.ami; // 0.63
 */
export function comparePartitions(first: Partition, second: Partition): PartitionComparison {
  const pairs = pairLayers(first, second);
  return {
    overall: agreementOf(concatenate(pairs.map(([a]) => a)), concatenate(pairs.map(([, b]) => b))),
    layers: pairs.map(([a, b]) => ({ name: a.name, ...agreementOf(a.labels, b.labels) })),
  };
}

/** Throws `E_PARTITION_DISJOINT` where no unit is in clusters of both partitions, which then cannot agree or differ. */
export function requireCommonUnits({ units, onlyFirst, onlySecond }: Agreement): void {
  if (units > 0) return;
  throw new BrodmannError(
    "E_PARTITION_DISJOINT",
    `partitions: found no unit that both put in a cluster (${onlyFirst} and ${onlySecond} units in clusters of one), expected some`,
    { hint: "Compare partitions whose graphs have units in common; -1 means no cluster." },
  );
}

/**
 * Both partitions' labels of every layer that either names, in the order of the first; -1 throughout where one does not
 * name it. Throws as `comparePartitions` does.
 */
export function pairLayers(first: Partition, second: Partition): (readonly [LayerLabels, LayerLabels])[] {
  const others = new Map(second.layers.map((layer) => [layer.name, layer]));
  const named = new Set(first.layers.map((layer) => layer.name));
  if (first.layers.length > 0 && !first.layers.some((layer) => others.has(layer.name))) {
    throw new BrodmannError(
      "E_PARTITION_LAYERS",
      `partitions: found no layer of one in the other (${namesOf(first)} against ${namesOf(second)}), expected common layers`,
      { hint: "Compare partitions of the same network; the names are those that `brodmann inspect` lists." },
    );
  }
  return [
    ...first.layers.map((layer) => pairOf(layer, others.get(layer.name) ?? unlabelled(layer))),
    ...second.layers
      .filter((layer) => !named.has(layer.name))
      .map((layer) => pairOf(unlabelled(layer), layer)),
  ];
}

/** Agreement of two labellings of the same units; labels are any integers, negative = in no cluster. */
export function agreementOf(first: Int32Array, second: Int32Array): Agreement {
  const table = countTable(first, second);
  const { units, cells, rows, columns } = table;
  const counts = {
    units,
    onlyFirst: table.onlyFirst,
    onlySecond: table.onlySecond,
    neither: first.length - units - table.onlyFirst - table.onlySecond,
  };
  if (units === 0) {
    return {
      ...counts,
      ari: Number.NaN,
      ami: Number.NaN,
      nmi: Number.NaN,
      vi: Number.NaN,
      elementCentric: Number.NaN,
    };
  }
  const entropyFirst = entropy(rows, units);
  const entropySecond = entropy(columns, units);
  // Equal partitions exactly, where sums of logarithms would leave rounding errors.
  if (cells.length === rows.length && cells.length === columns.length) {
    return { ...counts, ari: 1, ami: 1, nmi: 1, vi: 0, elementCentric: 1 };
  }
  const information = Math.max(0, entropyFirst + entropySecond - entropy(cells, units));
  const chance = chanceOf(rows, columns, units);
  return {
    ...counts,
    ari: adjust(countPairs(cells), chance.pairs),
    ami: adjust(information, chance.information),
    nmi: information / chance.information.most,
    vi: Math.max(0, 2 * (chance.information.most - information)),
    elementCentric: elementCentric(table),
  };
}

/** What labellings with clusters of given sizes reach on average, and what equal ones would reach. */
export interface Chance {
  /** Mutual information, in nats; the most is the mean of the entropies. */
  readonly information: { readonly expected: number; readonly most: number };
  /** Pairs of units that are together in both; the most is the mean of those in each. */
  readonly pairs: { readonly expected: number; readonly most: number };
}

/** Chance for cluster sizes `rows` and `columns`, both of which add up to `units`. */
export function chanceOf(rows: readonly number[], columns: readonly number[], units: number): Chance {
  const [pairsFirst, pairsSecond] = [countPairs(rows), countPairs(columns)];
  return {
    information: {
      expected: expectedInformation(rows, columns, units),
      most: (entropy(rows, units) + entropy(columns, units)) / 2,
    },
    pairs: {
      expected: (pairsFirst * pairsSecond) / ((units * (units - 1)) / 2),
      most: (pairsFirst + pairsSecond) / 2,
    },
  };
}

/** Not 0 / 0: the expectation reaches the most only where every arrangement gives equal partitions. */
function adjust(value: number, { expected, most }: Chance["pairs"]): number {
  return (value - expected) / (most - expected);
}

function countPairs(counts: readonly number[]): number {
  return counts.reduce((sum, n) => sum + (n * (n - 1)) / 2, 0);
}

interface CountTable {
  readonly units: number;
  readonly onlyFirst: number;
  readonly onlySecond: number;
  /** Non-zero n_ij. */
  readonly cells: readonly number[];
  /** Numbers i and j of each of these. */
  readonly cellRows: readonly number[];
  readonly cellColumns: readonly number[];
  /** a_i. */
  readonly rows: readonly number[];
  /** b_j. */
  readonly columns: readonly number[];
}

function countTable(first: Int32Array, second: Int32Array): CountTable {
  const rows = new Counter();
  const columns = new Counter();
  const cells = new Counter();
  const cellRows: number[] = [];
  const cellColumns: number[] = [];
  let units = 0;
  let onlyFirst = 0;
  let onlySecond = 0;
  for (let u = 0; u < first.length; u++) {
    const a = first[u] as number;
    const b = second[u] as number;
    if (a >= 0 && b >= 0) {
      units++;
      const row = rows.add(a);
      const column = columns.add(b);
      const known = cells.counts.length;
      cells.add(row * first.length + column);
      if (cells.counts.length === known) continue;
      cellRows.push(row);
      cellColumns.push(column);
    } else if (a >= 0) onlyFirst++;
    else if (b >= 0) onlySecond++;
  }
  return {
    units,
    onlyFirst,
    onlySecond,
    cells: cells.counts,
    cellRows,
    cellColumns,
    rows: rows.counts,
    columns: columns.counts,
  };
}

/** Counts of keys, which are numbered in the order of their first appearance. */
class Counter {
  readonly counts: number[] = [];
  readonly #ids = new Map<number, number>();

  /** Counts one more of `key` and returns its number. */
  add(key: number): number {
    const id = this.#ids.get(key) ?? this.counts.length;
    if (id === this.counts.length) this.#ids.set(key, id);
    this.counts[id] = (this.counts[id] ?? 0) + 1;
    return id;
  }
}

function elementCentric({ cells, cellRows, cellColumns, rows, columns, units }: CountTable): number {
  let sum = 0;
  cells.forEach((count, cell) => {
    const largest = Math.max(
      rows[cellRows[cell] as number] as number,
      columns[cellColumns[cell] as number] as number,
    );
    sum += (count * count) / largest;
  });
  return sum / units;
}

function entropy(counts: readonly number[], units: number): number {
  let sum = 0;
  for (const count of counts) sum += count * Math.log(count);
  return Math.max(0, Math.log(units) - sum / units);
}

/**
 * Expectation of the mutual information over all tables with the given marginals (hypergeometric model):
 *   sum_ij sum_n (n/N) ln(N n / (a_i b_j)) P(n),  P(n) = C(a_i, n) C(N - a_i, b_j - n) / C(N, b_j).
 * The inner sum depends on (a_i, b_j) only, so equal cluster sizes are summed once.
 */
function expectedInformation(rows: readonly number[], columns: readonly number[], units: number): number {
  const logFactorial = new Float64Array(units + 1);
  for (let n = 2; n <= units; n++) logFactorial[n] = (logFactorial[n - 1] as number) + Math.log(n);
  const lf = (n: number) => logFactorial[n] as number;
  let total = 0;
  for (const [a, timesA] of multiplicities(rows)) {
    for (const [b, timesB] of multiplicities(columns)) {
      const fixed = lf(a) + lf(b) + lf(units - a) + lf(units - b) - lf(units);
      const logShare = Math.log(units) - Math.log(a) - Math.log(b);
      let sum = 0;
      for (let n = Math.max(1, a + b - units); n <= Math.min(a, b); n++) {
        const logP = fixed - lf(n) - lf(a - n) - lf(b - n) - lf(units - a - b + n);
        sum += n * (logShare + Math.log(n)) * Math.exp(logP);
      }
      total += (timesA * timesB * sum) / units;
    }
  }
  return total;
}

function multiplicities(counts: readonly number[]): Map<number, number> {
  const times = new Map<number, number>();
  for (const count of counts) times.set(count, (times.get(count) ?? 0) + 1);
  return times;
}

function pairOf(first: LayerLabels, second: LayerLabels): [LayerLabels, LayerLabels] {
  if (first.labels.length !== second.labels.length) {
    throw new BrodmannError(
      "E_PARTITION_UNITS",
      `layer ${first.name}: found ${first.labels.length} labels in one partition and ${second.labels.length} in the other, expected as many`,
      { hint: "Compare partitions of the same network." },
    );
  }
  return [first, second];
}

function unlabelled(layer: LayerLabels): LayerLabels {
  return { name: layer.name, labels: new Int32Array(layer.labels.length).fill(-1) };
}

function concatenate(layers: readonly LayerLabels[]): Int32Array {
  const labels = new Int32Array(layers.reduce((sum, layer) => sum + layer.labels.length, 0));
  let start = 0;
  for (const layer of layers) {
    labels.set(layer.labels, start);
    start += layer.labels.length;
  }
  return labels;
}

function namesOf(partition: Partition): string {
  const names = partition.layers.map((layer) => layer.name);
  return names.length > 4 ? `${names.slice(0, 4).join(", ")}, ...` : names.join(", ") || "no layer";
}
