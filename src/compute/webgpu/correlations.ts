/**
 * Squared correlations of units over samples on the GPU: the product of standardised rows with themselves, panel by
 * panel.
 */
import { type RunOptions, StepCounter } from "../../progress.ts";
import type { CorrelationMethod, Correlations } from "../compute.ts";
import { correlationForm, correlationSteps } from "./correlation.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { multiplyPanels } from "./panel-products.ts";
import {
  cutRows,
  RESIDENT_BYTES,
  type RecordedPanel,
  releasePanels,
  rowsPerPanel,
  standardisePanels,
} from "./standardised-panels.ts";

/**
 * See `Compute.correlations`; `values` is units x samples, or in panels that a recorder holds. `residentBytes` is the
 * most that standardised rows may take on the device.
 */
export async function correlations(
  device: GpuDevice,
  values: Float32Array | readonly RecordedPanel[],
  units: number,
  samples: number,
  method: CorrelationMethod,
  options: RunOptions = {},
  residentBytes: number = RESIDENT_BYTES,
): Promise<Correlations> {
  const isDead = new Uint8Array(units);
  if (units === 0 || samples === 0) {
    return { units, values: new Float32Array(units * units), isDead: isDead.fill(1) };
  }
  const form = await correlationForm(device);
  const recorded =
    values instanceof Float32Array
      ? cutRows(values, units, samples, rowsPerPanel(device, units, samples))
      : values;
  const count = recorded.length;
  const counter = new StepCounter("correlations", count + (count * (count + 1)) / 2, options);
  const panels = await standardisePanels(device, recorded, samples, method, residentBytes, isDead, counter);
  try {
    const squares = await multiplyPanels(device, panels, units, counter, (left, right, squared) =>
      correlationSteps(form, left, right, samples, squared),
    );
    return { units, values: squares, isDead };
  } finally {
    releasePanels(panels);
  }
}
