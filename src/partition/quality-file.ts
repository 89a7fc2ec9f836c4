/** The `quality` of a partition file: kept when a file is read, so that what reads a partition and writes it loses nothing. */
import type { KindAgreement, NullTest, PartitionQuality, Spectrum, Stability } from "./partition.ts";

/** What a value of a file must look like: a number (null for NaN), a text, a list, or an object with at least these keys. */
type Shape = "number" | "text" | readonly [Shape] | { readonly [key: string]: Shape };

const TEST = { mean: "number", sd: "number", z: "number", p: "number" } as const;
const SHUFFLED = { ami: TEST, ari: TEST } as const;
const AGREEMENT = {
  units: "number",
  onlyFirst: "number",
  onlySecond: "number",
  neither: "number",
  ari: "number",
  ami: "number",
  nmi: "number",
  vi: "number",
  elementCentric: "number",
} as const;
const TRANSFER = { nodes: "number", own: "number", other: "number", ratio: "number" } as const;
const ROW = {
  name: "text",
  runs: "number",
  ami: "number",
  leastAmi: "number",
  elementCentric: "number",
  clusters: "number",
} as const;

const SPECTRA: Shape = [{ part: "text", values: ["number"] }];
const NULLS: Shape = [{ null: "text", draws: "number", ncut: TEST, modularity: TEST }];
const STABILITY: Shape = {
  runs: "number",
  rows: [ROW],
  unstable: "number",
  threshold: "number",
  layers: [{ name: "text", coAssignment: ["number"] }],
};
const KIND_AGREEMENT = {
  kind: "text",
  clusters: "number",
  ncut: "number",
  modularity: "number",
  shuffles: "number",
  overall: { ...AGREEMENT, withinLayers: SHUFFLED, freely: SHUFFLED },
  layers: [{ ...AGREEMENT, name: "text", shuffled: SHUFFLED }],
} as const;

/**
 * Quality as it was written; null without n-cut and modularity. Eigenvalues, nulls, stability and agreement that are not as Brodmann
 * writes them are somebody else's, and left out.
 */
export function parseQuality(value: unknown): PartitionQuality | null {
  if (!isRecord(value)) return null;
  const { ncut, modularity } = value;
  if (typeof ncut !== "number" || typeof modularity !== "number") return null;
  const eigenvalues = restore(value.eigenvalues, SPECTRA) as readonly Spectrum[] | undefined;
  const nulls = restore(value.nulls, NULLS) as readonly NullTest[] | undefined;
  const stability = restore(value.stability, STABILITY) as Stability | undefined;
  const agreement = restore(value.agreement, {
    ...KIND_AGREEMENT,
    transfer: transferShape(value.agreement),
  }) as KindAgreement | undefined;
  return {
    ncut,
    modularity,
    ...(eigenvalues && { eigenvalues }),
    ...(nulls && { nulls }),
    ...(stability && { stability }),
    ...(agreement && { agreement }),
  };
}

/** Transfers that are there: null stands for none. */
function transferShape(agreement: unknown): Shape {
  const transfer = isRecord(agreement) && isRecord(agreement.transfer) ? agreement.transfer : {};
  const names = ["toOther", "fromOther"].filter((name) => transfer[name] !== null);
  return Object.fromEntries(names.map((name) => [name, TRANSFER]));
}

/** The value with NaN where the file has null; undefined where it is of another shape. */
function restore(value: unknown, shape: Shape): unknown {
  if (shape === "number") return value === null ? Number.NaN : typeof value === "number" ? value : undefined;
  if (shape === "text") return typeof value === "string" ? value : undefined;
  if (isList(shape)) {
    if (!Array.isArray(value)) return undefined;
    const items = value.map((item) => restore(item, shape[0]));
    return items.includes(undefined) ? undefined : items;
  }
  if (!isRecord(value)) return undefined;
  const entries = Object.entries(shape).map(([key, part]) => [key, restore(value[key], part)] as const);
  return entries.some(([, part]) => part === undefined)
    ? undefined
    : { ...value, ...Object.fromEntries(entries) };
}

function isList(shape: Shape): shape is readonly [Shape] {
  return Array.isArray(shape);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
