/** Edges between two layers, earlier x later units; layers are numbers in the graph. */
export interface LayerEdges {
  readonly from: number;
  readonly to: number;
  readonly values: Float32Array;
}

/** Layers and edges that are clustered together, and the layers that take their labels from it. */
export interface LocalPart {
  readonly layers: readonly number[];
  readonly edges: readonly LayerEdges[];
  readonly keeps: readonly number[];
}

/**
 * The parts of a local weight graph (method note 3.5). In a chain of layers every interior layer is clustered
 * jointly with its two neighbours, and the first and last layer take their labels from the first and last triple.
 * In any other network every layer is clustered with all layers it is connected to, by the edges between it and
 * them only.
 */
export function localParts(layerCount: number, edges: readonly LayerEdges[]): LocalPart[] {
  const isChain = edges.length === layerCount - 1 && edges.every(({ from, to }) => to === from + 1);
  const centres = Array.from({ length: layerCount }, (_, layer) => layer);
  const interior = isChain && layerCount > 2 ? centres.slice(1, -1) : isChain ? [1] : centres;
  return interior.map((centre) => {
    const around = edges.filter(({ from, to }) => from === centre || to === centre);
    const layers = [...new Set([centre, ...around.flatMap(({ from, to }) => [from, to])])].sort(
      (a, b) => a - b,
    );
    const keeps = layers.filter(
      (layer) =>
        layer === centre ||
        (isChain && layer === 0 && centre === 1) ||
        (isChain && layer === layerCount - 1 && centre === layerCount - 2),
    );
    return { layers, edges: around, keeps };
  });
}
