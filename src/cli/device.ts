import type { Compute } from "../compute/compute.ts";
import { openCompute } from "../compute/open-compute.ts";
import { BrodmannError } from "../errors.ts";
import type { Flags } from "./flags.ts";
import type { Terminal } from "./terminal.ts";

/** Opens the device of `--device` and says which it is and why. Throws `E_DEVICE_MISSING`. */
export async function openDevice(flags: Flags, terminal: Terminal): Promise<Compute> {
  const { device = "auto" } = flags;
  if (device === "chrome") {
    throw new BrodmannError(
      "E_DEVICE_MISSING",
      "--device chrome: found no support for it, expected a browser",
      {
        hint: "This version does not run in Chrome yet: use --device webgpu or cpu.",
      },
    );
  }
  const { compute, reason } = await openCompute(device, (message) => terminal.say(message));
  terminal.say(reason);
  return compute;
}
