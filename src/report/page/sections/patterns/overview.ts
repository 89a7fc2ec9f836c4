/** All layers at a glance: how much of the inputs is in patterns, and how well these stand up. */
import * as Plot from "@observablehq/plot";
import type { PatternLayer } from "../../../patterns-document.ts";
import { dataTable, type TableHead } from "../../data-table.ts";
import { h } from "../../dom.ts";
import { figure } from "../../figure.ts";
import { count, decimals, percent } from "../../format.ts";
import { layerLabels } from "../../layer-labels.ts";
import { nameDrawing } from "../../name-drawing.ts";
import { drawByWidth } from "../../responsive.ts";
import { shareBar } from "../../share-bar.ts";
import { meanPurity } from "./sentences.ts";

interface Point {
  readonly at: number;
  readonly layer: string;
  readonly measure: string;
  readonly value: number;
}

const MEASURES: readonly {
  readonly name: string;
  readonly symbol: "circle" | "square" | "triangle";
  readonly value: (found: PatternLayer) => number | null;
}[] = [
  {
    name: "in a pattern",
    symbol: "circle",
    value: ({ noise }) => (noise === null ? null : 1 - noise),
  },
  { name: "AMI with classes", symbol: "square", value: ({ ami }) => ami?.withNoise ?? null },
  { name: "stability", symbol: "triangle", value: ({ stability }) => stability?.ami ?? null },
];

/** Share in patterns, agreement with the classes, and stability, layer by layer. */
export function depthFigure(layers: readonly PatternLayer[]): HTMLElement | null {
  if (layers.length < 2) return null;
  const points = layers.flatMap((found, at) =>
    MEASURES.flatMap(({ name, value }): Point[] => {
      const amount = value(found);
      return amount === null ? [] : [{ at, layer: found.layer, measure: name, value: amount }];
    }),
  );
  const box = h("div");
  drawByWidth(box, (width) => depthPlot(layers, points, Math.min(width, 760)));
  return figure(box, {
    name: "patterns-by-layer",
    caption:
      "By layer, in the network's order: share of the inputs in a pattern (circles), agreement of the patterns with the classes (squares; AMI, inputs in no pattern as one group), and agreement of the patterns of two random parts of the inputs (triangles; AMI). 0 is chance or nothing, 1 all.",
  });
}

function depthPlot(layers: readonly PatternLayer[], points: readonly Point[], width: number): Element {
  const label = layerLabels(layers.map(({ layer }) => layer));
  const shown = MEASURES.filter(({ name }) => points.some(({ measure }) => measure === name));
  const room = (width - 150) / Math.max(1, layers.length);
  const isTilted = room < 64;
  const ends = spread(
    shown.map(({ name }) => {
      const last = points.findLast(({ measure }) => measure === name);
      return { name, at: last?.at ?? 0, value: last?.value ?? 0 };
    }),
    0.09,
  );
  const plot = Plot.plot({
    width,
    height: isTilted ? 300 : 250,
    marginLeft: 44,
    marginRight: 118,
    marginBottom: isTilted ? 84 : 32,
    style: { fontSize: "13px", background: "transparent" },
    x: {
      type: "point",
      domain: layers.map((_, at) => at),
      label: null,
      tickFormat: (at: number) => label(layers[at]?.layer ?? "", isTilted ? 12 : Math.floor(room / 7.5)),
      tickRotate: isTilted ? -45 : 0,
      ticks: layers.map((_, at) => at).filter((at) => at % Math.ceil(layers.length / 24) === 0),
      tickSize: 3,
    },
    y: { domain: [0, 1], grid: true, label: null, ticks: 5, clamp: true },
    symbol: { domain: shown.map(({ name }) => name), range: shown.map(({ symbol }) => symbol) },
    marks: [
      Plot.lineY(points, {
        x: "at",
        y: "value",
        z: "measure",
        stroke: "currentColor",
        strokeWidth: 1.25,
        strokeOpacity: 0.55,
      }),
      Plot.dot(points, {
        x: "at",
        y: "value",
        symbol: "measure",
        fill: "var(--accent)",
        r: 5,
        title: ({ layer, measure, value }: Point) => `${layer}: ${measure} ${decimals(value, 2)}`,
      }),
      Plot.text(ends, {
        x: "at",
        y: "value",
        text: "name",
        dx: 12,
        textAnchor: "start",
        fontSize: 13,
        fill: "currentColor",
      }),
    ],
  });
  nameDrawing(
    plot,
    `Patterns by layer: ${shown
      .map(({ name }) => `${name} ${range(points.filter(({ measure }) => measure === name))}`)
      .join("; ")}`,
  );
  return plot;
}

interface End {
  readonly name: string;
  readonly at: number;
  readonly value: number;
}

/** Names of lines that end close together are moved apart. */
function spread(ends: readonly End[], least: number): End[] {
  const sorted = [...ends].sort((a, b) => a.value - b.value);
  let last = Number.NEGATIVE_INFINITY;
  const up = sorted.map((end) => {
    last = Math.max(end.value, last + least);
    return { ...end, value: last };
  });
  const over = Math.max(0, last - 1);
  return up.map((end) => ({ ...end, value: end.value - over }));
}

const range = (points: readonly Point[]): string => {
  const values = points.map(({ value }) => value);
  return `${decimals(Math.min(...values), 2)} to ${decimals(Math.max(...values), 2)}`;
};

/** The same and more as a table; a layer's name shows its patterns. */
export function layerTable(layers: readonly PatternLayer[], onShow: (at: number) => void): HTMLElement {
  const label = layerLabels(layers.map(({ layer }) => layer));
  const [first] = layers;
  const [all, half] = first?.counts ?? [];
  const heads: TableHead[] = [
    { text: "layer", title: "Show its patterns", isText: true },
    { text: all ? `patterns at ${count(all.inputs)}` : "patterns", title: "Number of patterns" },
    ...(half
      ? [{ text: `at ${count(half.inputs)}`, title: "Number of patterns at half of the inputs" }]
      : []),
    { text: "in none", title: "Share of the inputs in no pattern (noise)" },
    { text: "AMI", title: "Agreement with the classes; inputs in no pattern are one group" },
    { text: "purity", title: "Mean share of a pattern's largest class, by inputs" },
    {
      text: "by chance",
      title: "Mean number of patterns where each unit's values are permuted over the inputs",
    },
    { text: "z", title: "How many standard deviations the number is above chance; – where no draw differs" },
    { text: "stability", title: "Agreement of the patterns of two random parts of the inputs (AMI)" },
    { text: "kept", title: "Share of inputs in patterns that stay there under noise" },
    { text: "verdict", isText: true },
  ];
  return dataTable(
    "Patterns by layer",
    heads,
    layers.map((found, at) => [
      h(
        "button",
        { class: "link", type: "button", title: found.layer, onclick: () => onShow(at) },
        label(found.layer, 28),
      ),
      count(found.count),
      ...(half ? [count(found.counts[1]?.patterns)] : []),
      h("span", { class: "with-bar" }, percent(found.noise, 0), shareBar(found.noise, "soft")),
      decimals(found.ami?.withNoise, 2),
      decimals(meanPurity(found), 2),
      decimals(found.permuted?.patterns.mean, 1),
      decimals(found.permuted?.patterns.z, 1),
      decimals(found.stability?.ami, 2),
      percent(found.noiseAgreement?.kept, 0),
      found.continuum.length > 0
        ? h("span", { class: "continuum" }, "◌ continuous")
        : h("span", { class: "discrete" }, "● discrete"),
    ]),
  );
}
