import { makeFloatTensor, makeNode, type TensorProto } from "../../runtime/onnx.ts";
import { type ModelPart, readsOf } from "../model-graph.ts";
import { dimsOf, floatsOf, isFloatTensor } from "../tensor-values.ts";
import { type Block, sizeOf } from "./blocks.ts";

/**
 * The part with constants of `sums` that a bias follows in that bias: a MatMul has none of its own, its bias is an Add
 * behind it. `sums` are values made by an Add of a constant; `outputs` have to stay.
 */
export function mergeBiases(
  part: ModelPart,
  sums: ReadonlySet<string>,
  outputs: readonly string[],
): ModelPart {
  const initializers = new Map(part.initializers.map((tensor) => [tensor.name, tensor]));
  const nodes = [...part.nodes];
  const readers = new Map<string, number>();
  for (const node of nodes) for (const name of readsOf(node)) readers.set(name, (readers.get(name) ?? 0) + 1);
  for (const sum of sums) {
    const first = nodes.findIndex(({ output }) => output[0] === sum);
    const second = nodes.findIndex(({ opType, input }) => opType === "Add" && input.includes(sum));
    const [made, reader] = [nodes[first], nodes[second]];
    if (made === undefined || reader === undefined || readers.get(sum) !== 1 || outputs.includes(sum))
      continue;
    const [from = "", own = ""] = made.input;
    const bias = reader.input.find((name) => name !== sum) ?? "";
    const constants = [own, bias].map((name) => initializers.get(name));
    const [one, other] = constants;
    if (one === undefined || other === undefined || !constants.every((some) => some && isFloatTensor(some)))
      continue;
    const { dims, values } = addBlocks(blockOf(one), blockOf(other));
    initializers.set(own, makeFloatTensor(own, dims, values));
    const { name } = reader;
    nodes[second] = { ...makeNode("Add", [from, own], reader.output), name };
    nodes.splice(first, 1);
  }
  const used = new Set(nodes.flatMap(readsOf));
  return { nodes, initializers: [...initializers.values()].filter(({ name }) => used.has(name)) };
}

const blockOf = (tensor: TensorProto): Block => ({ dims: dimsOf(tensor), values: floatsOf(tensor) });

/** The sum of two blocks that broadcast against each other. */
export function addBlocks(one: Block, other: Block): Block {
  const rank = Math.max(one.dims.length, other.dims.length);
  const aligned = [one, other].map(({ dims, values }) => ({
    values,
    dims: [...new Array<number>(rank - dims.length).fill(1), ...dims],
  }));
  const dims = Array.from({ length: rank }, (_, axis) =>
    Math.max(...aligned.map((block) => block.dims[axis] as number)),
  );
  const values = new Float32Array(sizeOf(dims));
  for (const block of aligned) {
    for (let place = 0; place < values.length; place++) {
      let [rest, at, stride] = [place, 0, 1];
      for (let axis = rank - 1; axis >= 0; axis--) {
        const size = dims[axis] as number;
        const own = block.dims[axis] as number;
        if (own > 1) at += (rest % size) * stride;
        rest = Math.floor(rest / size);
        stride *= own;
      }
      values[place] = (values[place] as number) + (block.values[at] as number);
    }
  }
  return { dims, values };
}
