/** The eigenvalues that a spectral partition was read from. */
import * as Plot from "@observablehq/plot";
import type { Spectrum } from "../../../../partition/partition.ts";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { figure } from "../../figure.ts";
import { withFlags } from "../../flags.ts";
import { digits, plural } from "../../format.ts";
import { plotWidth } from "../../plot-width.ts";
import { gapSentence, largestGap } from "./texts.ts";

/** Parts that are drawn. */
const MOST_PARTS = 9;

export function spectrum({ data }: Context): HTMLElement {
  const { method, quality } = data.partition;
  const spectra = quality?.eigenvalues ?? [];
  if (spectra.length === 0) {
    const isSpectral = method.name === "spectral";
    return h(
      "p",
      { class: "empty" },
      withFlags(
        isSpectral
          ? "No eigenvalues: this run was made before they were kept. Partition again to see them."
          : `No eigenvalues: ${typeof method.name === "string" ? method.name : "this partition"} reads none. --method spectral does.`,
      ),
    );
  }
  const shown = spectra.slice(0, MOST_PARTS);
  const left = spectra.length - shown.length;
  return h(
    "div",
    { class: shown.length > 1 ? "grid" : null },
    shown.map((part) => drawPart(part, clustersOf(method, part.part), shown.length > 1)),
    left > 0 ? h("p", { class: "soft small" }, `${plural(left, "part")} more in partition.json.`) : null,
  );
}

/** The number of clusters of a part: one for all, or one for each layer. */
function clustersOf({ k, kPerLayer }: Readonly<Record<string, unknown>>, part: string): number | null {
  const own =
    typeof kPerLayer === "object" && kPerLayer !== null ? (kPerLayer as Record<string, unknown>)[part] : k;
  return typeof own === "number" ? own : null;
}

function drawPart({ part, values }: Spectrum, k: number | null, isOneOfMany: boolean): HTMLElement {
  const points = values.map((value, at) => ({ number: at + 1, value }));
  const gap = largestGap(values);
  const sentence = gapSentence(values, k);
  const [from, to] = gap === null ? [] : [points[gap.after - 1], points[gap.after]];
  const chart = Plot.plot({
    width: plotWidth(isOneOfMany ? 360 : 560),
    height: isOneOfMany ? 200 : 260,
    style: { fontSize: "13px", background: "transparent" },
    marginRight: 24,
    marginBottom: 44,
    ariaLabel: `Eigenvalues of ${part}, descending. ${sentence}`,
    x: {
      label: "number",
      labelArrow: "none",
      labelOffset: 34,
      ticks: Math.min(10, values.length),
      tickFormat: "d",
    },
    y: { label: "eigenvalue", labelArrow: "none", grid: true, nice: true },
    marks: [
      ...(k !== null && values.length > k
        ? [
            Plot.ruleX([k + 0.5], { strokeDasharray: "4 4", strokeOpacity: 0.6 }),
            Plot.text([k + 0.5], {
              x: (at: number) => at,
              frameAnchor: "top",
              text: () => `k = ${k}`,
              dx: 6,
              textAnchor: "start",
            }),
          ]
        : []),
      ...(from && to
        ? [
            Plot.link([0], {
              x1: () => from.number,
              x2: () => to.number,
              y1: () => from.value,
              y2: () => to.value,
              stroke: "var(--accent)",
              strokeWidth: 3,
            }),
          ]
        : []),
      Plot.dot(points, {
        x: "number",
        y: "value",
        r: 4,
        fill: "currentColor",
        title: ({ number, value }: { number: number; value: number }) => `${number}: ${digits(value, 4)}`,
      }),
    ],
  });
  return figure(chart, {
    name: `eigenvalues-${part}`.replace(/[^\w-]+/g, "_"),
    caption: `${isOneOfMany ? `${part}. ` : ""}${sentence} The largest fall is drawn as a line.`,
  });
}
