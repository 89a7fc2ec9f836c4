/** Importance against coherence, one mark a subcluster; along its layer where only one of them was scored. */
import * as Plot from "@observablehq/plot";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { digits, formatP, plural, shorten } from "../../format.ts";
import type { MeasureChoice, Reading, Scale } from "../../measures.ts";
import { nameDrawing } from "../../name-drawing.ts";
import { points } from "./columns.ts";
import { symbolsOf } from "./legend.ts";
import { movable } from "./movable.ts";
import { chanceBand, type Mark, type PictureView } from "./places.ts";

/** Marks up to which every one has its number beside it and the spread of its null. */
const MOST_LABELLED = 100;
/** The same where the picture is narrow. */
const MOST_LABELLED_NARROW = 40;

/** Draws the marks; hovering and focus tell their numbers, a click selects the cluster. */
export function drawPicture(
  context: Context,
  marks: readonly Mark[],
  view: PictureView,
  width: number,
): HTMLElement {
  const isStrip = view.importance === null || view.coherence === null;
  const layers = context.data.graph.layers;
  const height = isStrip
    ? Math.max(160, 46 * layers.length + 80)
    : Math.round(Math.max(360, Math.min(560, width * 0.56)));
  const shares = (measure: MeasureChoice | null) => view.scale === "amount" && measure?.isShare === true;
  const [across, up] = isStrip
    ? [view.importance ?? view.coherence, null]
    : [view.importance, view.coherence];
  const xs = { x: (mark: Mark) => mark.x.value * (shares(across) ? 100 : 1) };
  const factor = shares(across) ? 100 : 1;
  const isLabelled = marks.length <= (width < 560 ? MOST_LABELLED_NARROW : MOST_LABELLED);
  const largest = Math.max(1, ...marks.map(({ row }) => row.entry.units.length));
  const radius = (mark: Mark) => radiusOf(mark, largest, isLabelled, width);
  const chance = chanceBand(marks, view.scale);
  const svg = Plot.plot({
    width,
    height,
    marginLeft: isStrip ? Math.min(170, width * 0.3) : 56,
    marginBottom: 44,
    marginTop: 26,
    marginRight: 24,
    inset: 16,
    style: { fontSize: "12px", background: "transparent", overflow: "visible" },
    x: {
      label: null,
      nice: true,
      reverse: isStrip && across?.isLow === true,
      ticks: Math.max(3, Math.floor(width / 110)),
      tickFormat: axisNumber,
    },
    y: isStrip
      ? { label: null, domain: [layers.length - 0.5, -0.5], axis: null }
      : { label: null, nice: true, ticks: 6, tickFormat: axisNumber, reverse: up?.isLow === true },
    marks: [
      isStrip
        ? Plot.axisY(
            layers.map((_, layer) => layer),
            {
              tickFormat: (layer: number) =>
                shorten(layers[layer]?.name ?? "", Math.min(22, Math.floor(width / 34))),
              tickSize: 0,
            },
          )
        : Plot.gridY({ strokeOpacity: 0.12, ticks: 6 }),
      Plot.gridX({ strokeOpacity: 0.12 }),
      ...(chance.x ? [Plot.rectX([chance.x], { x1: "low", x2: "high", fillOpacity: 0.07 })] : []),
      ...(chance.y && !isStrip ? [Plot.rectY([chance.y], { y1: "low", y2: "high", fillOpacity: 0.07 })] : []),
      ...(view.scale === "effect" ? [Plot.ruleX([1], { strokeOpacity: 0.5 })] : []),
      ...(view.scale === "effect" && !isStrip ? [Plot.ruleY([1], { strokeOpacity: 0.5 })] : []),
      ...(view.scale === "z" || (view.scale === "amount" && view.importance)
        ? [Plot.ruleX([0], { strokeOpacity: 0.5 })]
        : []),
      ...(view.scale === "z" && !isStrip ? [Plot.ruleY([0], { strokeOpacity: 0.5 })] : []),
      Plot.ruleY(marks, {
        className: "spread",
        x1: ({ x }: Mark) => (x.low === null ? Number.NaN : x.low * factor),
        x2: ({ x }: Mark) => (x.high === null ? Number.NaN : x.high * factor),
        y: ({ y }: Mark) => y.value,
        stroke: ({ row }: Mark) => context.colour(row.entry.cluster),
      }),
      ...(isStrip
        ? []
        : [
            Plot.ruleX(marks, {
              className: "spread",
              ...xs,
              y1: ({ y }: Mark) => y.low ?? Number.NaN,
              y2: ({ y }: Mark) => y.high ?? Number.NaN,
              stroke: ({ row }: Mark) => context.colour(row.entry.cluster),
            }),
          ]),
      Plot.dot(marks, {
        className: "marks",
        ...xs,
        y: ({ y }: Mark) => y.value,
        r: radius,
        symbol: ({ standing }: Mark) => symbolsOf(isStrip)[standing].symbol,
        rotate: ({ standing }: Mark) => symbolsOf(isStrip)[standing].rotate,
        fill: ({ row }: Mark) => context.colour(row.entry.cluster),
        stroke: ({ row }: Mark) => context.colour(row.entry.cluster),
        fillOpacity: ({ standing }: Mark) => (standing === "neither" ? 0.22 : 0.9),
        strokeWidth: 1.5,
        sort: null,
      }),
      Plot.text(marks, {
        className: "numbers",
        filter: ({ standing }: Mark) => isLabelled || (standing !== "neither" && width >= 560),
        ...xs,
        y: ({ y }: Mark) => y.value,
        text: ({ row }: Mark) => String(row.entry.cluster),
        fontSize: 10,
        fontWeight: 600,
        fill: ({ row, standing }: Mark) =>
          standing === "neither" ? "currentColor" : inkOn(context.colour(row.entry.cluster)),
        pointerEvents: "none",
      }),
      ...(across ? [Plot.text([axisText(across, view.scale, "→")], bottomLabel)] : []),
      ...(up ? [Plot.text([axisText(up, view.scale, "↑")], topLabel)] : []),
    ],
    r: { type: "identity" },
    symbol: { type: "identity" },
    opacity: { type: "identity" },
    color: { type: "identity" },
  }) as SVGSVGElement;
  nameDrawing(svg, pictureName(marks, view), "group");
  // The marks themselves tell their numbers.
  for (const part of svg.children) if (!part.matches(".marks")) part.setAttribute("aria-hidden", "true");
  svg.classList.toggle("crowded", !isLabelled);
  svg.classList.toggle("shared-scale", view.scale !== "amount");
  return h(
    "div",
    { class: "score-picture" },
    movable(context, svg, marks, (mark) => tellMark(mark, view)),
  );
}

const bottomLabel = { frameAnchor: "bottom-right", dy: 36, fill: "currentColor", fontWeight: 600 } as const;
const topLabel = {
  frameAnchor: "top-left",
  dx: -46,
  dy: -14,
  fill: "currentColor",
  fontWeight: 600,
} as const;

const axisNumber = (value: number): string => digits(value);

/** Area by units. Marks with a number have room for it; others are smaller. */
function radiusOf({ row, standing }: Mark, largest: number, isLabelled: boolean, width: number): number {
  const share = row.entry.units.length / largest;
  const between = (least: number, most: number) => Math.sqrt(least ** 2 + (most ** 2 - least ** 2) * share);
  if (isLabelled) return between(8, width < 560 ? 13 : 18);
  if (standing === "neither") return between(2.5, 7);
  return width < 560 ? between(5, 8) : between(8, 12);
}

/** Black or white, whichever is read better on a colour (#rrggbb). */
function inkOn(colour: string): string {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? "#000000" : "#ffffff";
}

/** What an axis shows, with an arrow to where it speaks for the subcluster. */
function axisText({ label, axis, isLow }: MeasureChoice, scale: Scale, arrow: string): string {
  const what = { z: `${label}, z against random sets`, effect: `${label}, effect`, amount: axis }[scale];
  return `${what}${isLow ? " (low is coherent)" : ""} ${arrow}`;
}

/** The picture in a sentence. */
function pictureName(marks: readonly Mark[], { importance, coherence }: PictureView): string {
  const axes = [importance, coherence].flatMap((measure) =>
    measure ? [`${measure.kind} (${measure.label})`] : [],
  );
  const stand = marks.filter(({ standing }) => standing !== "neither");
  const names = stand.slice(0, 5).map(({ name }) => name);
  const found =
    stand.length === 0
      ? "none is significant"
      : `${stand.length} significant: ${names.join(", ")}${stand.length > 5 ? " and others" : ""}`;
  return `${axes.join(" against ")} of ${plural(marks.length, "subcluster")}; ${found}. Arrow keys move between them, Enter selects.`;
}

/** What a mark says when it is pointed at. */
function tellMark({ row, name }: Mark, { importance, coherence, by }: PictureView): readonly string[] {
  const tell = (measure: MeasureChoice | null, reading: Reading | null): string[] => {
    if (measure === null) return [];
    if (reading === null) return [`${measure.label}: undefined`];
    const show = (value: number | null) => (measure.isShare ? points(value) : digits(value));
    const spread =
      reading.low === null ? "" : `, random sets ${show(reading.low)} to ${show(reading.high)} (9 in 10)`;
    return [
      `${measure.label}: ${show(reading.amount)}${spread}`,
      `p ${formatP(reading.p)} · q ${formatP(reading[by])} · z ${digits(reading.z, 2)} · effect ${digits(reading.effect)}`,
    ];
  };
  return [
    `${name} · ${plural(row.entry.units.length, "unit")}`,
    ...tell(importance, row.importance),
    ...tell(coherence, row.coherence),
  ];
}
