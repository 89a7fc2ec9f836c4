/** How inputs go from pattern to pattern through the layers: ribbons, and the paths that most of them take. */
import type { PatternFlowEntry, PatternsDocument } from "../../../patterns-document.ts";
import { capped } from "../../capped.ts";
import { dataTable } from "../../data-table.ts";
import { type Child, h, s } from "../../dom.ts";
import { figure } from "../../figure.ts";
import { count, percent, plural } from "../../format.ts";
import { layerLabels } from "../../layer-labels.ts";
import { shorten } from "../../names.ts";
import { drawByWidth } from "../../responsive.ts";
import { type FlowLayout, type FlowNode, layOutFlow, NONE } from "./flow-layout.ts";
import { flowSentence } from "./sentences.ts";

const MOST_PATHS = 8;
const TOP = 26;
const BAR = 9;
const LEAST_COLUMN = 120;
const LAST_COLUMN = 104;

export function flowPart(
  flow: PatternFlowEntry,
  document: PatternsDocument,
  className: (label: number) => string,
): HTMLElement {
  const stations = flow.layers.map((name) =>
    document.layers.find(({ layer, cluster }) => layer === name && cluster === undefined),
  );
  // Of clusters alone there is no telling which of a layer's clusters a station is.
  const isNamed = stations.every((station) => station !== undefined);
  const label = (layer: number, pattern: number): string => {
    const classes = stations[layer]?.patterns[pattern]?.classes;
    return isNamed && classes ? className(classes.majority) : `pattern ${pattern}`;
  };
  const layout = layOutFlow(flow, { height: 400, gap: 9 });
  return h(
    "div",
    { class: "pattern-flow" },
    h("h3", {}, "From layer to layer"),
    h("p", {}, flowSentence(flow)),
    layout.ribbons.length === 0 ? null : flowFigure(flow, layout, label),
    pathTable(flow, className),
  );
}

function flowFigure(
  flow: PatternFlowEntry,
  layout: FlowLayout,
  label: (layer: number, pattern: number) => string,
): HTMLElement {
  const box = h("div", {
    class: "scroll",
    tabindex: 0,
    role: "group",
    "aria-label": "Flow through the layers",
  });
  drawByWidth(box, (width) => drawFlow(flow, layout, label, width));
  const { ribbons, total, hiddenInputs, drawnInputs } = layout;
  const capped =
    ribbons.length < total
      ? ` Shown are the ${count(ribbons.length)} strongest of ${count(total)} ribbons, with ${percent(drawnInputs / (drawnInputs + hiddenInputs), 0)} of what flows.`
      : "";
  return figure(box, {
    name: "pattern-flow",
    caption: `Every bar is a pattern, named by its largest class and as high as it has inputs; ribbons are the inputs that two patterns of neighbouring layers share. Grey: inputs in no pattern on one side; those in none on both sides are not drawn.${capped}`,
  });
}

function drawFlow(
  { layers }: PatternFlowEntry,
  { nodes, ribbons }: FlowLayout,
  label: (layer: number, pattern: number) => string,
  width: number,
): SVGSVGElement {
  const layerLabel = layerLabels(layers);
  const full = Math.max(width, layers.length * LEAST_COLUMN);
  const step = (full - LAST_COLUMN) / Math.max(1, layers.length - 1);
  const height = TOP + 410;
  const x = (layer: number): number => layer * step + 1;
  // Behind the last layer there is less room than between two.
  const letters = (layer: number): number =>
    Math.floor(((layer === layers.length - 1 ? LAST_COLUMN : step) - BAR - 14) / 7.2);
  const isNone = (node: FlowNode | undefined): boolean => node?.pattern === NONE;
  const name = ({ layer, pattern }: FlowNode): string => (pattern === NONE ? "none" : label(layer, pattern));
  const tell = (node: FlowNode | undefined): string =>
    node === undefined
      ? ""
      : isNone(node)
        ? `no pattern of ${layers[node.layer]}`
        : `pattern ${node.pattern} of ${layers[node.layer]} (${name(node)})`;
  const paths = ribbons.map((ribbon) => {
    const [from, to] = [nodes[ribbon.from], nodes[ribbon.to]];
    const [start, end] = [x(from?.layer ?? 0) + BAR, x(to?.layer ?? 0)];
    const middle = (start + end) / 2;
    const [y0, y1] = [TOP + ribbon.fromY + ribbon.height / 2, TOP + ribbon.toY + ribbon.height / 2];
    return s(
      "path",
      {
        class: isNone(from) || isNone(to) ? "ribbon loose" : "ribbon",
        d: `M${start},${y0.toFixed(1)}C${middle},${y0.toFixed(1)} ${middle},${y1.toFixed(1)} ${end},${y1.toFixed(1)}`,
        "stroke-width": Math.max(0.75, ribbon.height).toFixed(1),
      },
      s("title", {}, `${plural(ribbon.inputs, "input")}: ${tell(from)} → ${tell(to)}`),
    );
  });
  const bars = nodes.map((node, number) => {
    const point = (isOn: boolean) => () => {
      ribbons.forEach((ribbon, at) => {
        if (ribbon.from === number || ribbon.to === number) paths[at]?.classList.toggle("pointed", isOn);
      });
    };
    return s(
      "g",
      {
        class: isNone(node) ? "node none" : "node",
        onpointerenter: point(true),
        onpointerleave: point(false),
      },
      s("title", {}, `${tell(node)}: ${plural(node.inputs, "input")}`),
      s("rect", {
        x: x(node.layer),
        y: TOP + node.y,
        width: BAR,
        height: Math.max(2, node.height),
        rx: 2,
      }),
      s(
        "text",
        { x: x(node.layer) + BAR + 5, y: TOP + node.y + node.height / 2, dy: "0.35em" },
        shorten(name(node), letters(node.layer)),
      ),
    );
  });
  return s(
    "svg",
    {
      width: full,
      height,
      viewBox: `0 0 ${full} ${height}`,
      role: "img",
      "aria-label": `Flow of inputs through the patterns of ${layers.length} layers; the table below lists the commonest paths.`,
    },
    layers.map((layer, at) =>
      s(
        "text",
        { class: "layer", x: x(at), y: 14 },
        s("title", {}, layer),
        layerLabel(layer, Math.floor((at === layers.length - 1 ? LAST_COLUMN : step - 8) / 8)),
      ),
    ),
    s("g", { fill: "none" }, paths),
    bars,
  );
}

/** Sequences of patterns that most inputs take, those in no pattern throughout left out. */
function pathTable(flow: PatternFlowEntry, className: (label: number) => string): Child {
  const paths = flow.paths.filter(({ patterns }) => patterns.some((pattern) => pattern !== NONE));
  if (paths.length === 0) return null;
  const hasClasses = paths.some(({ majority }) => majority !== undefined);
  return [
    h("h4", {}, "Paths that most inputs take"),
    capped(paths, MOST_PATHS, "paths", (shown) =>
      dataTable(
        "Paths of inputs through the patterns of the layers",
        [
          { text: `patterns in ${flow.layers.length} layers; · = in none`, isText: true },
          { text: "inputs" },
          ...(hasClasses
            ? [
                { text: "largest class", isText: true },
                { text: "purity", title: "Share of the largest class" },
              ]
            : []),
        ],
        shown.map(({ patterns, inputs, majority, purity }) => [
          h(
            "span",
            { class: "path" },
            patterns.map((pattern) => (pattern === NONE ? "·" : pattern)).join(" → "),
          ),
          count(inputs),
          ...(hasClasses
            ? [majority === undefined ? "–" : shorten(className(majority), 32), percent(purity, 0)]
            : []),
        ]),
      ),
    ),
  ];
}
