/**
 * Squared correlations of units over samples (method note 3.6): rows standardised to mean 0 and length 1, so that the
 * correlation matrix is Z Z^T. Squares, clipping, the mirror image and the zero diagonal belong to the epilogue of each
 * panel of the product, which writes the result once.
 */
import { type RunOptions, StepCounter } from "../../progress.ts";
import type { CorrelationMethod, Correlations } from "../compute.ts";
import { multiplyPanels, panelSteps, standardiseRows, standardiseSteps } from "./correlation-panels.ts";
import type { Matmul } from "./matmul.ts";
import { mirrorPanel } from "./mirror-panel.ts";

/** See `Compute.correlations`. `values` is units x samples; it is standardised in place, a large array less. */
export async function correlations(
  matmul: Matmul,
  values: Float32Array,
  units: number,
  samples: number,
  method: CorrelationMethod,
  options: RunOptions = {},
): Promise<Correlations> {
  const counter = new StepCounter("correlations", standardiseSteps(units) + panelSteps(units), options);
  const result = new Float32Array(units * units);
  const isDead = standardiseRows(values, units, samples, method, counter);
  await multiplyPanels(matmul, values, units, samples, counter, (panel) => {
    mirrorPanel(result, units, panel, square);
  });
  return { units, values: result, isDead };
}

/** Squares correlations, clipped to 1. */
function square(product: Float32Array, start: number, end: number): void {
  for (let at = start; at < end; at++) {
    const value = product[at] as number;
    const squared = value * value;
    product[at] = squared > 1 ? 1 : squared;
  }
}
