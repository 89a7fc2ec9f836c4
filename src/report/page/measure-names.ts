/** What the measures are called before people. */

/** A short name, and for sentences what a measure says of a subcluster's units: "they act alike". */
interface MeasureName {
  readonly label: string;
  readonly says: string;
}

const NAMES: Readonly<Record<string, MeasureName>> = {
  accuracy: { label: "accuracy", says: "cost more accuracy" },
  classRange: { label: "class range", says: "hit some classes more than others" },
  loss: { label: "loss", says: "raise the loss more" },
  meanCorrelation: { label: "correlation of pairs", says: "act alike over the inputs" },
  leadingShare: { label: "common direction", says: "vary along one direction" },
  silhouette: { label: "silhouette", says: "are closer to each other than to other subclusters" },
  profileCosine: { label: "preferred classes", says: "prefer the same classes" },
  classAuroc: { label: "class detection", says: "tell one class from the rest" },
  impactCosine: { label: "served classes (accuracy)", says: "serve the accuracy of the same classes" },
  lossImpactCosine: { label: "served classes (loss)", says: "lower the loss of the same classes" },
  downstreamCosine: { label: "push on the answers", says: "push the network's answers alike" },
  labelCka: { label: "order by label", says: "arrange the inputs as their labels do" },
  purity: { label: "purity of top inputs", says: "are driven most by inputs of one class" },
  score: { label: "image score", says: "answer to one image" },
  entropy: { label: "image entropy", says: "mean a class to the network by that image" },
};

/** The short name of a measure; a measure that we do not know keeps its own. */
export const measureLabel = (measure: string): string => NAMES[measure]?.label ?? measure;

/** Ends the sentence "lesions of them ..." (importance) or "their units ..." (coherence). */
export const measureSays = (measure: string): string => NAMES[measure]?.says ?? `stand out by ${measure}`;

/** What a row of importance asks; those of coherence bring their meaning in the document. */
export const IMPORTANCE_MEANINGS: Readonly<Record<string, string>> = {
  accuracy: "how far the mean class accuracy falls when a subcluster is silenced",
  classRange: "whether silencing a subcluster hits some classes much more than others",
  loss: "how much the loss rises when a subcluster is silenced",
};
