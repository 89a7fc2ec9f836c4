import { fileURLToPath } from "node:url";
import type { CommandContext } from "../commands.ts";
import { analyzeInto } from "./analyze.ts";

/** The embedded example stands above both `src` and `dist`. */
const embedded = (name: string): string =>
  fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));

/** `brodmann demo`: the whole analysis of the embedded network on the embedded digits. */
export async function run(context: CommandContext): Promise<void> {
  const flags = { ...context.flags, data: embedded("mnist-digits.npz") };
  await analyzeInto({ ...context, flags }, embedded("mnist-mlp.onnx"), flags.out ?? null);
}
