import type { NodeProto } from "../../runtime/onnx.ts";
import { evaluateNode } from "./evaluate-node.ts";
import {
  emit,
  isStored,
  keptName,
  type Narrow,
  type Narrowing,
  setNarrow,
  usesMoreOutputs,
} from "./narrowing.ts";

/** The node on what is left of its first input, whose slices become those along `axis` of the output. */
export async function carry(
  state: Narrowing,
  node: NodeProto,
  axis: number,
  change: Partial<NodeProto> = {},
): Promise<boolean> {
  const [data = "", ...others] = node.input;
  const [output = ""] = node.output;
  const { live, layers } = state.narrow.get(data) as Narrow;
  if (usesMoreOutputs(state, node)) return false;
  if (others.some((name) => name !== "" && !isStored(state, name))) return false;
  const constants = (await evaluateNode(state, node))?.get(output);
  if (constants === undefined) return false;
  const input = change.input ?? [keptName(data), ...others];
  emit(state, { ...node, ...change, input, output: [keptName(output)] });
  setNarrow(state, output, { axis, live, constants, layers });
  return true;
}
