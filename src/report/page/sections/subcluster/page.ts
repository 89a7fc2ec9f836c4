/** The page of one subcluster. */
import { subclusterLink } from "../../chip.ts";
import type { Context } from "../../context.ts";
import { type Child, h } from "../../dom.ts";
import { percent, plural } from "../../format.ts";
import { clusterAddress, subclusterAddress } from "../../store.ts";
import { classPart } from "./classes.ts";
import { furtherPart } from "./further.ts";
import { measuresPart } from "./measures-part.ts";
import { picturesPart } from "./pictures.ts";
import { relationsPart } from "./relations.ts";
import { classSentence, coherenceSentence, lesionSentence, verdictSentence } from "./sentences.ts";
import { allPlaces, type Place, type Subject, subjectAt } from "./subject.ts";
import { tiles } from "./tiles.ts";
import { unitsPart } from "./units.ts";

export function subclusterPage(context: Context, layer: string, cluster: number): HTMLElement {
  const places = allPlaces(context);
  const subject = subjectAt(context, { layer, cluster });
  if (subject === null) return unknownPage(context, { layer, cluster }, places);
  return h(
    "article",
    { class: "subcluster-page" },
    pager(context, subject, places, "Subclusters"),
    title(context, subject),
    lede(context, subject),
    tiles(context, subject),
    PARTS.map((part) => part(context, subject)),
    pager(context, subject, places, "Subclusters, once more"),
  );
}

const PARTS: readonly ((context: Context, subject: Subject) => HTMLElement | null)[] = [
  picturesPart,
  measuresPart,
  classPart,
  relationsPart,
  furtherPart,
  unitsPart,
];

/** The way back, and to the neighbours in the order of layers and clusters. */
function pager(
  context: Context,
  { layer, cluster }: Place,
  places: readonly Place[],
  name: string,
): HTMLElement {
  const at = places.findIndex((place) => place.layer === layer && place.cluster === cluster);
  const link = (place: Place | undefined, rel: "prev" | "next"): Child => {
    if (place === undefined) return null;
    const told = `${place.layer} · ${place.cluster}`;
    return h(
      "a",
      {
        class: rel,
        rel,
        href: subclusterAddress(place.layer, place.cluster),
        "aria-label": `${rel === "prev" ? "Previous" : "Next"} subcluster: ${told}`,
      },
      rel === "prev" ? "‹ " : null,
      h("span", { class: "swatch", style: `background:${context.colour(place.cluster)}` }),
      h("span", {}, told),
      rel === "next" ? " ›" : null,
    );
  };
  return h(
    "nav",
    { class: "pager", "aria-label": name },
    h("a", { class: "back", href: clusterAddress(cluster) }, "← Overview"),
    h("span", { class: "steps" }, link(places[at - 1], "prev"), link(places[at + 1], "next")),
  );
}

function title({ colour }: Context, { layer, cluster, units, layerUnits }: Subject): HTMLElement {
  const share = `${plural(units.length, "unit")} of ${layerUnits}, ${percent(units.length / layerUnits, 0)} of the layer`;
  return h(
    "header",
    {},
    h(
      "h1",
      { tabindex: -1 },
      h("span", { class: "swatch", style: `background:${colour(cluster)}` }),
      `Cluster ${cluster} in ${layer}`,
    ),
    h("p", { class: "soft" }, share),
  );
}

function lede({ data: { scores }, className }: Context, { entry, units }: Subject): HTMLElement {
  if (entry === null || scores === null) {
    const reason =
      scores === null
        ? "Nothing was scored in this analysis: the page shows what is known of the graph."
        : units.length < 2
          ? "Subclusters of a single unit are not tested."
          : "It was not tested: it is nearly its whole layer, or its layer is not lesioned.";
    return h("p", { class: "empty" }, reason);
  }
  return h(
    "div",
    { class: "lede" },
    [lesionSentence(entry, scores), verdictSentence(entry, scores)].map(
      (sentence, at) => sentence && h("p", { class: at === 0 ? "first" : "" }, sentence),
    ),
    [classSentence(entry, scores, className), coherenceSentence(entry, scores)].map(
      (sentence) => sentence && h("p", {}, sentence),
    ),
  );
}

/** An address that leads nowhere, and where it may have been meant to lead. */
function unknownPage(context: Context, { layer, cluster }: Place, places: readonly Place[]): HTMLElement {
  const isLayer = context.layerNumber(layer) >= 0;
  const near = places.filter((place) => (isLayer ? place.layer === layer : place.cluster === cluster));
  return h(
    "article",
    { class: "subcluster-page" },
    h("h1", { tabindex: -1 }, "No such subcluster"),
    h(
      "p",
      { class: "empty" },
      isLayer
        ? `Layer ${layer} of this network has no cluster ${cluster}.`
        : `This network has no layer ${layer}.`,
      " The address may be that of another report.",
    ),
    near.length === 0
      ? null
      : h(
          "p",
          { class: "links" },
          isLayer ? "Its clusters: " : `Cluster ${cluster} in other layers: `,
          near.map((place) => subclusterLink(context, place.layer, place.cluster)),
        ),
    h("p", {}, h("a", { href: "#/" }, "← Overview")),
  );
}
