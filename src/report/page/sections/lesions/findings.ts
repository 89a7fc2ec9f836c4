/** What goes beyond single lesions: double dissociations, and pairs that back each other up. */
import { clusterChip, subclusterLink } from "../../chip.ts";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { count, decimals, formatP, percent, plural } from "../../format.ts";
import { placesOf, plus } from "../scoreboard/columns.ts";
import {
  type Dissociation,
  type Pair,
  pairMeaning,
  sortedDissociations,
  sortedPairs,
} from "./finding-texts.ts";

const MOST = 12;

export function dissociationList(context: Context, found: readonly Dissociation[]): HTMLElement {
  const sorted = sortedDissociations(found);
  const significant = sorted.filter(({ q }) => q !== null && q <= 0.05).length;
  const items = sorted.map((one) => dissociationItem(context, one));
  return h(
    "div",
    {},
    h("h3", {}, "Double dissociations"),
    h(
      "p",
      { class: "soft" },
      "Two clusters of a layer, each of which hurts a class that the other spares: the strongest sign that they do different things. ",
      found.length === 0
        ? "None was found."
        : `${significant === 0 ? "None" : count(significant)} of ${count(found.length)} found ${significant <= 1 ? "is" : "are"} significant among all pairs of ${significant <= 1 ? "its" : "their"} layer.`,
    ),
    found.length === 0 ? null : shortList(items),
  );
}

function dissociationItem(
  context: Context,
  { layer, clusters, classes, strength, q }: Dissociation,
): HTMLElement {
  const [one, other] = clusters;
  const isSignificant = q !== null && q <= 0.05;
  const name = (label: number) => h("strong", {}, `class ${context.className(label)}`);
  return h(
    "li",
    { class: isSignificant ? "significant" : null },
    h("span", { class: "where", title: layer }, layer),
    h(
      "span",
      {},
      clusterChip(context, one),
      " serves ",
      name(classes[0]),
      ", ",
      clusterChip(context, other),
      " ",
      name(classes[1]),
    ),
    h(
      "span",
      { class: "soft small" },
      h(
        "span",
        {
          title:
            "How many percentage points more the one lesion takes from its own class than from the other, the smaller of the two",
        },
        `by ${decimals(100 * (strength ?? Number.NaN), 1)} pp`,
      ),
      ` · q ${formatP(q)}${isSignificant ? " · significant" : ""}`,
    ),
  );
}

/** The first ones; a button shows the others. */
function shortList(items: readonly HTMLElement[]): HTMLElement {
  const list = h("ul", { class: "findings" }, items.slice(0, MOST));
  if (items.length <= MOST) return list;
  const all = h("button", { type: "button" }, `show all ${count(items.length)}`);
  all.addEventListener("click", () => {
    list.append(...items.slice(MOST));
    items[MOST]?.querySelector("button")?.focus();
    all.remove();
  });
  return h("div", {}, list, all);
}

export function pairTable(context: Context, pairs: readonly Pair[]): HTMLElement {
  const places = placesOf(pairs.map(({ lossIncrease }) => lossIncrease));
  return h(
    "div",
    {},
    h("h3", {}, "Lesions of two together"),
    h(
      "p",
      { class: "soft" },
      "Synergy is what both lesions cost together beyond the sum of what each costs alone. Above 0 the two back each other up: one alone can be spared. Below 0 they share a path: once one is gone, the other has less left to harm. ",
      `The ${plural(pairs.length, "pair")} whose single lesions cost most, within a layer and across layers; intervals are 95 % bootstrap intervals over inputs.`,
    ),
    h(
      "div",
      { class: "scroll", role: "region", "aria-label": "Table of pairs", tabindex: 0 },
      h(
        "table",
        { class: "pairs" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            [
              "Subclusters",
              "Loss rises by",
              "Synergy",
              "95 % interval",
              "Lost only together",
              "What it says",
            ].map((text, at) => h("th", { scope: "col", class: at === 0 || at === 5 ? "text" : null }, text)),
          ),
        ),
        h(
          "tbody",
          {},
          sortedPairs(pairs).map((pair) =>
            h(
              "tr",
              {},
              h(
                "td",
                { class: "text" },
                pair.subclusters.map(({ layer, cluster }, at) => [
                  at === 0 ? null : " + ",
                  subclusterLink(context, layer, cluster),
                ]),
              ),
              h("td", {}, plus(pair.lossIncrease, places)),
              h("td", {}, plus(pair.synergy, places)),
              h(
                "td",
                { class: "soft" },
                `${decimals(pair.interval[0], places)} to ${decimals(pair.interval[1], places)}`,
              ),
              h("td", {}, percent(pair.lostOnlyTogether)),
              h("td", { class: "text" }, pairMeaning(pair)),
            ),
          ),
        ),
      ),
    ),
  );
}
