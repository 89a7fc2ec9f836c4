/** What a lesion does to the inputs one by one, as a bar. */
import type { StateCounts } from "../../../populations-document.ts";
import { h } from "../../dom.ts";

/** Inputs that change. */
export const changedInputs = (states: StateCounts): number =>
  states.lost + states["lost only jointly"] + states.gained;

/** Lost, lost only jointly and gained, on a scale that ends at `most`; the numbers stand beside it. */
export function stateBar(states: StateCounts, most: number): HTMLElement {
  const part = (inputs: number, name: string): HTMLElement | null =>
    inputs === 0
      ? null
      : h("span", { class: name, style: `width:${((100 * inputs) / Math.max(1, most)).toFixed(1)}%` });
  return h(
    "span",
    { class: "state-bar", "aria-hidden": "true" },
    part(states.lost, "lost"),
    part(states["lost only jointly"], "jointly"),
    part(states.gained, "gained"),
  );
}

export const STATES_EXPLAINED =
  "Lost: right before, wrong after, and so by the lesion of one of the units alone. Lost only jointly: right under each unit's own lesion, wrong under the common one; the units stand in for each other. Gained: wrong before, right after. Kept: right before and after. Never right: wrong before and after.";
