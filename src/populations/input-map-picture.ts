/** The map of inputs as a picture: a panel for each of the populations that matter most, its lesion's states as colours. */
import { formatCsv } from "../scores/csv.ts";
import { STATES } from "./correctness.ts";
import type { InputMap } from "./input-map.ts";
import type { ImpactFindings } from "./population-settings.ts";

/** A panel: what was lesioned, and the state of every input. */
export interface MapPanel {
  readonly title: string;
  readonly subtitle: string;
  /** All inputs, not only the mapped ones. */
  readonly states: Uint8Array;
}

/** Panels of the picture, and of the table, at the most. */
export const PANELS = 6;

/** Colours that all kinds of colour vision tell apart (Okabe & Ito 2008); size and shape tell the states as well. */
const LOOKS: readonly {
  readonly state: number;
  readonly colour: string;
  readonly size: number;
  readonly cap: string;
}[] = [
  { state: 1, colour: "#c9c9c9", size: 2.4, cap: "round" },
  { state: 4, colour: "#6b6b6b", size: 2.4, cap: "round" },
  { state: 2, colour: "#0072b2", size: 4, cap: "square" },
  { state: 0, colour: "#d55e00", size: 5, cap: "round" },
];

const SIDE = 260;
const GAP = 24;
const HEAD = 44;
const PER_ROW = 3;
const LEGEND = 36;

/** The populations whose lesions cost most loss, as panels. */
export function mapPanels({ groups, kinds }: ImpactFindings): MapPanel[] {
  const [lesion = "zero"] = kinds;
  return [...groups]
    .filter(({ lossImpact }) => Number.isFinite(lossImpact))
    .sort((a, b) => b.lossImpact - a.lossImpact)
    .slice(0, PANELS)
    .map(({ kind, layer, population, units, states, stateCounts }) => ({
      title: `${layer}, ${kind} ${population}`,
      subtitle: `${units.length} units by ${lesion}: ${stateCounts[0]} lost, ${stateCounts[2]} gained`,
      states,
    }));
}

/**
 * The picture as SVG. Texts come from model files, so all of them are escaped. `names` are those of the classes.
 *
 * @example
 * await writeFile("input-map.svg", drawInputMap(map, digits.labels, mapPanels(impact), null));
 */
export function drawInputMap(
  map: InputMap,
  labels: Int32Array,
  panels: readonly MapPanel[],
  names: readonly string[] | null,
): string {
  const columns = Math.max(1, Math.min(PER_ROW, panels.length));
  const rows = Math.ceil(panels.length / PER_ROW);
  const width = columns * (SIDE + GAP) + GAP;
  const height = rows * (SIDE + HEAD + GAP) + LEGEND + GAP;
  const places = classPlaces(map, labels);
  const drawn = panels.map((panel, number) => {
    const left = GAP + (number % PER_ROW) * (SIDE + GAP);
    const top = GAP + Math.floor(number / PER_ROW) * (SIDE + HEAD + GAP);
    return drawPanel(panel, map, places, names, left, top);
  });
  const style =
    "text{font-family:system-ui,sans-serif;fill:#222}.title{font-size:13px;font-weight:600}.sub,.legend{font-size:11px}.class{font-size:12px;font-weight:600;paint-order:stroke;stroke:#fff;stroke-width:3px;text-anchor:middle}";
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    "<title>Inputs that lesions of populations take</title>",
    `<desc>${map.inputs.length} inputs placed by likeness (UMAP), the same in every panel; coloured by what the lesion of a population does to them.</desc>`,
    `<style>${style}</style>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    ...drawn,
    drawLegend(GAP, height - LEGEND),
    "</svg>",
    "",
  ].join("\n");
}

function drawPanel(
  { title, subtitle, states }: MapPanel,
  map: InputMap,
  places: ReadonlyMap<number, readonly [number, number]>,
  names: readonly string[] | null,
  left: number,
  top: number,
): string {
  const inset = 8;
  const at = (share: number) => (inset + share * (SIDE - 2 * inset)).toFixed(1);
  const dots = LOOKS.map(({ state, colour, size, cap }) => {
    const steps: string[] = [];
    map.inputs.forEach((input, i) => {
      if (states[input] !== state) return;
      steps.push(`M${at(map.x[i] as number)} ${at(map.y[i] as number)}h0`);
    });
    const path = `<path d="${steps.join("")}" stroke="${colour}" stroke-width="${size}" stroke-linecap="${cap}" fill="none"/>`;
    return steps.length === 0 ? "" : path;
  });
  const classes = Array.from(
    places,
    ([label, [x, y]]) =>
      `<text class="class" x="${at(x)}" y="${at(y)}" dy="4">${escapeXml(shorten(names?.[label] ?? String(label), 12))}</text>`,
  );
  return [
    `<g transform="translate(${left} ${top})">`,
    `<text class="title" y="12">${escapeXml(shorten(title, 36))}</text>`,
    `<text class="sub" y="30">${escapeXml(subtitle)}</text>`,
    `<g transform="translate(0 ${HEAD})">`,
    `<rect width="${SIDE}" height="${SIDE}" fill="none" stroke="#ddd"/>`,
    ...dots.filter((path) => path !== ""),
    ...classes,
    "</g></g>",
  ].join("\n");
}

function drawLegend(left: number, top: number): string {
  const entries = [...LOOKS].reverse().map(({ state, colour, size, cap }, number) => {
    const x = number * 110 + 8;
    return `<path d="M${x} 0h0" stroke="${colour}" stroke-width="${size * 1.6}" stroke-linecap="${cap}" fill="none"/><text class="legend" x="${x + 10}" y="4">${STATES[state]}</text>`;
  });
  return `<g transform="translate(${left} ${top})">${entries.join("")}</g>`;
}

/** Where each class is written: the median of its inputs. */
function classPlaces({ inputs, x, y }: InputMap, labels: Int32Array): Map<number, readonly [number, number]> {
  const members = new Map<number, number[]>();
  inputs.forEach((input, i) => {
    const label = labels[input] as number;
    members.set(label, [...(members.get(label) ?? []), i]);
  });
  const median = (values: Float64Array, some: readonly number[]): number =>
    some.map((i) => values[i] as number).sort((a, b) => a - b)[Math.floor(some.length / 2)] as number;
  return new Map(
    [...members]
      .sort(([a], [b]) => a - b)
      .map(([label, some]) => [label, [median(x, some), median(y, some)]]),
  );
}

/** `input-map.csv`: a row for each mapped input, and what every population's lesion does to it. */
export function formatInputMap(map: InputMap, labels: Int32Array, impact: ImpactFindings | null): string {
  const groups = impact?.groups ?? [];
  return formatCsv([
    [
      "input",
      "label",
      "x",
      "y",
      ...groups.map(({ layer, kind, population }) => `${layer} ${kind} ${population}`),
    ],
    ...Array.from(map.inputs, (input, i) => [
      input,
      labels[input] as number,
      short(map.x[i] as number),
      short(map.y[i] as number),
      ...groups.map(({ states }) => STATES[states[input] as number] as string),
    ]),
  ]);
}

const short = (value: number): number => Number(value.toFixed(5));

function shorten(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}

/** Text that means nothing to a reader of XML; characters that XML cannot hold become a replacement. */
function escapeXml(text: string): string {
  const words: Readonly<Record<string, string>> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "'": "&#39;",
  };
  return Array.from(text, (letter) => {
    const code = letter.codePointAt(0) as number;
    const isValid = code === 9 || code === 10 || code === 13 || (code >= 32 && (code & 0xfffe) !== 0xfffe);
    const isHalf = code >= 0xd800 && code <= 0xdfff;
    return isValid && !isHalf ? (words[letter] ?? letter) : "\uFFFD";
  }).join("");
}
