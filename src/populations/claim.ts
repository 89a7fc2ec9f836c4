/**
 * What the data say of the published claim that neither magnitude, nor selectivity, nor the impact of a lesion alone tells how
 * important a unit is (Meyes et al. 2020, arXiv 2004.01254, abstract): the numbers, layer by layer, whichever way they point.
 */
import type { LesionKind } from "../network/replacement.ts";
import type { Interval } from "../statistics/bootstrap.ts";
import type { Relation } from "./relations.ts";

/** A rank correlation from which on one quantity would tell another: both ends of its interval are beyond it. */
export const TELLS = 0.9;

/** What one quantity tells of the loss impact by one kind of lesion. */
export interface Telling {
  readonly indicator: "magnitude" | "selectivity" | "auroc";
  readonly kind: LesionKind;
  readonly rho: number;
  readonly interval: Interval;
}

/** The claim in one layer, or in all of them together (null). */
export interface ClaimRow {
  readonly layer: string | null;
  readonly units: number;
  readonly tellings: readonly Telling[];
  /** The telling of largest absolute correlation; null where none is defined. */
  readonly strongest: Telling | null;
  /** How alike two kinds of lesion rank the units by loss impact: what one kind of impact tells of the other. */
  readonly kinds: readonly {
    readonly kinds: readonly [LesionKind, LesionKind];
    readonly rho: number;
    readonly interval: Interval;
  }[];
  /** Whether an indicator, or one kind of impact for another, tells; null where nothing is defined. */
  readonly isToldBy: readonly string[] | null;
}

/** The claim's numbers, a row for each layer and one for all together. */
export function claimOf(relations: readonly Relation[], kinds: readonly LesionKind[]): ClaimRow[] {
  const layers = [...new Set(relations.map(({ layer }) => layer))];
  return layers.map((layer) => {
    const own = relations.filter((relation) => relation.layer === layer && relation.given === null);
    const find = (first: string, second: string) =>
      own.find((relation) => relation.first === first && relation.second === second);
    const tellings = kinds.flatMap((kind) =>
      (["magnitude", "selectivity", "auroc"] as const).flatMap((indicator): Telling[] => {
        const relation = find(indicator, `lossImpact ${kind}`);
        return relation ? [{ indicator, kind, rho: relation.rho, interval: relation.interval }] : [];
      }),
    );
    const between = kinds.flatMap((one, number) =>
      kinds.slice(number + 1).flatMap((other) => {
        const relation = find(`lossImpact ${one}`, `lossImpact ${other}`);
        return relation
          ? [{ kinds: [one, other] as const, rho: relation.rho, interval: relation.interval }]
          : [];
      }),
    );
    const defined = tellings.filter(({ rho }) => !Number.isNaN(rho));
    const [strongest = null] = [...defined].sort((a, b) => Math.abs(b.rho) - Math.abs(a.rho));
    const told = [
      ...defined
        .filter(({ interval }) => isBeyond(interval))
        .map(({ indicator, kind }) => `${indicator} (lesions by ${kind})`),
      ...between
        .filter(({ interval }) => isBeyond(interval))
        .map(({ kinds: [one, other] }) => `impact by ${one} of that by ${other}`),
    ];
    return {
      layer,
      units: own[0]?.count ?? 0,
      tellings,
      strongest,
      kinds: between,
      isToldBy: strongest === null ? null : told,
    };
  });
}

function isBeyond({ low, high }: Interval): boolean {
  return low >= TELLS || high <= -TELLS;
}
