/** Labels of one layer's units; -1 = not in the graph (isolated or dead) or not clustered. */
export interface LayerLabels {
  readonly name: string;
  readonly labels: Int32Array;
}

/** The largest eigenvalues of D^-1/2 A D^-1/2 of a graph or of one part of it, descending: a gap behind the k-th suggests k clusters. */
export interface Spectrum {
  readonly part: string;
  readonly values: readonly number[];
}

/** How good a partition is as a cut of its graph; for local graphs the unweighted mean over parts. */
export interface PartitionQuality {
  readonly ncut: number;
  readonly modularity: number;
  /** Of spectral partitions, by part of the graph. */
  readonly eigenvalues?: readonly Spectrum[];
  /** Against partitions of graphs without its structure, where that was asked for. */
  readonly nulls?: readonly NullTest[];
  /** Where that was asked for. */
  readonly stability?: Stability;
  /** With the partition of the network's other graph, where that was asked for. */
  readonly agreement?: KindAgreement;
}

/** How well two labellings agree. Only units that both put in a cluster enter; without any, all indices are NaN. */
export interface Agreement {
  /** Units that both put in a cluster. */
  readonly units: number;
  /** Units left out because only the first puts them in a cluster. */
  readonly onlyFirst: number;
  /** Units left out because only the second puts them in a cluster. */
  readonly onlySecond: number;
  /** Units left out because neither puts them in a cluster. */
  readonly neither: number;
  /** Adjusted Rand index: 1 for equal partitions, 0 on average for unrelated ones. */
  readonly ari: number;
  /** Adjusted mutual information, arithmetic normalisation: 1 for equal, 0 on average for unrelated. */
  readonly ami: number;
  /** Normalised mutual information, arithmetic normalisation, 0 to 1; not adjusted for chance. */
  readonly nmi: number;
  /** Variation of information in nats: 0 for equal partitions. */
  readonly vi: number;
  /** Element-centric similarity: 1 for equal partitions; not adjusted for chance. */
  readonly elementCentric: number;
}

/** Agreement among shuffled labels; large values are extreme. */
export interface ShuffleTest {
  readonly ami: QualityTest;
  readonly ari: QualityTest;
}

/** A comparison with p-values; in a layer without units that both put in a cluster all are NaN. */
export interface TestedComparison {
  readonly shuffles: number;
  readonly overall: Agreement & {
    /** Labels shuffled within layers: agreement beyond what the layers explain. */
    readonly withinLayers: ShuffleTest;
    /** Labels shuffled over all units. */
    readonly freely: ShuffleTest;
  };
  readonly layers: readonly (Agreement & { readonly name: string; readonly shuffled: ShuffleTest })[];
}

/** Modularity of a graph's own and of another partition, on the nodes that both put in a cluster. */
export interface Transfer {
  readonly nodes: number;
  readonly own: number;
  readonly other: number;
  /** other / own; NaN where the own partition has no modularity to share. */
  readonly ratio: number;
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
