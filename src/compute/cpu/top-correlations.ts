/**
 * The k largest squared correlations of every unit, picked from each panel of the product as it comes, so that a matrix
 * of units x units is never held: memory is that of the rows, one panel and the lists.
 */
import { type RunOptions, StepCounter } from "../../progress.ts";
import type { CorrelationMethod, TopCorrelations } from "../compute.ts";
import {
  multiplyPanels,
  type ProductPanel,
  panelSteps,
  standardiseRows,
  standardiseSteps,
} from "./correlation-panels.ts";
import type { Matmul } from "./matmul.ts";
import { finishLists, makeTopLists, offer, type TopLists } from "./top-k.ts";

/** See `Compute.topCorrelations`. `values` is units x samples; it is standardised in place. */
export async function topCorrelations(
  matmul: Matmul,
  values: Float32Array,
  units: number,
  samples: number,
  method: CorrelationMethod,
  k: number,
  options: RunOptions = {},
): Promise<TopCorrelations> {
  const counter = new StepCounter("correlations", standardiseSteps(units) + panelSteps(units), options);
  const lists = makeTopLists(units, Math.min(k, Math.max(0, units - 1)));
  const isDead = standardiseRows(values, units, samples, method, counter);
  await multiplyPanels(matmul, values, units, samples, counter, (panel) => {
    offerPanel(lists, panel);
  });
  finishLists(lists);
  return { units, k: lists.k, values: lists.values, columns: lists.columns, isDead };
}

/**
 * Offers what a panel holds below the diagonal to the lists of its rows and, mirrored, to those of its columns. Panels
 * come by column, rows ascend within them: each list is offered ascending columns, as `offer` wants it.
 */
function offerPanel(lists: TopLists, { firstRow, rows, firstColumn, columns, product }: ProductPanel): void {
  const { threshold } = lists;
  for (let row = 0; row < rows; row++) {
    const unit = firstRow + row;
    const end = Math.min(columns, unit - firstColumn);
    const from = row * columns;
    let least = threshold[unit] as number;
    for (let column = 0; column < end; column++) {
      const value = product[from + column] as number;
      const square = Math.fround(value * value);
      const other = firstColumn + column;
      if (square > least) {
        offer(lists, unit, square > 1 ? 1 : square, other);
        least = threshold[unit] as number;
      }
      if (square > (threshold[other] as number)) offer(lists, other, square > 1 ? 1 : square, unit);
    }
  }
}
