/** What Node asks of the bench's page; the calls are carried as those of `src/chrome/calls.ts`. */
import type { BenchAdapter } from "./adapter.ts";
import type { Peaks } from "./gpu-peaks.ts";
import type { ShaderTexts } from "./shader-texts.ts";
import type { Effort, WayTimes } from "./timed-way.ts";

/** What a page has found. */
export interface BenchPageFacts {
  readonly adapter: BenchAdapter;
  readonly largestBuffer: number;
}

export interface BenchCalls {
  /** Takes an adapter; null where there is none of the kind that is wanted. */
  open(call: {
    readonly shaders: ShaderTexts;
    readonly adapter: "any" | "hardware" | "software";
  }): BenchPageFacts | null;
  peaks(call: { readonly runs: number }): Peaks;
  /** Makes the inputs of one problem, and gives the forms of its ways on the GPU; calls below name them by their place. */
  openProblem(call: { readonly kernel: string; readonly size: string }): readonly string[];
  /** See `TimedWay`. The CPU's answer comes here, since pages can read more than they can send: a matrix of 1 GiB. */
  check(call: { readonly way: number; readonly expected: ArrayLike<number> }): number;
  time(call: { readonly way: number; readonly effort: Effort }): WayTimes;
  closeProblem(call: Record<string, never>): void;
}
