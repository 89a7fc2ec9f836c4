/**
 * Draws `demo.svg`: the hidden units of the embedded network coloured by cluster, and what the network loses when each
 * subcluster is lesioned, beside what random sets of its size cost.
 *
 * Run: npx tsx examples/make-picture.ts
 */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import {
  analyze,
  loadDataset,
  loadNetwork,
  type Partition,
  type SubclusterImportance,
} from "../src/index.ts";

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Sixteen hues that stay apart in the common kinds of colour blindness when they stand side by side with gaps. */
const COLOURS = [
  ..."#0072b2 #e69f00 #009e73 #cc79a7 #56b4e9 #d55e00 #b8a500 #7a5195".split(" "),
  ..."#003f5c #f4a6a6 #00635a #8c510a #a6cee3 #636363 #66a61e #bc5090".split(" "),
];
const WIDTH = 960;
const ROW_HEIGHT = 128;
const TOP = 92;
const DOTS_PER_ROW = 43;
const DOT_STEP = 10;
const BARS_LEFT = 560;
const BARS_WIDTH = 370;

const network = await loadNetwork(here("mnist-mlp.onnx"));
const digits = await loadDataset(here("mnist-digits.npz"));
const { partition, importance } = await analyze(network, digits, {
  kind: "activations",
  seed: 0,
  scores: ["importance"],
});
if (importance === null) throw new Error("no importance");
const layers = partition.layers.map(({ name }) => name);
const worst = Math.max(...importance.subclusters.map(({ damage }) => damage.lossIncrease));
const p = importance.network.loss.permutationP;
const text = (x: number, y: number, size: number, content: string, more = "") =>
  `<text x="${x}" y="${y}" font-size="${size}" ${more}>${content}</text>`;

const rows = layers.map((name, row) => {
  const top = TOP + row * ROW_HEIGHT;
  return [
    text(24, top - 8, 13, name, 'font-weight="600"'),
    ...unitDots(partition, row, top),
    ...lossBars(
      importance.subclusters.filter(({ layer }) => layer === name),
      top,
    ),
  ].join("\n");
});
const height = TOP + layers.length * ROW_HEIGHT + 12;
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" fill="#222">
<title>The functional areas of an MNIST network, and what lesions of them cost</title>
<rect width="${WIDTH}" height="${height}" rx="10" fill="#ffffff"/>
${text(24, 34, 18, "The functional areas of an MNIST network", 'font-weight="600"')}
${text(24, 56, 13, "each dot a unit, coloured by cluster (correlated activations)", 'fill="#555"')}
${text(BARS_LEFT, 34, 14, "Loss when a cluster's units are lesioned", 'font-weight="600"')}
${text(BARS_LEFT, 56, 13, `line: random sets of that size; all together p = ${p.toPrecision(1)}`, 'fill="#555"')}
${rows.join("\n")}
</svg>
`;
await writeFile(here("demo.svg"), svg);

/** A layer's units, ordered by cluster, so that the clusters show as areas. */
function unitDots({ layers: labelled }: Partition, row: number, top: number): string[] {
  const labels = labelled[row]?.labels ?? new Int32Array();
  const order = Array.from(labels.keys()).sort(
    (a, b) => (labels[a] as number) - (labels[b] as number) || a - b,
  );
  return order.map((unit, place) => {
    const cluster = labels[unit] as number;
    const x = 30 + (place % DOTS_PER_ROW) * DOT_STEP;
    const y = top + 8 + Math.floor(place / DOTS_PER_ROW) * DOT_STEP * 1.4;
    const fill = cluster < 0 ? "#dddddd" : COLOURS[cluster % COLOURS.length];
    return `<circle cx="${x}" cy="${y.toFixed(1)}" r="4" fill="${fill}"><title>unit ${unit}, cluster ${cluster}</title></circle>`;
  });
}

/** One bar a subcluster: the loss its lesion adds; a line marks the mean of random sets. */
function lossBars(subclusters: readonly SubclusterImportance[], top: number): string[] {
  const base = top + 88;
  const scale = 84 / worst;
  const step = BARS_WIDTH / 16;
  const bars = subclusters.map(({ cluster, damage, verdicts, units }, place) => {
    const x = BARS_LEFT + place * step;
    const tall = Math.max(0, damage.lossIncrease) * scale;
    const random = base - Math.max(0, damage.lossIncrease - verdicts.loss.difference) * scale;
    const fill = COLOURS[cluster % COLOURS.length];
    return [
      `<rect x="${x.toFixed(1)}" y="${(base - tall).toFixed(1)}" width="${(step - 5).toFixed(1)}" height="${tall.toFixed(1)}" fill="${fill}"><title>cluster ${cluster}, ${units.length} units: loss ${damage.lossIncrease < 0 ? "" : "+"}${damage.lossIncrease.toFixed(3)}, p = ${verdicts.loss.p.toFixed(3)}</title></rect>`,
      `<line x1="${(x - 1).toFixed(1)}" x2="${(x + step - 4).toFixed(1)}" y1="${random.toFixed(1)}" y2="${random.toFixed(1)}" stroke="#222" stroke-width="1.5"/>`,
    ].join("");
  });
  return [
    `<line x1="${BARS_LEFT}" x2="${BARS_LEFT + BARS_WIDTH - 5}" y1="${base}" y2="${base}" stroke="#bbb"/>`,
    ...bars,
  ];
}
