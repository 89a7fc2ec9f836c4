/** How a subcluster stands to others: those that are lesioned with it, those that serve other classes, its cluster elsewhere. */
import { subclusterLink } from "../../chip.ts";
import type { Context } from "../../context.ts";
import { type Child, h } from "../../dom.ts";
import { digits, formatP, percent } from "../../format.ts";
import { signedPoints } from "./measures.ts";
import { part } from "./part.ts";
import { allPlaces, type Place, type Subject } from "./subject.ts";

/** Pairs and dissociations that are shown, the strongest. */
const MOST = 8;

export function relationsPart(context: Context, subject: Subject): HTMLElement | null {
  const content = [elsewhere(context, subject), pairs(context, subject), dissociations(context, subject)];
  return content.every((each) => each === null) ? null : part("relations", "Related subclusters", content);
}

function elsewhere(context: Context, { layer, cluster }: Subject): HTMLElement | null {
  const others = allPlaces(context).filter((place) => place.cluster === cluster && place.layer !== layer);
  const isLocal = context.data.graph.scope === "local";
  if (others.length === 0) return null;
  return h(
    "div",
    {},
    h("h3", {}, "The same cluster in other layers"),
    h(
      "p",
      { class: "links" },
      others.map((place) => subclusterLink(context, place.layer, place.cluster)),
    ),
    isLocal
      ? h(
          "p",
          { class: "soft small" },
          "Layers were partitioned one by one: equal numbers mean nothing in common.",
        )
      : null,
  );
}

function pairs(context: Context, subject: Subject): HTMLElement | null {
  const own = (context.data.scores?.pairs ?? []).flatMap((pair) => {
    const other = pair.subclusters.find((each) => !isSame(each, subject));
    return pair.subclusters.some((each) => isSame(each, subject)) && other ? [{ ...pair, other }] : [];
  });
  if (own.length === 0) return null;
  const size = ({ synergy }: (typeof own)[number]): number => Math.abs(synergy ?? 0);
  const shown = [...own].sort((one, two) => size(two) - size(one)).slice(0, MOST);
  return h(
    "div",
    {},
    h("h3", {}, "Lesioned together with another"),
    h(
      "p",
      { class: "soft small" },
      "Synergy: what the loss rises by beyond the sum of both lesions. Above 0 they stand in for each other, below 0 they do the same harm.",
      own.length > shown.length ? ` The largest ${shown.length} of ${own.length}.` : null,
    ),
    table(
      ["together with", "loss added", "synergy", "95 % interval", "answers lost only together"],
      shown.map(({ other, lossIncrease, synergy, interval, lostOnlyTogether }) => [
        subclusterLink(context, other.layer, other.cluster),
        digits(lossIncrease, 2),
        digits(synergy, 2),
        `${digits(interval[0], 2)} to ${digits(interval[1], 2)}`,
        percent(lostOnlyTogether),
      ]),
    ),
  );
}

function dissociations(context: Context, { layer, cluster }: Subject): HTMLElement | null {
  const all = (context.data.scores?.dissociations ?? []).filter(
    (found) => found.layer === layer && found.clusters.includes(cluster),
  );
  if (all.length === 0) return null;
  const shown = all.slice(0, MOST);
  return h(
    "div",
    {},
    h("h3", {}, "Double dissociations"),
    h(
      "p",
      { class: "soft small" },
      `A lesion here hits one class more than another, a lesion of the other subcluster the other way round; where p is small, they serve different classes. ${
        all.length > shown.length ? `The strongest ${shown.length} of ${all.length}.` : ""
      }`,
    ),
    table(
      ["other", "this hits", "it hits", "strength (points)", "p", "q"],
      shown.map(({ clusters, classes, strength, p, q }) => {
        const isFirst = clusters[0] === cluster;
        const [mine, theirs] = isFirst ? classes : [classes[1], classes[0]];
        return [
          subclusterLink(context, layer, isFirst ? clusters[1] : clusters[0]),
          context.className(mine),
          context.className(theirs),
          signedPoints(strength).replace("+", ""),
          formatP(p),
          formatP(q),
        ];
      }),
    ),
  );
}

const isSame = (one: Place, other: Place): boolean =>
  one.layer === other.layer && one.cluster === other.cluster;

function table(heads: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": heads[0] ?? "" },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((head) => h("th", { scope: "col" }, head)),
        ),
      ),
      h(
        "tbody",
        {},
        rows.map((row) =>
          h(
            "tr",
            {},
            row.map((cell) => h("td", {}, cell)),
          ),
        ),
      ),
    ),
  );
}
