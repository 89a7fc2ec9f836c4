/**
 * The k largest squared correlations of every unit on the GPU. Standardised rows and lists stay on the device; each tile
 * of the product is merged into the lists of its rows and, mirrored, into those of its columns as soon as it is there, and
 * then overwritten by the next. Nothing is read back before the end: units x k values and columns.
 *
 * At 100,000 units, 4,096 samples and k = 32: 13 panels of 8,192 rows (1.6 GB), 91 tiles of 268 MB, 4.1e13 operations of
 * the product against 61 GB that writing the tiles and reading them twice moves. On a GPU of 40 Tflop/s, half of it
 * reached, and 1 TB/s that is 2.1 s against 0.06 s; lists are another 0.2 GB per panel row. See shaders/top-k.wgsl.
 */
import { type RunOptions, StepCounter } from "../../progress.ts";
import type { CorrelationMethod, TopCorrelations } from "../compute.ts";
import { type CorrelationFormName, correlationSteps } from "./correlation.ts";
import { fastestForm } from "./fastest-form.ts";
import type { GpuDevice } from "./gpu-device.ts";
import {
  cutRows,
  loadPanel,
  type Panel,
  RESIDENT_BYTES,
  type RecordedPanel,
  releasePanels,
  rowsPerPanel,
  standardisePanels,
  unloadPanel,
} from "./standardised-panels.ts";
import { clearSteps, type DeviceLists, makeLists, readLists, releaseLists, topSteps } from "./top-k.ts";

/**
 * Units of a panel at the most. A tile of 8,192 x 8,192 fills a large GPU 16 times over, so that its last workgroups
 * leave little of it idle, and is done in tens of milliseconds there, within half a second on a small one.
 */
export const TOP_PANEL_ROWS = 8192;
/** Tiles that the queue holds beyond the one it works on: the device never waits, an abort takes no longer than this. */
const TILES_AHEAD = 2;

/** See `Compute.topCorrelations`; `values` and `residentBytes` as in `correlations`. */
export async function topCorrelations(
  device: GpuDevice,
  values: Float32Array | readonly RecordedPanel[],
  units: number,
  samples: number,
  method: CorrelationMethod,
  most: number,
  options: RunOptions = {},
  residentBytes: number = RESIDENT_BYTES,
): Promise<TopCorrelations> {
  const k = Math.min(most, Math.max(0, units - 1));
  const isDead = new Uint8Array(units);
  const top = { units, k, values: new Float32Array(units * k), columns: new Int32Array(units * k), isDead };
  if (units === 0 || samples === 0) {
    top.columns.fill(-1);
    isDead.fill(1);
    return top;
  }
  const form = await fastestForm(device);
  const recorded =
    values instanceof Float32Array
      ? cutRows(values, units, samples, rowsPerPanel(device, units, samples, TOP_PANEL_ROWS))
      : values;
  const count = recorded.length;
  const counter = new StepCounter("correlations", count + (count * (count + 1)) / 2, options);
  const panels = await standardisePanels(device, recorded, samples, method, residentBytes, isDead, counter);
  const lists: DeviceLists[] = [];
  try {
    for (const { rows } of panels) lists.push(makeLists(device, rows, k));
    if (k > 0) await mergeTiles(device, form, panels, lists, samples, counter);
    for (const [number, { first }] of panels.entries()) {
      await readLists(device, lists[number] as DeviceLists, first, top.values, top.columns);
    }
    return top;
  } finally {
    lists.forEach(releaseLists);
    releasePanels(panels);
  }
}

/** Multiplies every pair of panels once and merges what comes out into both panels' lists. */
async function mergeTiles(
  device: GpuDevice,
  form: CorrelationFormName,
  panels: readonly Panel[],
  lists: readonly DeviceLists[],
  samples: number,
  counter: StepCounter,
): Promise<void> {
  const largest = panels[0]?.rows ?? 0;
  using squared = device.buffer("correlation/squared", 4 * largest * largest);
  await device.submit("top-k", lists.flatMap(clearSteps));
  const ahead: Promise<void>[] = [];
  for (const [number, left] of panels.entries()) {
    const leftRows = loadPanel(device, left);
    try {
      for (let other = number; other < panels.length; other++) {
        const right = panels[other] as Panel;
        const rightRows = right === left ? leftRows : loadPanel(device, right);
        const tile = { values: squared, rows: left.rows, columns: right.rows };
        try {
          await device.submit("correlation", [
            ...correlationSteps(form, leftRows, rightRows, samples, squared),
            ...topSteps(device, lists[number] as DeviceLists, tile, right.first, false),
            // A tile on the diagonal holds its mirror image already.
            ...(right === left ? [] : topSteps(device, lists[other] as DeviceLists, tile, left.first, true)),
          ]);
        } finally {
          if (rightRows !== leftRows) unloadPanel(right, rightRows);
        }
        const done = device.finish();
        // Awaited later; until then a failure is no unhandled one.
        done.catch(() => {});
        ahead.push(done);
        if (ahead.length > TILES_AHEAD) await ahead.shift();
        counter.advance(1);
      }
    } finally {
      unloadPanel(left, leftRows);
    }
  }
  await Promise.all(ahead);
}
