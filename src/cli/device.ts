import { openChrome } from "../chrome/open-chrome.ts";
import { createCpuCompute } from "../compute/cpu/cpu-compute.ts";
import { openCompute } from "../compute/open-compute.ts";
import { type Engine, localEngine } from "../engine.ts";
import type { Flags } from "./flags.ts";
import type { Terminal } from "./terminal.ts";

/** Opens the device of `--device` and says which it is and why. Throws `E_DEVICE_MISSING`. */
export async function openDevice(flags: Flags, terminal: Terminal): Promise<Engine> {
  const { device = "auto" } = flags;
  if (device === "chrome") {
    const { engine, reason } = await openChrome({ onNotice: (message) => terminal.say(message) });
    terminal.say(reason);
    return engine;
  }
  const { compute, reason } = await openCompute(device, (message) => terminal.say(message));
  terminal.say(reason);
  return localEngine(compute);
}

/** The device for scores, which take networks and no kernels: the browser where it is asked for, else this process. */
export async function openScoringDevice(flags: Flags, terminal: Terminal): Promise<Engine> {
  return flags.device === "chrome" ? openDevice(flags, terminal) : localEngine(await createCpuCompute());
}
