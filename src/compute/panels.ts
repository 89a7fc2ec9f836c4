/**
 * Where the vectors of the eigensolver live: a store of `capacity` vectors of length `size`, numbered from 0, on which
 * the few dense operations of a block Krylov method are done. The solver only ever sees the small products, so the
 * vectors may be in main memory or on a GPU.
 */
export interface PanelStore {
  readonly size: number;
  readonly capacity: number;
  /** Overwrites vectors from `start` on; `vectors` is count x size. */
  write(start: number, vectors: Float32Array): Promise<void>;
  /** Copies `count` vectors out, count x size. */
  read(start: number, count: number): Promise<Float32Array>;
  /** Vectors target ... = operator times vectors source ...; the ranges do not overlap. */
  applyOperator(source: number, target: number, count: number): Promise<void>;
  /** Inner products of two ranges, aCount x bCount, row-major. */
  gram(a: number, aCount: number, b: number, bCount: number): Promise<Float64Array>;
  /**
   * Vectors target ... = (the same, if `isAdded`, plus) coefficients (targetCount x sourceCount) times vectors
   * source ...; the ranges may overlap.
   */
  combine(
    coefficients: Float64Array,
    source: number,
    sourceCount: number,
    target: number,
    targetCount: number,
    isAdded: boolean,
  ): Promise<void>;
}
