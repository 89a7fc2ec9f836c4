/** The first screen: is this network locally specialized, where, and how sure are we? */
import type { Context, Section } from "../../context.ts";
import { h } from "../../dom.ts";
import { withFlags } from "../../flags.ts";
import { type Doubt, doubtsOf } from "./doubts.ts";
import { figuresOf } from "./facts.ts";
import { rowsTable } from "./rows-table.ts";
import { verdictOf } from "./verdict.ts";
import { where } from "./where.ts";

export const headline: Section = {
  id: "headline",
  title: "Overview",
  heading: "Is this network locally specialized?",
  render: draw,
};

/** Subclusters that are shown beside the doubts. */
const MOST_BESIDE = 80;

function draw(context: Context): HTMLElement {
  const { data } = context;
  const verdict = verdictOf(data);
  const places = where(context);
  // Beside the doubts while they find room there, else across the page.
  const isSmall = context.subclusters.length <= MOST_BESIDE;
  return h(
    "div",
    { class: "headline" },
    h(
      "div",
      { class: `verdict ${verdict.tone}` },
      h("p", { class: "answer" }, verdict.answer),
      h("p", {}, unbroken(verdict.importance)),
      h("p", {}, withFlags(unbroken(verdict.coherence))),
    ),
    h(
      "dl",
      { class: "figures" },
      figuresOf(data).map(({ label, value, note }) =>
        h(
          "div",
          {},
          h("dt", {}, label),
          h("dd", { class: "value" }, value),
          h("dd", { class: "soft small" }, withFlags(note)),
        ),
      ),
    ),
    h(
      "div",
      { class: "columns" },
      places && h("div", {}, places.leaders, isSmall ? places.strips : null),
      howSure(doubtsOf(data)),
    ),
    isSmall ? null : places?.strips,
    data.scores &&
      h(
        "div",
        { class: "rows-part" },
        h("h3", {}, "The network by every measure"),
        h(
          "p",
          { class: "small soft" },
          "A filled mark: significant at 5 % among the measures of its group. A ring: only without allowing for their number.",
        ),
        rowsTable(data.scores),
      ),
  );
}

/** Keeps "p = .032", "< .001" and "60 %" on one line. */
const unbroken = (text: string): string =>
  text.replace(/(?:\bp )?[=<] (?=\.)|\d (?=%)/g, (found) => found.replaceAll(" ", "\u00a0"));

const SIGNS = {
  good: ["✓", "speaks for it"],
  warn: ["!", "be careful"],
  open: ["?", "not measured"],
} as const;

function howSure(doubts: readonly Doubt[]): HTMLElement {
  return h(
    "div",
    { class: "sure" },
    h("h3", {}, "How sure are we?"),
    h(
      "ul",
      { class: "doubts" },
      doubts.map(({ tone, title, text }) =>
        h(
          "li",
          { class: tone },
          h(
            "span",
            { class: "sign", role: "img", "aria-label": SIGNS[tone][1], title: SIGNS[tone][1] },
            SIGNS[tone][0],
          ),
          h("div", {}, h("strong", {}, title), h("p", {}, withFlags(unbroken(text)))),
        ),
      ),
    ),
  );
}
