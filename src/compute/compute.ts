import type { RunOptions } from "../progress.ts";
import type { Rng } from "../statistics/rng.ts";

/**
 * A part of a symmetric, non-negative matrix with zero diagonal. Row and column ranges are in the numbering of
 * the whole matrix; a matrix is the sum of its blocks, which do not overlap.
 */
export type SymmetricBlock =
  | {
      /** Dense rows x columns, row-major, off the diagonal; its transpose is implied. */
      readonly shape: "between";
      readonly rowStart: number;
      readonly rowCount: number;
      readonly columnStart: number;
      readonly columnCount: number;
      readonly values: Float32Array;
    }
  | {
      /** Dense symmetric count x count on the diagonal, both triangles stored. */
      readonly shape: "within";
      readonly start: number;
      readonly count: number;
      readonly values: Float32Array;
    }
  | {
      /** The rows start ... start + count - 1 in CSR, columns ascending, both triangles stored. */
      readonly shape: "sparse";
      readonly start: number;
      readonly count: number;
      readonly rowStart: Int32Array;
      /** Column numbers, counted from `start`. */
      readonly column: Int32Array;
      readonly weight: Float32Array;
    };

/** A symmetric matrix of the given size as blocks. */
export interface SymmetricMatrix {
  readonly size: number;
  readonly blocks: readonly SymmetricBlock[];
}

/** Kernel of one weight-bearing operator: outputs x inputs x taps, row-major. */
export interface Kernel {
  readonly outputs: number;
  readonly inputs: number;
  readonly taps: number;
  readonly values: Float32Array;
}

export type CorrelationMethod = "spearman" | "pearson";

/** The angle between rows is in radians, and a right one between a row of zeros and any other. */
export type DistanceMetric = "euclidean" | "arccos";

/** Squared correlations of units, units x units, both triangles, zero diagonal; dead units have zero rows. */
export interface Correlations {
  readonly units: number;
  readonly values: Float32Array;
  /** 1 where a unit's values do not vary (or are not finite). */
  readonly isDead: Uint8Array;
}

/** One layer's outputs over a few inputs, as a network's run gives them. */
export interface UnitBatch {
  /** At least `rows` x positions, row-major: floats, or a buffer on the `GPUDevice` of a WebGPU compute. */
  readonly values: Float32Array | GPUBuffer;
  /** Inputs that count, from the first; a network of fixed batch size may give more. */
  readonly rows: number;
  /** Unit of the layer at each position, -1 where there is none. Pass the same array for the same layer. */
  readonly index: Int32Array;
  /** Whether a unit is the sum of the absolute values at its positions; else it is its value. */
  readonly isSummed: boolean;
  /** Row of the layer's unit 0, and column of the first input. */
  readonly firstUnit: number;
  readonly firstSample: number;
}

/**
 * Gathers one number per unit and input, batch by batch, where the compute that made it needs them: rows for its
 * `correlations` and `topCorrelations`, in place of an array and scratch space like one.
 */
export interface UnitRecorder {
  readonly units: number;
  readonly samples: number;
  /** Records a batch; its values may be overwritten or destroyed afterwards. */
  append(batch: UnitBatch): Promise<void>;
  /** Frees its memory. */
  dispose(): void;
}

/** The largest squared correlations of every unit with others. */
export interface TopCorrelations {
  readonly units: number;
  /** Entries per unit: as many as asked for, or units - 1 where there are no more. */
  readonly k: number;
  /** units x k, largest first; 0 behind a unit's last positive one, throughout for dead units. */
  readonly values: Float32Array;
  /** The other unit of each value, the smaller one first where values are equal; -1 where there is none. */
  readonly columns: Int32Array;
  /** 1 where a unit's values do not vary (or are not finite). */
  readonly isDead: Uint8Array;
}

/** Leading eigenpairs of D^-1/2 A D^-1/2, in descending order of eigenvalue. */
export interface Eigenpairs {
  /** k values. */
  readonly values: Float64Array;
  /** size x k, row-major, orthonormal columns. */
  readonly vectors: Float32Array;
  /** Largest residual norm |A v - lambda v|. */
  readonly residual: number;
  /** Products with the whole matrix that it took (each with one block of vectors). */
  readonly products: number;
}

export interface KmeansResult {
  /** A cluster id for each point. */
  readonly labels: Int32Array;
  /** Sum of squared distances to the centres. */
  readonly inertia: number;
}

/**
 * The numeric kernels of Brodmann; one implementation runs on the CPU, one on WebGPU.
 * Callers never ask which implementation they have.
 */
export interface Compute {
  readonly device: "cpu" | "webgpu";
  /** Entrywise L1 or L2 norm of each kernel slice: outputs x inputs. */
  kernelNorms(kernel: Kernel, norm: "l1" | "l2"): Promise<Float32Array>;
  /** A recorder of so many units over so many inputs, for this compute alone. */
  recorder(units: number, samples: number): UnitRecorder;
  /**
   * Squared correlations of the rows of `values` (units x samples, row-major). `values` is scratch space: what it holds
   * afterwards is undefined, so that a second array of its size is never needed.
   */
  correlations(
    values: Float32Array | UnitRecorder,
    units: number,
    samples: number,
    method: CorrelationMethod,
    options?: RunOptions,
  ): Promise<Correlations>;
  /**
   * The k largest squared correlations of every unit, without a matrix of units x units anywhere: what is kept of it is
   * units x k. `values` is scratch space as in `correlations`.
   */
  topCorrelations(
    values: Float32Array | UnitRecorder,
    units: number,
    samples: number,
    method: CorrelationMethod,
    k: number,
    options?: RunOptions,
  ): Promise<TopCorrelations>;
  /**
   * Distances between the rows of `values` (count x width, row-major), count x count, both triangles, zero diagonal. Right
   * to 1e-3 of each, and 0 for equal rows. Throws `E_INPUT_VALUE` for values that are not finite.
   */
  distances(
    values: Float32Array,
    count: number,
    width: number,
    metric: DistanceMetric,
    options?: RunOptions,
  ): Promise<Float32Array>;
  /** Row sums of a symmetric matrix. */
  degrees(matrix: SymmetricMatrix): Promise<Float64Array>;
  /** The k leading eigenpairs of D^-1/2 A D^-1/2; every degree must be positive. */
  spectralEmbedding(matrix: SymmetricMatrix, k: number, rng: Rng, options?: RunOptions): Promise<Eigenpairs>;
  /**
   * k-means with `restarts` k-means++ seedings of `points` (count x dimensions). Gives the `kept` best different
   * solutions (or fewer), lowest inertia first.
   */
  kmeans(
    points: Float32Array,
    dimensions: number,
    k: number,
    restarts: number,
    kept: number,
    rng: Rng,
    options?: RunOptions,
  ): Promise<readonly KmeansResult[]>;
  /**
   * Weight inside each cluster (both directions) and volume of each cluster, for labels 0 ... clusters - 1. Nodes of
   * label -1 are left out together with their edges.
   */
  clusterWeights(
    matrix: SymmetricMatrix,
    labels: Int32Array,
    clusters: number,
  ): Promise<{ readonly inside: Float64Array; readonly volume: Float64Array }>;
  dispose(): Promise<void>;
}
