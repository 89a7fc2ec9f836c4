/** What drives a subcluster: the image that was optimised for it, and the inputs. */
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { decimals, digits, formatP } from "../../format.ts";
import { coherenceRows } from "./measures.ts";
import { part } from "./part.ts";
import { inputsSentence } from "./sentences.ts";
import type { Subject } from "./subject.ts";
import { unitsText } from "./tiles.ts";

/** Inputs that are shown. */
const SHOWN = 8;

export function picturesPart(context: Context, subject: Subject): HTMLElement | null {
  if (subject.entry?.coherence === undefined) return null;
  return part(
    "drivers",
    "What drives it",
    h("div", { class: "two" }, optimised(context, subject), inputs(context, subject)),
  );
}

function optimised({ data, colour }: Context, subject: Subject): HTMLElement {
  const { layer, cluster, entry } = subject;
  const found = data.pictures.subclusters.find((each) => each.layer === layer && each.cluster === cluster);
  const heading = h("h3", {}, "An image made for it");
  if (found === undefined)
    return h("div", {}, heading, h("p", { class: "empty" }, whyNone(data.scores, subject)));
  const rows = entry === null || data.scores === null ? [] : coherenceRows(entry, data.scores).rows;
  const score = rows.find(({ name }) => name === "score");
  const middle = score?.spread.quantiles[10];
  const alt = `Image optimised for the units of cluster ${cluster} in ${layer}`;
  return h(
    "div",
    {},
    heading,
    h(
      "div",
      { class: "optimised" },
      h(
        "figure",
        {},
        h("img", { src: found.image, alt, class: "own", style: `border-color:${colour(cluster)}` }),
        h("figcaption", {}, `its ${unitsText(subject)}`),
      ),
      found.random.length === 0
        ? null
        : h(
            "figure",
            { class: "random" },
            h(
              "div",
              {},
              found.random.map((image, number) =>
                h("img", { src: image, alt: `Image optimised for random group ${number + 1}` }),
              ),
            ),
            h("figcaption", {}, "random groups of the same size"),
          ),
    ),
    h(
      "p",
      { class: "soft small" },
      "Optimised so that all units of the group answer to it at once.",
      score && typeof middle === "number"
        ? ` These units answer by ${digits(score.spread.amount)}, random groups by about ${digits(middle)} (p ${formatP(score.p)}).`
        : null,
    ),
  );
}

function whyNone(scores: Context["data"]["scores"], { units, layerUnits }: Subject): string {
  const reason = scores?.coherence?.notMeasured.find((text) => text.startsWith("score and entropy"));
  if (reason !== undefined) return `No image: ${reason.replace(/^score and entropy: /, "")}`;
  const isFit = units.length >= 3 && units.length < 0.99 * layerUnits;
  return isFit
    ? "No image of this subcluster lies beside the scores: an analysis with --out writes them."
    : "No image: they are made for subclusters of 3 units or more that are not nearly their whole layer.";
}

function inputs({ data, className }: Context, { entry }: Subject): HTMLElement {
  const examples = entry?.coherence?.examples ?? [];
  const shown = examples.slice(0, SHOWN);
  const most = Math.max(...shown.map(({ activation }) => activation ?? 0), 1e-9);
  const hasPictures = shown.some(({ input }) => data.pictures.inputs[input] !== undefined);
  const sentence = inputsSentence(
    examples.map(({ label }) => label),
    className,
  );
  return h(
    "div",
    {},
    h("h3", {}, "The inputs that drive it most"),
    sentence && h("p", {}, sentence),
    h(
      "ol",
      { class: `inputs ${hasPictures ? "pictured" : "plain"}` },
      shown.map(({ input, label, activation }) => {
        const picture = data.pictures.inputs[input];
        const name = label === null ? `input ${input}` : className(label);
        return h(
          "li",
          {},
          picture === undefined
            ? null
            : h("img", { src: picture, alt: `Input ${input}${label === null ? "" : ` of class ${name}`}` }),
          h("strong", { title: name }, name),
          label === null ? null : h("span", { class: "soft small" }, `input ${input}`),
          h(
            "span",
            { class: "level", title: "Mean activation of its units, in standard deviations" },
            h("span", { style: `width:${Math.max(0, (100 * (activation ?? 0)) / most).toFixed(1)}%` }),
          ),
          h("span", { class: "small" }, `${decimals(activation, 2)} sd`),
        );
      }),
    ),
    h(
      "p",
      { class: "soft small" },
      "Mean activation of its units, in standard deviations above each unit's mean over the inputs.",
      hasPictures ? null : " No pictures: the network reads no images, or the inputs were not kept.",
    ),
  );
}
