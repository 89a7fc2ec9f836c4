import { createHash } from "node:crypto";
import { graphOf, tensorsOf } from "./load-model.ts";
import type { Network } from "./network.ts";

/** SHA-256 of the numbers that are stored in a network, those of files beside the model included, in hexadecimal. */
export function hashWeights({ graph }: Network): string {
  const hash = createHash("sha256");
  for (const { name, rawData } of tensorsOf(graphOf(graph.model))) hash.update(name).update(rawData);
  return hash.digest("hex");
}
