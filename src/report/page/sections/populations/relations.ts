/** Rank correlations of what is known of units with what their lesions do. */
import type { RelationEntry } from "../../../populations-document.ts";
import { dataTable } from "../../data-table.ts";
import { type Child, h } from "../../dom.ts";
import { layerLabels } from "../../layer-labels.ts";
import { withInterval } from "./sentences.ts";

interface Column {
  readonly text: string;
  readonly title: string;
  /** First, second and what is held fixed; null where a kind of lesion has no such relation. */
  readonly of: (kind: string) => readonly [string, string, string | null] | null;
}

export function relationTable(relations: readonly RelationEntry[], kinds: readonly string[]): HTMLElement {
  const columns: Column[] = [
    {
      text: "magnitude",
      title: "Mean absolute output",
      of: (kind) => ["magnitude", `lossImpact ${kind}`, null],
    },
    {
      text: "class selectivity",
      title: "Index of class means; nearly the inverse of magnitude, so the two are one finding",
      of: (kind) => ["selectivity", `lossImpact ${kind}`, null],
    },
    { text: "AUROC", title: "Of its best class", of: (kind) => ["auroc", `lossImpact ${kind}`, null] },
    {
      text: "AUROC, magnitude fixed",
      title: "Partial rank correlation",
      of: (kind) => ["auroc", `lossImpact ${kind}`, "magnitude"],
    },
    {
      text: "sparseness",
      title: "Lifetime sparseness",
      of: (kind) => ["sparseness", `lossImpact ${kind}`, null],
    },
    {
      text: "accuracy impact",
      title: "Of the same lesion",
      of: (kind) => [`accuracyImpact ${kind}`, `lossImpact ${kind}`, null],
    },
    ...(kinds.length < 2
      ? []
      : [
          {
            text: `impact by ${kinds[0]}`,
            title: "How alike two kinds of lesion rank the units",
            of: (kind: string) =>
              kind === kinds[0] ? null : ([`lossImpact ${kinds[0]}`, `lossImpact ${kind}`, null] as const),
          },
        ]),
  ];
  const layers = [...new Set(relations.map(({ layer }) => layer))];
  const label = layerLabels(layers.flatMap((layer) => layer ?? []));
  return dataTable(
    "Spearman's correlation with loss impact",
    [
      { text: "layer", isText: true },
      { text: "lesion", isText: true },
      ...columns.map(({ text, title }) => ({ text, title })),
    ],
    layers.flatMap((layer) =>
      kinds.map((kind) => [
        layer === null ? "all, within each" : h("span", { title: layer }, label(layer, 28)),
        kind,
        ...columns.map(({ of }): Child => {
          const wanted = of(kind);
          return wanted === null ? "" : cell(find(relations, layer, wanted));
        }),
      ]),
    ),
  );
}

const find = (
  relations: readonly RelationEntry[],
  layer: string | null,
  [first, second, given]: readonly [string, string, string | null],
): RelationEntry | undefined =>
  relations.find(
    (relation) =>
      relation.layer === layer &&
      relation.first === first &&
      relation.second === second &&
      relation.given === given,
  );

/** Bold where the interval leaves 0 out. */
function cell(relation: RelationEntry | undefined): Child {
  if (relation === undefined) return "–";
  const [low, high] = relation.interval;
  const text = withInterval(relation.rho, relation.interval);
  const isBeyond = low !== null && high !== null && (low > 0 || high < 0);
  return isBeyond ? h("strong", {}, text) : text;
}
