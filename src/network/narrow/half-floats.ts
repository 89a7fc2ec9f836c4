/** Half-precision numbers, for networks that were stored in them. */
import { DataType, makeHalfTensor, makeNode, type NodeProto, type TensorProto } from "../../runtime/onnx.ts";
import type { ModelPart } from "../model-graph.ts";
import { kernelOf, type Network } from "../network.ts";
import { floatsOf } from "../tensor-values.ts";

/** Whether all kernels of a network are made of half-precision numbers. */
export function isHalfPrecision(network: Network): boolean {
  return network.layers.every((layer) =>
    kernelOf(network, layer).values.every((value) => halfBits(value) !== null),
  );
}

/** Initializers below this many numbers stay as they are: a cast would take more room than it saves. */
const LEAST = 64;

/** The part with what fits into half precision stored so and cast when it is loaded: the same numbers in half the room. */
export function inHalfPrecision({ nodes, initializers }: ModelPart): ModelPart {
  const casts: NodeProto[] = [];
  const stored = initializers.map((tensor): TensorProto => {
    if (tensor.dataType !== DataType.FLOAT) return tensor;
    const values = floatsOf(tensor);
    if (values.length < LEAST) return tensor;
    const bits = new Uint16Array(values.length);
    for (let i = 0; i < values.length; i++) {
      const half = halfBits(values[i] as number);
      if (half === null) return tensor;
      bits[i] = half;
    }
    const name = `${tensor.name}/half`;
    casts.push(makeNode("Cast", [name], [tensor.name], { to: BigInt(DataType.FLOAT) }));
    return makeHalfTensor(name, tensor.dims.map(Number), bits);
  });
  return { nodes: [...casts, ...nodes], initializers: stored };
}

const floatView = new Float32Array(1);
const bitView = new Uint32Array(floatView.buffer);

/** The bits of a float32 as IEEE 754 binary16; null where that would round it. */
export function halfBits(value: number): number | null {
  floatView[0] = value;
  const bits = bitView[0] as number;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127;
  const fraction = bits & 0x7fffff;
  if (value === 0) return sign;
  if (exponent > 15) return null;
  if (exponent >= -14)
    return (fraction & 0x1fff) === 0 ? sign | ((exponent + 15) << 10) | (fraction >>> 13) : null;
  const steps = Math.abs(value) * 2 ** 24;
  return Number.isInteger(steps) ? sign | steps : null;
}
