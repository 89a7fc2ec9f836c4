import type { PatternLayer } from "../../../patterns-document.ts";
import { type Child, h } from "../../dom.ts";
import { continuumSentence, countSentences, randomSentence } from "./sentences.ts";

/** What was found, in words: the warning of a continuum, and a list of figures. */
export function statements(found: PatternLayer): Child {
  const warning = continuumSentence(found);
  const random = randomSentence(found);
  return [
    warning === null ? null : h("p", { class: "continuum-warning" }, warning),
    h(
      "ul",
      { class: "statements" },
      [...countSentences(found), ...(random === null ? [] : [random])].map((sentence) =>
        h("li", {}, sentence),
      ),
    ),
  ];
}
