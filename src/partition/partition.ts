/** Labels of one layer's units; -1 = not in the graph (isolated or dead) or not clustered. */
export interface LayerLabels {
  readonly name: string;
  readonly labels: Int32Array;
}

/** How good a partition is as a cut of its graph; for local graphs the unweighted mean over parts. */
export interface PartitionQuality {
  readonly ncut: number;
  readonly modularity: number;
}

/** A label for every unit of every layer. Labels are dense integers from 0. */
export interface Partition {
  readonly layers: readonly LayerLabels[];
  readonly clusters: number;
  /** Name, seed and settings of the partitioner. */
  readonly method: Readonly<Record<string, unknown>>;
  readonly quality: PartitionQuality | null;
}
