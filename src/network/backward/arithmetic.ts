/** Gradients of arithmetic with broadcasting, and of choices between values. */
import { type GradientRule, type GradientView, reduceTo } from "./gradient-view.ts";

/** A gradient for every wanted input, summed over what the input was repeated along. */
const broadcast =
  (gradient: (view: GradientView, input: number) => string): GradientRule =>
  (view) =>
    view.node.input.map((_, i) =>
      view.isWanted(i) ? reduceTo(view, gradient(view, i), view.outputShape(), view.shape(i)) : null,
    );

const multiply = broadcast((view, i) => view.add("Mul", [view.upstream, view.input(1 - i)]));

const divide = broadcast((view, i) => {
  const quotient = view.add("Div", [view.upstream, view.input(1)]);
  return i === 0 ? quotient : view.add("Neg", [view.add("Mul", [quotient, view.output()])]);
});

const power = broadcast((view, i) => {
  const [base, exponent] = [view.input(0), view.input(1)];
  if (i === 1) {
    const growth = view.add("Mul", [view.output(), view.add("Log", [base])]);
    return view.add("Mul", [view.upstream, growth]);
  }
  const lowered = view.add("Pow", [base, view.add("Sub", [exponent, view.scalar(1)])]);
  return view.add("Mul", [view.upstream, view.add("Mul", [exponent, lowered])]);
});

/** Max and Min: equal values share, as in PyTorch's `maximum`; a value that stands alone takes all. */
const extremum = broadcast((view, i) => {
  const loses = view.node.opType === "Max" ? "Less" : "Greater";
  const isLost = (input: number) => view.add(loses, [view.input(input), view.output()]);
  const shares = view.node.input.map((_, input) =>
    view.add("Where", [isLost(input), view.scalar(0), view.scalar(1)]),
  );
  const [first = ""] = shares;
  const total = shares.length === 1 ? first : view.add("Sum", shares);
  return view.add("Mul", [view.upstream, view.add("Div", [shares[i] as string, total])]);
});

/** The two sides of a choice; the condition has no gradient. */
const choose = broadcast((view, i) => {
  const [condition, none] = [view.input(0), view.scalar(0)];
  return view.add("Where", i === 1 ? [condition, view.upstream, none] : [condition, none, view.upstream]);
});

export const ARITHMETIC_RULES: readonly (readonly [string, GradientRule])[] = [
  ["Add", broadcast((view) => view.upstream)],
  ["Sum", broadcast((view) => view.upstream)],
  ["Sub", broadcast((view, i) => (i === 0 ? view.upstream : view.add("Neg", [view.upstream])))],
  ["Mean", broadcast((view) => view.add("Div", [view.upstream, view.scalar(view.node.input.length)]))],
  ["Mul", multiply],
  ["Div", divide],
  ["Pow", power],
  ["Max", extremum],
  ["Min", extremum],
  ["Where", choose],
];
