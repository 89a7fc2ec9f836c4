/** Inputs by their pictures, or by their numbers where the report holds none. */
import type { PatternInput } from "../../../patterns-document.ts";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { decimals } from "../../format.ts";

/** Inputs that the report holds pictures of. */
export const pictured = ({ data }: Context, inputs: readonly PatternInput[]): readonly PatternInput[] =>
  inputs.filter(({ input }) => data.pictures.inputs[String(input)] !== undefined);

/** A row of pictures; those that the network gets wrong are framed and marked. Null where the report holds none of them. */
export function thumbnails(
  context: Context,
  inputs: readonly PatternInput[],
  className: (label: number) => string,
): HTMLElement | null {
  const shown = pictured(context, inputs);
  if (shown.length === 0) return null;
  return h(
    "ul",
    { class: "thumbnails" },
    shown.map((each) => {
      const isWrong = each.prediction !== undefined && each.prediction !== each.label;
      const told = tellInput(each, className);
      return h(
        "li",
        { class: isWrong ? "wrong" : null, title: told },
        h("img", { src: context.data.pictures.inputs[String(each.input)] ?? "", alt: told }),
        isWrong ? h("span", { "aria-hidden": "true" }, "✕") : null,
      );
    }),
  );
}

/** "input 224: 1, probability 0.93, outlier score 0.07"; what the network says where it is wrong. */
export function tellInput(
  { input, label, prediction, probability, outlier }: PatternInput,
  className: (label: number) => string,
): string {
  const wrong =
    prediction !== undefined && prediction !== label ? `, taken for ${className(prediction)}` : "";
  const what = label === undefined ? "" : ` ${className(label)}${wrong},`;
  return `input ${input}:${what} probability ${decimals(probability, 2)}, outlier score ${decimals(outlier, 2)}`;
}

/** Numbers of inputs, for who wants to look them up. */
export const inputNumbers = (inputs: readonly PatternInput[]): string =>
  inputs.map(({ input }) => input).join(", ");
