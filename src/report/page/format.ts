/** Numbers as people read them: few digits, and a dash for what is undefined. */

type Maybe = number | null | undefined;

const DASH = "–";
const MINUS = "−";

const isNumber = (value: Maybe): value is number => typeof value === "number" && Number.isFinite(value);
const withMinus = (text: string): string => text.replaceAll("-", MINUS);

/** So many significant digits, without powers of ten where that is short enough. */
export function digits(value: Maybe, significant: number = 3): string {
  if (!isNumber(value)) return DASH;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-4) return withMinus(value.toExponential(significant - 1));
  return withMinus(String(Number(value.toPrecision(significant))));
}

export function decimals(value: Maybe, count: number): string {
  if (!isNumber(value)) return DASH;
  return withMinus(value.toFixed(count).replace(/^-(0(?:\.0+)?)$/, "$1"));
}

/** A share as a percentage. */
export const percent = (share: Maybe, count: number = 1): string =>
  isNumber(share) ? `${decimals(100 * share, count)} %` : DASH;

/** A p-value: three decimals, "< .001" below. */
export function formatP(p: Maybe): string {
  if (!isNumber(p)) return DASH;
  return p < 0.001 ? "< .001" : p.toFixed(3).replace(/^0/, "");
}

/** A whole number with thin spaces, which do not break, between thousands. */
export const count = (value: Maybe): string =>
  isNumber(value) ? withMinus(String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f")) : DASH;

/** "1 unit", "3 units". */
export const plural = (value: number, noun: string): string =>
  `${count(value)} ${noun}${value === 1 ? "" : "s"}`;

/** At most so many characters: the ends of a long name tell more than its middle. */
export const shorten = (text: string, most: number): string =>
  text.length <= most
    ? text
    : most < 6
      ? `${text.slice(0, most - 1)}…`
      : `${text.slice(0, Math.ceil(most / 2) - 1)}…${text.slice(-Math.floor(most / 2))}`;
