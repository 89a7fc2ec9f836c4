import type { TestedComparison } from "./agreement-test.ts";
import type { Transfer } from "./transfer.ts";

/** Labels of one layer's units; -1 = not in the graph (isolated or dead) or not clustered. */
export interface LayerLabels {
  readonly name: string;
  readonly labels: Int32Array;
}

/** How good a partition is as a cut of its graph; for local graphs the unweighted mean over parts. */
export interface PartitionQuality {
  readonly ncut: number;
  readonly modularity: number;
  /** Against partitions of graphs without its structure, where that was asked for. */
  readonly nulls?: readonly NullTest[];
  /** Where that was asked for. */
  readonly stability?: Stability;
  /** With the partition of the network's other graph, where that was asked for. */
  readonly agreement?: KindAgreement;
}

/** Agreement with a partition of the other kind of graph of the same network, made in the same way. */
export interface KindAgreement extends TestedComparison {
  /** Kind of the other graph. */
  readonly kind: "weights" | "activations";
  /** Clusters and quality of the other partition. */
  readonly clusters: number;
  readonly ncut: number;
  readonly modularity: number;
  /** Null for a local graph of weights: its clusterings are of three layers at a time. */
  readonly transfer: {
    /** This partition on the other graph. */
    readonly toOther: Transfer | null;
    /** The other partition on this graph. */
    readonly fromOther: Transfer | null;
  };
}

/** One quality figure against its null. */
export interface QualityTest {
  readonly mean: number;
  /** Standard deviation of the draws (ddof 0). */
  readonly sd: number;
  /** (value - mean) / sd; NaN where the draws do not differ. */
  readonly z: number;
  /** (1 + draws at least as extreme) / (draws + 1). */
  readonly p: number;
}

/** Quality of a partition against that of null graphs. */
export interface NullTest {
  /** `weights`: weights in other places. `inputs`: units permuted over inputs. */
  readonly null: "weights" | "inputs";
  readonly draws: number;
  /** Small n-cuts are extreme. */
  readonly ncut: QualityTest;
  /** Large modularities are extreme. */
  readonly modularity: QualityTest;
}

/** Agreement of a partition with others that were made nearly alike. */
export interface StabilityRow {
  /** `seeds`, `bootstraps`, or the setting that was changed. */
  readonly name: string;
  readonly runs: number;
  /** Mean adjusted mutual information. */
  readonly ami: number;
  readonly leastAmi: number;
  /** Mean element-centric similarity. */
  readonly elementCentric: number;
  /** Mean number of clusters. */
  readonly clusters: number;
}

/** How much of a partition stays when seeds, inputs or settings change. */
export interface Stability {
  /** Other seeds, and bootstraps where inputs were at hand. */
  readonly runs: number;
  readonly rows: readonly StabilityRow[];
  /** Number of units whose co-assignment is below `threshold`. */
  readonly unstable: number;
  readonly threshold: number;
  /** Co-assignment of every unit with its cluster, 0 to 1; NaN for units in no cluster. */
  readonly layers: readonly { readonly name: string; readonly coAssignment: readonly number[] }[];
}

/** A label for every unit of every layer. Labels are dense integers from 0. */
export interface Partition {
  readonly layers: readonly LayerLabels[];
  readonly clusters: number;
  /** Name, seed and settings of the partitioner. */
  readonly method: Readonly<Record<string, unknown>>;
  readonly quality: PartitionQuality | null;
}
