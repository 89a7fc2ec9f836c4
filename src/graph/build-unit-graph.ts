import type { Compute } from "../compute/compute.ts";
import { BrodmannError } from "../errors.ts";
import type { Network } from "../network/network.ts";
import type { InputSource } from "../network/outcomes.ts";
import { type ActivationGraphOptions, buildActivationGraph } from "./activation-graph.ts";
import type { UnitGraph } from "./unit-graph.ts";
import { buildWeightGraph } from "./weight-graph.ts";

export interface UnitGraphOptions extends ActivationGraphOptions {
  /** Default `weights`. */
  readonly kind?: "weights" | "activations" | undefined;
  /** Norm of kernel slices in weight graphs; default `l1`. */
  readonly norm?: "l1" | "l2" | undefined;
}

/** The unit graph of the given kind and scope; activation graphs need inputs. */
export async function buildUnitGraph(
  network: Network,
  data: InputSource | null,
  compute: Compute,
  options: UnitGraphOptions = {},
): Promise<UnitGraph> {
  if (options.kind !== "activations") {
    if (options.topK === undefined) return buildWeightGraph(network, compute, options);
    throw new BrodmannError("E_USAGE_TOP_K", "--top-k: found a weight graph, expected an activation graph", {
      hint: "Add --graph activations, or leave --top-k out: a weight graph has the network's own edges.",
    });
  }
  if (data !== null) return buildActivationGraph(network, data, compute, options);
  throw new BrodmannError("E_USAGE_DATA", "--graph activations: found no inputs, expected --data", {
    hint: "Pass the inputs whose activations are correlated: --data inputs.npz.",
  });
}
