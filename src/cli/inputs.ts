import type { Compute } from "../compute/compute.ts";
import { createCpuCompute } from "../compute/cpu/cpu-compute.ts";
import { type Dataset, loadDataset } from "../data/dataset.ts";
import { reshapeInputs } from "../data/reshape-inputs.ts";
import { BrodmannError } from "../errors.ts";
import { loadNetwork, type Network } from "../network/network.ts";
import type { Flags } from "./flags.ts";
import type { Terminal } from "./terminal.ts";

/** A network and, where `--data` is given, its inputs in the shape it reads. */
export interface OpenInputs {
  readonly network: Network;
  readonly data: Dataset | null;
}

/**
 * Loads the network and the data. Each may need the other: images of a folder are brought to the network's input
 * size, and a network with open sizes takes the data's.
 */
export async function openInputs(modelPath: string, flags: Flags, terminal: Terminal): Promise<OpenInputs> {
  const load = (inputShape?: readonly number[]) =>
    loadDataset(flags.data ?? "", {
      skip: flags.skip,
      take: flags.take,
      mean: flags.mean,
      std: flags.std,
      inputShape,
    });
  let network: Network;
  let data: Dataset | null = null;
  try {
    network = await loadNetwork(modelPath);
    if (flags.data !== undefined) data = await load(network.inputShape);
  } catch (error) {
    const hasOpenSizes = error instanceof BrodmannError && error.code === "E_NETWORK_SHAPE";
    if (!hasOpenSizes || flags.data === undefined) throw error;
    data = await load();
    network = await loadNetwork(modelPath, { inputShape: data.inputShape });
  }
  for (const { node, operator, reason } of network.skipped) {
    terminal.say(`not followed: ${node} (${operator}): ${reason}`);
  }
  if (data === null) return { network, data };
  const { format, path, notes } = data.source;
  terminal.say(`data: ${data.count} inputs of shape ${data.inputShape.join("x")} from ${path} (${format})`);
  for (const note of notes) terminal.say(`data: ${note}`);
  return { network, data: reshapeInputs(data, network.inputShape) };
}

/** The data, or an error that names the flag. */
export function requireData(data: Dataset | null, command: string): Dataset {
  if (data !== null) return data;
  throw new BrodmannError("E_USAGE_DATA", `${command}: found no inputs, expected --data`, {
    hint: "Pass labelled inputs: --data inputs.npz.",
  });
}

/** Opens the device that graphs and partitions are computed on. Throws `E_DEVICE_MISSING`. */
export async function openCompute(flags: Flags, terminal: Terminal): Promise<Compute> {
  const { device = "auto" } = flags;
  if (device === "webgpu" || device === "chrome") {
    throw new BrodmannError(
      "E_DEVICE_MISSING",
      `--device ${device}: found only the CPU, expected a WebGPU device`,
      {
        hint: "This version computes on the CPU: use --device cpu or leave the flag out.",
      },
    );
  }
  if (device === "auto") terminal.say("device: cpu (this version has no WebGPU kernels)");
  return createCpuCompute();
}

/** Refuses scores that do not exist. */
export function checkScores(flags: Flags): void {
  const unknown = (flags.scores ?? "importance").split(",").find((name) => name.trim() !== "importance");
  if (unknown === undefined) return;
  throw new BrodmannError("E_USAGE_SCORES", `--scores: found "${unknown}", expected importance`, {
    hint: "This version scores importance only.",
  });
}
