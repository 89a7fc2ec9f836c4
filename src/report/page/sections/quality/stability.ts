/** How much of the partition stays when seeds, inputs or settings change. */
import * as Plot from "@observablehq/plot";
import type { StabilityRow } from "../../../../partition/partition.ts";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { figure } from "../../figure.ts";
import { count, decimals, percent, plural } from "../../format.ts";
import { shorten } from "../../names.ts";
import { plotWidth } from "../../plot-width.ts";
import { missing } from "./missing.ts";
import { plainTable } from "./nulls.ts";
import { stabilityName, stabilitySentence } from "./texts.ts";

/** Layers that are drawn. */
const MOST_LAYERS = 24;
const BINS = 20;

export function stability(context: Context): HTMLElement {
  const { quality, coAssignment } = context.data.partition;
  const found = quality?.stability;
  if (found === undefined) {
    return missing(
      "Whether other seeds and inputs give the same clusters was not measured.",
      "--stability 10",
    );
  }
  const layers = layersOf(context);
  const units = layers.reduce((sum, { shares }) => sum + shares.length, 0);
  return h(
    "div",
    {},
    h("p", {}, stabilitySentence(found, units)),
    plainTable(
      "Agreement when something changes",
      ["what changed", "AMI", "lowest", "element-centric", "clusters"],
      found.rows.map(rowTexts),
    ),
    coAssignment === null ? null : distribution(layers, found.threshold),
  );
}

const rowTexts = ({ name, runs, ami, leastAmi, elementCentric, clusters }: StabilityRow): string[] => [
  stabilityName(name, runs),
  decimals(ami, 2),
  decimals(leastAmi, 2),
  decimals(elementCentric, 2),
  decimals(clusters, Number.isInteger(clusters) ? 0 : 1),
];

interface LayerShares {
  readonly name: string;
  readonly shares: readonly number[];
}

/** The shares of units that are in a cluster, by layer. */
function layersOf({ data: { graph, partition } }: Context): LayerShares[] {
  return graph.layers.flatMap(({ name }, layer) => {
    const shares = (partition.coAssignment?.[layer] ?? []).filter((share) => share !== null);
    return shares.length > 0 ? [{ name, shares }] : [];
  });
}

function distribution(layers: readonly LayerShares[], threshold: number): HTMLElement {
  const shown = layers.slice(0, MOST_LAYERS);
  const bars = shown.flatMap(({ shares }, layer) => histogram(shares, layer, threshold));
  const width = plotWidth(560);
  const unstable = ({ shares }: LayerShares) => shares.filter((share) => share < threshold).length;
  const chart = Plot.plot({
    width,
    marginBottom: 44,
    height: 64 + 44 * shown.length,
    marginLeft: 20,
    marginRight: Math.min(210, width * 0.46),
    style: { fontSize: "13px", background: "transparent" },
    ariaLabel: `How often units stay with their cluster, by layer: ${shown.map((layer) => `${layer.name}: ${unstable(layer)} of ${layer.shares.length} below ${percent(threshold, 0)}`).join("; ")}`,
    x: {
      label: "share of runs in which a unit stays",
      domain: [0, 1],
      tickFormat: "%",
      ticks: 5,
      labelOffset: 34,
      labelAnchor: "left",
      labelArrow: "none",
    },
    y: { axis: null, domain: [0, 1] },
    fy: {
      label: null,
      axis: "right",
      domain: shown.map((_, layer) => layer),
      tickFormat: (layer: number) => {
        const own = shown[layer];
        return own
          ? `${shorten(own.name, width < 500 ? 12 : 20)}  ${count(unstable(own))} / ${count(own.shares.length)}`
          : "";
      },
    },
    marks: [
      Plot.rect(bars, {
        fy: "layer",
        x1: "from",
        x2: "to",
        y1: 0,
        y2: "height",
        fill: "currentColor",
        fillOpacity: ({ isStable }: Bar) => (isStable ? 0.75 : 0.3),
        insetLeft: 0.5,
        insetRight: 0.5,
      }),
      Plot.ruleY([0], { strokeOpacity: 0.3 }),
      Plot.ruleX([threshold], { stroke: "var(--accent)", strokeWidth: 2 }),
    ],
  });
  const left = layers.length - shown.length;
  return figure(chart, {
    name: "co-assignment",
    caption: `How often each unit stays with its cluster, by layer; left of the line (${percent(threshold, 0)}) it is unstable: beside each layer, unstable / all units.${left > 0 ? ` ${plural(left, "layer")} more in units.csv.` : ""}`,
  });
}

interface Bar {
  readonly layer: number;
  readonly from: number;
  readonly to: number;
  /** Of the layer's fullest bin. */
  readonly height: number;
  readonly isStable: boolean;
}

function histogram(shares: readonly number[], layer: number, threshold: number): Bar[] {
  const counts = new Array<number>(BINS).fill(0);
  for (const share of shares) {
    const bin = Math.min(BINS - 1, Math.max(0, Math.floor(share * BINS + 1e-9)));
    counts[bin] = (counts[bin] as number) + 1;
  }
  const most = Math.max(...counts);
  return counts.flatMap((units, bin) =>
    units === 0
      ? []
      : [
          {
            layer,
            from: bin / BINS,
            to: (bin + 1) / BINS,
            height: units / most,
            isStable: bin / BINS >= threshold - 1e-9,
          },
        ],
  );
}
