/** Where the network stands out: the subclusters that lead, and all of them by layer as small squares. */
import type { ScoresDocument } from "../../../scores-document.ts";
import { subclusterLink } from "../../chip.ts";
import type { Context } from "../../context.ts";
import { type Child, h } from "../../dom.ts";
import { decimals, formatP, plural } from "../../format.ts";
import { measureLabel } from "../../measure-names.ts";
import { subclusterAddress } from "../../store.ts";
import { importanceLead } from "./evidence.ts";
import {
  byLayer,
  type LayerStanding,
  leadingLayers,
  type Mark,
  type Ranking,
  ranked,
  rankingOf,
  type Standing,
  standingsOf,
} from "./standouts.ts";

const MOST_NAMED = 5;
/** Layers that are shown at once; the others unfold. */
const MOST_LAYERS = 8;

const MARK_NAMES: Readonly<Record<Mark, string>> = {
  by: "significant at 5 % (Benjamini-Yekutieli)",
  bh: "significant at 5 % by Benjamini-Hochberg only",
  none: "not significant",
  untested: "not tested",
};

/** Everything that is drawn from; null where nothing was tested. */
export interface Where {
  /** The subclusters that stand out most. */
  readonly leaders: HTMLElement;
  /** All of them. */
  readonly strips: HTMLElement;
}

export function where(context: Context): Where | null {
  const { scores, graph } = context.data;
  const ranking = rankingOf(scores);
  if (scores === null || ranking === null) return null;
  const standings = standingsOf(scores, ranking);
  const layers = byLayer(
    graph.layers.map(({ name }) => name),
    standings,
  );
  const more = layers.slice(MOST_LAYERS);
  const strips = (some: readonly LayerStanding[]) =>
    h(
      "div",
      {},
      some.map((layer) => strip(context, layer)),
    );
  return {
    leaders: h(
      "div",
      {},
      h("h3", {}, "Where?"),
      h("p", {}, otherSentence(scores, ranking), whereSentence(layers, ranking)),
      leaders(context, ranked(standings).slice(0, MOST_NAMED)),
    ),
    strips: h(
      "div",
      { class: "strips" },
      h("h3", {}, "All subclusters, by layer"),
      key(layers, ranking),
      strips(layers.slice(0, MOST_LAYERS)),
      more.length > 0
        ? h("details", {}, h("summary", {}, plural(more.length, "more layer")), strips(more))
        : null,
    ),
  };
}

function whereSentence(layers: readonly LayerStanding[], { kind, measure }: Ranking): Child[] {
  const by = `By ${measureLabel(measure)} (${kind})`;
  const total = (count: (layer: LayerStanding) => number) =>
    layers.reduce((sum, layer) => sum + count(layer), 0);
  const significant = total((layer) => layer.significant);
  if (significant === 0) {
    return [
      `${by}, no single subcluster stands out with the number of tests allowed for. These come nearest:`,
    ];
  }
  const holding = layers.filter((layer) => layer.significant > 0).length;
  const found = `${by}, ${significant} of ${plural(
    total(({ tested }) => tested),
    "subcluster",
  )} ${significant === 1 ? "stands" : "stand"} out, in ${holding} of ${plural(layers.length, "layer")}`;
  const leading = leadingLayers(layers);
  const names = leading.map(({ layer, significant, tested }, at) => [
    at > 0 ? ", " : "",
    h("strong", {}, layer),
    ` (${significant} of ${tested})`,
  ]);
  return [
    found,
    leading.length === 0 ? "" : leading.length < holding ? ", above all in " : ": ",
    ...names,
    ". First of all:",
  ];
}

/** Says that none stands out by importance, where coherence is shown in its place. */
function otherSentence(scores: ScoresDocument, { kind }: Ranking): string {
  const lead = importanceLead(scores);
  if (kind === "importance" || lead === null) return "";
  return `By ${measureLabel(lead.measure)} (importance), no single subcluster stands out. `;
}

function leaders(context: Context, standings: readonly Standing[]): HTMLElement {
  return h(
    "ol",
    { class: "leaders" },
    standings.map(({ subcluster, mark, p, effect, z }) =>
      h(
        "li",
        {},
        subclusterLink(context, subcluster.layer, subcluster.cluster),
        h(
          "span",
          { class: "soft" },
          [
            plural(subcluster.units.length, "unit"),
            effect === null ? `z ${decimals(z, 1)}` : `effect ${decimals(effect, 2)}`,
            `p ${formatP(p)}`,
            ...(mark === "none" ? [] : [mark === "by" ? "significant" : "significant by BH only"]),
          ].join(", "),
        ),
      ),
    ),
  );
}

function strip(
  { colour, store }: Context,
  { layer, standings, tested, significant }: LayerStanding,
): HTMLElement {
  return h(
    "div",
    { class: "strip" },
    h(
      "div",
      { class: "strip-name" },
      h("span", {}, layer),
      h("span", { class: "soft small" }, ` ${significant} of ${tested}`),
    ),
    h(
      "ul",
      { "aria-label": `Subclusters of ${layer}` },
      standings.map(({ subcluster: { cluster }, mark }) => {
        const name = `cluster ${cluster} in ${layer}: ${MARK_NAMES[mark]}`;
        const square = h(
          "a",
          {
            class: `square ${mark}`,
            href: subclusterAddress(layer, cluster),
            "aria-label": name,
            title: name,
          },
          h("span", { class: "number" }, cluster),
          h("span", { class: "swatch", style: `background:${colour(cluster)}` }),
        );
        store.watch(({ selected }) => square.classList.toggle("selected", selected === cluster));
        return h("li", {}, square);
      }),
    ),
  );
}

function key(layers: readonly LayerStanding[], { measure }: Ranking): HTMLElement {
  const found = new Set(layers.flatMap(({ standings }) => standings.map(({ mark }) => mark)));
  const shown = (["by", "bh", "none", "untested"] as const).filter((mark) => found.has(mark));
  return h(
    "p",
    { class: "key small soft" },
    `A square for each, by ${measureLabel(measure)}: `,
    shown.map((mark) =>
      h("span", { class: "entry" }, h("span", { class: `square ${mark}` }), ` ${MARK_NAMES[mark]}`),
    ),
  );
}
