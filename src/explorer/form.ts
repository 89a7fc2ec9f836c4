/** The settings of an analysis as a form. */
import { h } from "../report/page/dom.ts";
import type { ExplorerSettings } from "./messages.ts";

/** A form that reads as settings. */
export interface SettingsForm {
  readonly element: HTMLElement;
  /** Null where a field holds what it must not; the browser then shows which. */
  read(): ExplorerSettings | null;
  setDisabled(isDisabled: boolean): void;
}

export function settingsForm(): SettingsForm {
  const graph = choice("Unit graph", [
    ["activations", "activations: how alike units act"],
    ["weights", "weights: what joins them"],
  ]);
  const scope = choice("Scope", [
    ["global", "whole network"],
    ["local", "layer by layer"],
  ]);
  const method = choice("Partitioner", [
    ["spectral", "spectral"],
    ["leiden", "Leiden"],
    ["louvain", "Louvain"],
  ]);
  const k = number("Clusters", 16, 1, 200);
  const take = number("Inputs", 500, 20, 100_000);
  const nulls = choice("Random sets", [
    ["sequential", "up to 199, as verdicts need"],
    ["strict", "199 for every subcluster"],
    ["paper", "19: a quick look (protocol paper)"],
  ]);
  const seed = number("Seed", 0, 0, 4_294_967_295);
  const importance = tick("importance: what lesions cost", true);
  const coherence = tick("coherence: do units act as one", true);
  const images = tick("optimised images (slow)", false);
  method.input.addEventListener("change", () => {
    k.field.hidden = method.input.value !== "spectral";
  });
  const fields = [graph, scope, method, k, take, nulls, seed];
  const element = h(
    "fieldset",
    { class: "settings" },
    h("legend", {}, "Settings"),
    fields.map(({ field }) => field),
    h(
      "div",
      { class: "ticks", role: "group", "aria-label": "Scores" },
      [importance, coherence, images].map(({ field }) => field),
    ),
  );
  return {
    element,
    setDisabled(isDisabled) {
      element.disabled = isDisabled;
    },
    read() {
      if (![k, take, seed].every(({ input }) => input.reportValidity())) return null;
      return {
        graph: graph.input.value as ExplorerSettings["graph"],
        scope: scope.input.value as ExplorerSettings["scope"],
        method: method.input.value as ExplorerSettings["method"],
        k: k.input.valueAsNumber,
        take: take.input.valueAsNumber,
        protocol: nulls.input.value === "paper" ? "paper" : "strict",
        isSequential: nulls.input.value === "sequential",
        seed: seed.input.valueAsNumber,
        scores: [
          ...(importance.input.checked ? (["importance"] as const) : []),
          ...(coherence.input.checked || images.input.checked ? (["coherence"] as const) : []),
        ],
        images: images.input.checked,
      };
    },
  };
}

interface Field<Input extends HTMLElement> {
  readonly field: HTMLElement;
  readonly input: Input;
}

function choice(label: string, options: readonly (readonly [string, string])[]): Field<HTMLSelectElement> {
  const input = h(
    "select",
    {},
    options.map(([value, text]) => h("option", { value }, text)),
  );
  return { field: h("label", { class: "field" }, h("span", {}, label), input), input };
}

function number(label: string, value: number, min: number, max: number): Field<HTMLInputElement> {
  const input = h("input", { type: "number", value, min, max, step: 1, required: true });
  return { field: h("label", { class: "field" }, h("span", {}, label), input), input };
}

function tick(label: string, isChecked: boolean): Field<HTMLInputElement> {
  const input = h("input", { type: "checkbox", checked: isChecked });
  return { field: h("label", { class: "tick" }, input, label), input };
}
