/** Geometry of the windows that convolutions and pooling slide over the spatial axes (2 and up). */
import { attributeOf, integerAttribute, integersAttribute } from "../model-graph.ts";
import type { GradientView } from "./gradient-view.ts";

/** Windows along one axis: output o reads the inputs o * stride - before + t * dilation, t below `taps`. */
export interface WindowAxis {
  readonly inputs: number;
  readonly outputs: number;
  readonly taps: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding in front and, as far as the last window reaches (also through ceil_mode), behind; may be negative. */
  readonly before: number;
  readonly after: number;
  /** Padding behind that the node declares: with ceil_mode windows may reach beyond it. */
  readonly declaredAfter: number;
}

/** The windows of a Conv or pooling node; `kernel` is the kernel's size where the node itself does not tell it. */
export function windowsOf(view: GradientView, kernel: readonly number[] | null = null): WindowAxis[] {
  const { node } = view;
  const inputs = view.shape(0).sizes.slice(2);
  const outputs = view.outputShape().sizes.slice(2);
  const rank = inputs.length;
  const taps = integersAttribute(node, "kernel_shape") ?? kernel ?? [];
  const strides = integersAttribute(node, "strides") ?? [];
  const dilations = integersAttribute(node, "dilations") ?? [];
  const pads = integersAttribute(node, "pads") ?? [];
  const auto = autoPad(view);
  return inputs.map((size, axis) => {
    const [stride, dilation] = [strides[axis] || 1, dilations[axis] || 1];
    const made = outputs[axis] as number;
    const span = dilation * ((taps[axis] as number) - 1) + 1;
    const needed = (made - 1) * stride + span - size;
    let [before, declaredAfter] = [pads[axis] ?? 0, pads[axis + rank] ?? 0];
    if (auto === "SAME_UPPER" || auto === "SAME_LOWER") {
      const total = Math.max(0, needed);
      before = auto === "SAME_UPPER" ? Math.floor(total / 2) : Math.ceil(total / 2);
      declaredAfter = total - before;
    } else if (auto === "VALID") {
      [before, declaredAfter] = [0, 0];
    }
    return {
      inputs: size,
      outputs: made,
      taps: taps[axis] as number,
      stride,
      dilation,
      before,
      after: needed - before,
      declaredAfter,
    };
  });
}

export function autoPad({ node }: GradientView): string {
  const given = attributeOf(node, "auto_pad")?.s;
  return given === undefined || given.length === 0 ? "NOTSET" : new TextDecoder().decode(given);
}

/** `group` of a convolution. */
export const groupsOf = ({ node }: GradientView): number => integerAttribute(node, "group", 1);
