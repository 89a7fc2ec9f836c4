/** The scale of the heatmap's colours. */
import { h, s } from "../../dom.ts";
import { digits } from "../../format.ts";

import { STEPS } from "./changes.ts";

export function colourKey(limit: number): HTMLElement {
  const [width, height] = [13, 14];
  const steps = Array.from({ length: 2 * STEPS + 1 }, (_, at) => at - STEPS);
  return h(
    "p",
    { class: "colour-key" },
    h("span", {}, `−${digits(100 * limit)}`),
    s(
      "svg",
      { width: steps.length * width, height, role: "img", "aria-label": "from fall over no change to rise" },
      steps.map((step, at) =>
        s("rect", {
          x: at * width,
          width: width - 1,
          height,
          class: step === 0 ? "flat" : step < 0 ? "fall" : "rise",
          "fill-opacity": step === 0 ? 1 : 0.1 + (0.9 * Math.abs(step)) / STEPS,
        }),
      ),
    ),
    h("span", {}, `+${digits(100 * limit)} points`),
    h("span", { class: "soft" }, "accuracy of the class: orange falls, blue rises without the subcluster"),
  );
}
