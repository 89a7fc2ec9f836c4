/**
 * One colour for every cluster, the same wherever it is drawn. The first eight are told apart with any of the common
 * colour vision deficiencies (after Okabe & Ito 2008, jfly.uni-koeln.de/color), sixteen where they stand side by side with
 * gaps; all stand out from white and from black. Further ones are the same hues, lighter and darker. No picture tells
 * clusters apart by colour alone.
 */
const HUES: readonly string[] = [
  ..."0072b2 e69f00 009e73 cc79a7 56b4e9 d55e00 b8a500 7a5195".split(" "),
  ..."1f6f8b f4a6a6 1b7a6e 8c510a a6cee3 767676 66a61e bc5090".split(" "),
];

/** Share of white (above 0) or black (below) mixed in, by round. */
const ROUNDS = [0, 0.42, -0.38] as const;

/** Units in no cluster. */
export const UNASSIGNED_COLOUR = "#999999";

/** #rrggbb; without alpha, which some viewers of graph files take for a request to draw all in grey. */
export function colourOf(cluster: number): string {
  if (cluster < 0) return UNASSIGNED_COLOUR;
  const hue = Number.parseInt(HUES[cluster % HUES.length] as string, 16);
  const mixed = ROUNDS[Math.floor(cluster / HUES.length) % ROUNDS.length] as number;
  const target = mixed > 0 ? 255 : 0;
  const channels = [16, 8, 0].map((shift) => {
    const value = (hue >> shift) & 255;
    return Math.round(value + Math.abs(mixed) * (target - value));
  });
  return `#${channels.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
