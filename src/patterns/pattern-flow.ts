/** How inputs go from pattern to pattern through the layers (method note, section 8; Kroeger & Bindschaedler 2025). */
import { type ClassMix, classMix } from "./pattern-table.ts";

/** Inputs in a pattern of one layer and a pattern of the next; -1 is noise. */
export interface FlowLink {
  readonly from: number;
  readonly to: number;
  readonly inputs: number;
}

/** Co-membership of two layers' patterns. */
export interface LayerFlow {
  /** Places in the list of layers. */
  readonly from: number;
  readonly to: number;
  /** By pattern, noise first; pairs without inputs are left out. */
  readonly links: readonly FlowLink[];
}

/** Inputs with the same pattern in every layer. */
export interface PatternPath {
  /** Pattern of each layer; -1 is noise. */
  readonly patterns: readonly number[];
  readonly inputs: number;
  readonly classes: ClassMix | null;
}

export interface PatternFlow {
  readonly flows: readonly LayerFlow[];
  /** Different sequences of patterns, and those that a single input has. */
  readonly sequences: number;
  readonly singles: number;
  /** Sequences that several inputs share, those of most inputs first. */
  readonly paths: readonly PatternPath[];
  /**
   * Mean purity of the paths that are not noise throughout, over their inputs (those of single inputs would be pure for
   * free); NaN without labels or such paths.
   */
  readonly purity: number;
  /** Inputs that are noise in every layer. */
  readonly noise: number;
}

/**
 * Flow of inputs through the labels of layers in their order; all label the same inputs.
 *
 * @example
 * const { paths } = patternFlow([first.labels, second.labels], classes);
 */
export function patternFlow(layers: readonly Int32Array[], classes: Int32Array | null): PatternFlow {
  const flows = layers.slice(1).map((next, at) => ({
    from: at,
    to: at + 1,
    links: countLinks(layers[at] as Int32Array, next),
  }));
  const members = new Map<string, number[]>();
  const inputs = layers[0]?.length ?? 0;
  for (let row = 0; row < inputs; row++) {
    const key = layers.map((labels) => labels[row]).join();
    const list = members.get(key);
    if (list) list.push(row);
    else members.set(key, [row]);
  }
  const all = [...members.values()];
  const paths = all
    .filter((rows) => rows.length > 1)
    .sort((a, b) => b.length - a.length || (a[0] as number) - (b[0] as number))
    .map((rows) => ({
      patterns: layers.map((labels) => labels[rows[0] as number] as number),
      inputs: rows.length,
      classes: classes && classMix(Int32Array.from(rows), classes),
    }));
  const through = paths.filter(({ patterns }) => patterns.some((pattern) => pattern >= 0));
  const shared = through.reduce((sum, path) => sum + path.inputs, 0);
  const pure = through.reduce((sum, path) => sum + path.inputs * (path.classes?.purity ?? Number.NaN), 0);
  const noise = all.find(([row]) => layers.every((labels) => (labels[row as number] as number) < 0));
  return {
    flows,
    sequences: all.length,
    singles: all.length - paths.length,
    paths,
    purity: pure / shared,
    noise: noise?.length ?? 0,
  };
}

function countLinks(first: Int32Array, second: Int32Array): FlowLink[] {
  const counts = new Map<string, FlowLink>();
  for (let row = 0; row < first.length; row++) {
    const [from, to] = [first[row] as number, second[row] as number];
    const key = `${from} ${to}`;
    counts.set(key, { from, to, inputs: (counts.get(key)?.inputs ?? 0) + 1 });
  }
  return [...counts.values()].sort((a, b) => a.from - b.from || a.to - b.to);
}
