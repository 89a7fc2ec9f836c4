import { ACTIVATION_RULES } from "./activations.ts";
import { ARITHMETIC_RULES } from "./arithmetic.ts";
import { ATTENTION_RULES } from "./attention.ts";
import type { GradientRule } from "./gradient-view.ts";
import { LINEAR_RULES } from "./linear.ts";
import { MOVING_RULES } from "./moving.ts";
import { NORMALISATION_RULES } from "./normalisation.ts";
import { POOLING_RULES } from "./pooling.ts";
import { REDUCTION_RULES } from "./reductions.ts";
import { RESIZING_RULES } from "./resizing.ts";

/** What every ONNX operator does to gradients. */
export const GRADIENT_RULES: ReadonlyMap<string, GradientRule> = new Map([
  ...ACTIVATION_RULES,
  ...ARITHMETIC_RULES,
  ...ATTENTION_RULES,
  ...LINEAR_RULES,
  ...MOVING_RULES,
  ...NORMALISATION_RULES,
  ...POOLING_RULES,
  ...REDUCTION_RULES,
  ...RESIZING_RULES,
]);
