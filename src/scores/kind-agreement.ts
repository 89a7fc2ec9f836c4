import type { LesionKind } from "../network/replacement.ts";
import { spearman } from "../statistics/spearman.ts";
import type { Damage } from "./damage.ts";

/** How alike two kinds of lesion rank the subclusters (measures note, I3): Spearman over all of them. */
export interface KindAgreement {
  readonly kinds: readonly [LesionKind, LesionKind];
  /** Of the mean class accuracy, and of the increase of the loss. */
  readonly accuracy: number;
  readonly loss: number;
}

/** Agreement of every two kinds that the subclusters were lesioned by. */
export function agreementsOf(
  lesion: LesionKind,
  subclusters: readonly { readonly damage: Damage; readonly compared: ReadonlyMap<LesionKind, Damage> }[],
): KindAgreement[] {
  const byKind = subclusters.map(({ damage, compared }) => new Map([[lesion, damage] as const, ...compared]));
  const kinds = [...(byKind[0]?.keys() ?? [])];
  const valuesOf = (kind: LesionKind, value: (damage: Damage) => number) =>
    byKind.map((damages) => value(damages.get(kind) as Damage));
  return kinds.flatMap((one, i) =>
    kinds.slice(i + 1).map((other) => {
      const agree = (value: (damage: Damage) => number) =>
        spearman(valuesOf(one, value), valuesOf(other, value));
      return {
        kinds: [one, other] as const,
        accuracy: agree(({ meanClassAccuracy }) => meanClassAccuracy),
        loss: agree(({ lossIncrease }) => lossIncrease),
      };
    }),
  );
}
