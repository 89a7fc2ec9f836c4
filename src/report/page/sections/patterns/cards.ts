/** Patterns as cards, the most persistent first. */
import type { PatternEntry, PatternLayer } from "../../../patterns-document.ts";
import { capped } from "../../capped.ts";
import type { Context } from "../../context.ts";
import { type Child, h } from "../../dom.ts";
import { decimals, percent, plural } from "../../format.ts";
import { shareBar } from "../../share-bar.ts";
import { inputNumbers, thumbnails } from "./thumbnails.ts";

const MOST_CARDS = 12;

/** Cards of a layer's patterns; `most` of them at first. */
export function patternCards(
  context: Context,
  { patterns }: Pick<PatternLayer, "patterns">,
  className: (label: number) => string,
  most: number = MOST_CARDS,
): HTMLElement {
  const longest = Math.max(...patterns.map(({ persistence }) => persistence ?? 0));
  return capped(patterns, most, "patterns", (shown) =>
    h(
      "ul",
      { class: "pattern-cards" },
      shown.map((pattern) => card(context, pattern, className, longest)),
    ),
  );
}

function card(
  context: Context,
  pattern: PatternEntry,
  className: (label: number) => string,
  longest: number,
): HTMLElement {
  const { size, persistence, meanProbability, misclassified, classes, exemplars, boundary } = pattern;
  const typical = thumbnails(context, exemplars, className);
  const least = thumbnails(context, boundary, className);
  return h(
    "li",
    { class: "card pattern-card" },
    h(
      "h4",
      {},
      h("span", { class: "soft" }, `pattern ${pattern.pattern}`),
      h("span", { class: "soft" }, plural(size, "input")),
    ),
    classes ? h("p", { class: "classes" }, mostOf(classes.counts, size, className)) : null,
    typical ? pictures("most typical", typical) : null,
    least ? pictures("least typical", least) : null,
    h(
      "dl",
      {},
      fact(
        "persistence",
        "How long the pattern lasts as the demand for density rises; the bar is relative to the longest of the layer",
        decimals(persistence, 3),
        shareBar(longest > 0 ? (persistence ?? 0) / longest : null),
      ),
      fact(
        "mean probability",
        "How surely its inputs belong to it",
        decimals(meanProbability, 2),
        shareBar(meanProbability, "soft"),
      ),
      misclassified === null
        ? null
        : fact(
            "misclassified",
            "Share of its inputs that the network gets wrong",
            percent(misclassified, 0),
            shareBar(misclassified, "bad"),
          ),
    ),
    typical || exemplars.length === 0
      ? null
      : h("p", { class: "small soft" }, `most typical inputs: ${inputNumbers(exemplars)}`),
  );
}

const pictures = (text: string, row: HTMLElement): Child => [h("p", { class: "small soft" }, text), row];

const fact = (name: string, title: string, value: string, bar: HTMLElement): Child => [
  h("dt", { title }, name),
  h("dd", {}, h("span", {}, value), bar),
];

/** The largest class in large letters, the next ones behind it. */
function mostOf(counts: readonly number[], size: number, className: (label: number) => string): Child {
  const sorted = counts
    .map((inputs, label) => ({ inputs, label }))
    .filter(({ inputs }) => inputs > 0)
    .sort((a, b) => b.inputs - a.inputs || a.label - b.label);
  const [first, ...others] = sorted;
  if (first === undefined) return null;
  const next = others.slice(0, 3).map(({ inputs, label }) => `${className(label)} ${inputs}`);
  const rest = others.length - next.length;
  return [
    h("strong", {}, className(first.label)),
    ` ${percent(first.inputs / size, 0)}`,
    next.length === 0
      ? null
      : h("span", { class: "soft small" }, ` then ${next.join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`),
  ];
}
