import { makeUntypedValueInfo, makeValueInfo, type NodeProto, type TensorProto } from "../../runtime/onnx.ts";
import { floatTensor, Session, type Tensor } from "../../runtime/session.ts";
import { encodePart, readsOf } from "../model-graph.ts";
import { elementTypeOf } from "../probe.ts";
import { nodeName } from "../unit-flow.ts";
import { type Block, sizeOf, takeSlices } from "./blocks.ts";
import { type Frame, frameOf, type Narrowing } from "./narrowing.ts";

/** A block for one input as a batch of equal inputs. */
function tensorOf(block: Block, frame: Frame | null, batch: number): Tensor {
  const { dims, values } =
    frame === null || batch === 1 ? block : takeSlices(block, frame.batchAxis, new Int32Array(batch));
  return floatTensor(values, dims);
}

/**
 * What a node of the network as it was makes of the constants of its inputs; its own live slices come out as anything.
 * Null where an input is neither stored nor followed. Outputs that are no floats of one row for an input are left out.
 */
export async function evaluateNode(
  state: Narrowing,
  node: NodeProto,
  given: ReadonlyMap<string, Block> = new Map(),
): Promise<ReadonlyMap<string, Block> | null> {
  const { graph, probe, name } = state.network;
  const batch = probe.fixedBatch ?? 1;
  const feeds: Record<string, Tensor> = {};
  const initializers: TensorProto[] = [];
  for (const value of new Set(readsOf(node))) {
    const stored = graph.initializers.get(value);
    const known = probe.constants.get(value);
    const frame = frameOf(state, value);
    const block = given.get(value) ?? state.narrow.get(value)?.constants;
    if (block !== undefined) feeds[value] = tensorOf(block, frame, batch);
    else if (stored !== undefined) initializers.push(stored);
    else if (known !== undefined) feeds[value] = known;
    else if (frame === null) return null;
    else
      feeds[value] = tensorOf(
        { dims: frame.dims, values: new Float32Array(sizeOf(frame.dims)) },
        frame,
        batch,
      );
  }
  const outputs = node.output.filter((output) => output !== "");
  const model = encodePart(graph, {
    nodes: [node],
    initializers,
    inputs: Object.entries(feeds).map(([value, tensor]) =>
      makeValueInfo(value, tensor.dims, elementTypeOf(tensor)),
    ),
    outputs: outputs.map(makeUntypedValueInfo),
  });
  const session = await Session.create(model, {
    label: `${name}, ${nodeName(node)}`,
    isOneShot: true,
    threads: 1,
  });
  try {
    const made = await session.run(feeds);
    const found = new Map<string, Block>();
    for (const value of outputs) {
      const frame = frameOf(state, value);
      const tensor = made[value];
      if (frame === null || !(tensor?.data instanceof Float32Array)) continue;
      const expected = frame.dims.map((size, axis) => (axis === frame.batchAxis ? batch : size));
      if (expected.join() !== tensor.dims.join()) continue;
      found.set(value, takeSlices({ dims: expected, values: tensor.data }, frame.batchAxis, [0]));
    }
    return found;
  } finally {
    await session.dispose();
  }
}
