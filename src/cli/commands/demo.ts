import { fileURLToPath } from "node:url";
import type { CommandContext } from "../command-context.ts";
import { analyzeInto } from "./analyze.ts";

/** The embedded example stands above both `src` and `dist`. */
const embedded = (name: string): string =>
  fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));

/** Half of the digits that are there: the verdicts on the network are the same, in half the time. */
const DIGITS = 1000;

/**
 * `brodmann demo`: the whole analysis of the embedded network on the embedded digits. The graph is that of activations
 * unless told otherwise: its clusters matter in this network, those of the weights hardly do.
 */
export async function run(context: CommandContext): Promise<void> {
  const flags = {
    graph: "activations" as const,
    take: DIGITS,
    ...context.flags,
    data: embedded("mnist-digits.npz"),
  };
  await analyzeInto({ ...context, flags }, embedded("mnist-mlp.onnx"), flags.out ?? null);
}
