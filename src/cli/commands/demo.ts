import { fileURLToPath } from "node:url";
import type { CommandContext } from "../commands.ts";
import { openInputs, requireData } from "../inputs.ts";
import { analyzeInto } from "./analyze.ts";

/** The embedded example stands above both `src` and `dist`. */
const embedded = (name: string): string =>
  fileURLToPath(new URL(`../../../examples/${name}`, import.meta.url));

/** `brodmann demo`: the whole analysis of the embedded network on the embedded digits. */
export async function run(context: CommandContext): Promise<void> {
  const model = embedded("mnist-mlp.onnx");
  const flags = { ...context.flags, data: embedded("mnist-digits.npz") };
  const { network, data } = await openInputs(model, flags, context.terminal);
  await analyzeInto(context, network, requireData(data, "demo"), model, context.flags.out ?? null);
}
