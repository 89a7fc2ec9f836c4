/** Pieces of `scores.json`. */
import type { NetworkRow, Verdict } from "./measures.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** NaN and infinities have no place in JSON: undefined numbers are null. */
export const numberOrNull = (value: number): number | null => (Number.isFinite(value) ? value : null);

export function rowEntry(row: NetworkRow): { readonly [key: string]: Json } {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [key, numberOrNull(value)]));
}

/** What a verdict's null looks like, to six digits: the true amount, and the quantiles of the random sets' amounts. */
export const spreadEntry = ({ amount, quantiles }: Verdict): Json => ({
  amount: shortOrNull(amount),
  quantiles: quantiles.map(shortOrNull),
});

const shortOrNull = (value: number): number | null =>
  Number.isFinite(value) ? Number(value.toPrecision(6)) : null;

/** A list with a line for each of its entries. */
export function formatEntries(entries: readonly Json[]): string {
  if (entries.length === 0) return "[]";
  return `[\n    ${entries.map((entry) => JSON.stringify(entry)).join(",\n    ")}\n  ]`;
}

/** An object of values that are JSON already, a line for each key. */
export function formatLines(lines: readonly (readonly [string, string])[]): string {
  return `{\n${lines.map(([key, value]) => `  "${key}": ${value}`).join(",\n")}\n}\n`;
}
