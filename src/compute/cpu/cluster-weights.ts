import type { SymmetricMatrix } from "../compute.ts";

/**
 * Weight inside each cluster (both directions) and volume of each cluster, in float64. Nodes of label -1 are left
 * out together with their edges, so a volume counts edges to labelled nodes only.
 */
export function clusterWeights(
  matrix: SymmetricMatrix,
  labels: Int32Array,
  clusters: number,
): { inside: Float64Array; volume: Float64Array } {
  const inside = new Float64Array(clusters);
  const volume = new Float64Array(clusters);
  // One bin more than clusters takes what leads to unlabelled nodes.
  const bins = labels.map((label) => (label < 0 ? clusters : label));
  const weightTo = new Float64Array(clusters + 1);
  const close = (cluster: number, isTwoSided: boolean) => {
    for (let other = 0; other < clusters; other++) {
      const weight = weightTo[other] as number;
      volume[cluster] = (volume[cluster] as number) + weight;
      if (isTwoSided) volume[other] = (volume[other] as number) + weight;
    }
    const own = weightTo[cluster] as number;
    inside[cluster] = (inside[cluster] as number) + (isTwoSided ? 2 * own : own);
  };

  for (const block of matrix.blocks) {
    const rowFirst = block.shape === "between" ? block.rowStart : block.start;
    const rows = block.shape === "between" ? block.rowCount : block.count;
    for (let row = 0; row < rows; row++) {
      const cluster = bins[rowFirst + row] as number;
      if (cluster === clusters) continue;
      weightTo.fill(0);
      if (block.shape === "sparse") {
        const { start, rowStart, column, weight } = block;
        const end = rowStart[row + 1] as number;
        for (let at = rowStart[row] as number; at < end; at++) {
          const bin = bins[start + (column[at] as number)] as number;
          weightTo[bin] = (weightTo[bin] as number) + (weight[at] as number);
        }
        close(cluster, false);
      } else {
        // Of a block on the diagonal the upper triangle is enough: both directions are counted at once.
        const columns = block.shape === "between" ? block.columnCount : block.count;
        const columnFirst = block.shape === "between" ? block.columnStart : block.start;
        const { values } = block;
        const base = row * columns;
        for (let i = block.shape === "between" ? 0 : row + 1; i < columns; i++) {
          const bin = bins[columnFirst + i] as number;
          weightTo[bin] = (weightTo[bin] as number) + (values[base + i] as number);
        }
        close(cluster, true);
      }
    }
  }
  return { inside, volume };
}
