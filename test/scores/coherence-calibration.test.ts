/** Every p of coherence, where the partition knows nothing of the network: as for importance. */
import { describe, expect, it } from "vitest";
import { openLesions } from "../../src/network/lesions.ts";
import { type Layer, layerNamed, loadNetworkBytes, type Network } from "../../src/network/network.ts";
import { countClasses, type LabelledInputs } from "../../src/network/outcomes.ts";
import { recordUnits } from "../../src/network/record.ts";
import { activationFamily } from "../../src/scores/activation-coherence.ts";
import { type ActivationTables, activationTables } from "../../src/scores/activation-tables.ts";
import {
  COHERENCE_MEASURES,
  COHERENCE_NAMES,
  type CoherenceName,
} from "../../src/scores/coherence-measures.ts";
import { cosineFamily, type Directions, directionsOf } from "../../src/scores/cosines.ts";
import { downstreamDirections } from "../../src/scores/downstream-coherence.ts";
import { testFamilies } from "../../src/scores/layer-coherence.ts";
import { type Match, matchBins } from "../../src/scores/matching.ts";
import { networkRow, type Verdict } from "../../src/scores/measures.ts";
import { findSubclusters } from "../../src/scores/subclusters.ts";
import { measureImpacts } from "../../src/scores/unit-impacts.ts";
import type { Stratum } from "../../src/statistics/permutation-p.ts";
import { rng } from "../../src/statistics/rng.ts";
import {
  CLASSES,
  calibrationData,
  calibrationNetwork,
  Family,
  randomPartition,
} from "../support/calibration.ts";

/** Measures that nearly every set has, and that have hardly any ties. */
const CONTINUOUS: readonly CoherenceName[] = [
  "meanCorrelation",
  "leadingShare",
  "silhouette",
  "profileCosine",
  "lossImpactCosine",
  "labelCka",
];

interface Tables {
  readonly activations: ActivationTables;
  readonly directions: Readonly<Partial<Record<CoherenceName, Directions>>>;
}

/** Measures that tables of a layer hold; those of images have a test of their own. */
const NAMES = COHERENCE_NAMES.filter((name) => !COHERENCE_MEASURES[name].needsImages);

/** What all sets of a layer are measured by. */
async function tablesOf(network: Network, layer: Layer, data: LabelledInputs): Promise<Tables> {
  const classes = { labels: data.labels, counts: countClasses(data.labels, CLASSES) };
  const { values } = await recordUnits(network, [layer], data, "output");
  const activations = await activationTables(values, layer.units, data.count, classes);
  const lesions = await openLesions(network, layer, data);
  const units = Int32Array.from({ length: layer.units }, (_, unit) => unit);
  const impacts = await measureImpacts(lesions, units, layer.units, classes, () => ({}));
  await lesions.dispose();
  const { directions: downstream } = await downstreamDirections(network, layer, data, {});
  const directions = {
    profileCosine: directionsOf(activations.profiles ?? new Float64Array(), layer.units),
    impactCosine: directionsOf(impacts.accuracy, layer.units),
    lossImpactCosine: directionsOf(impacts.loss, layer.units),
    ...(downstream && { downstreamCosine: downstream }),
  };
  return { activations, directions };
}

/** p of random partitions of the tiny network, by measure: of a subcluster that shares its sets, of one that does not, and of rows. */
async function calibrate(match: Match, seeds: number) {
  const bytes = calibrationNetwork();
  const network = await loadNetworkBytes(bytes, "calibration");
  const data = await calibrationData(bytes, 2, 80);
  const tables = new Map<string, Tables>();
  const bins: Record<string, readonly Int32Array[]> = {};
  for (const name of ["a", "b"]) {
    const layer = layerNamed(network, name);
    tables.set(name, await tablesOf(network, layer, data));
    const eligible = Int32Array.from({ length: layer.units }, (_, unit) => unit);
    bins[name] = await matchBins(match, network, layer, eligible, data);
  }
  const byName = <T>(value: () => T) => new Map(NAMES.map((name) => [name, value()]));
  const found = { shared: byName(numbers), alone: byName(numbers), rows: byName(numbers) };
  const significant = byName(numbers);
  function numbers(): number[] {
    return [];
  }
  for (let seed = 0; seed < seeds; seed++) {
    const plan = { protocol: "strict" as const, shuffles: 199, seed, base: 199, tests: 6 };
    const verdicts = byName((): Verdict[] => []);
    const strata = byName((): Stratum[] => []);
    for (const layer of findSubclusters(network, randomPartition(seed, bins))) {
      const { activations, directions } = tables.get(layer.name) as Tables;
      const families = [
        activationFamily(activations, layer, "strict"),
        ...(["profileCosine", "impactCosine", "lossImpactCosine", "downstreamCosine"] as const).map((name) =>
          cosineFamily(name, directions[name] ?? null),
        ),
      ];
      const surveyed = { ...layer, bins: bins[layer.name] ?? [], hasMeans: true };
      const scored = await testFamilies(families, surveyed, plan, () => ({}));
      for (const name of NAMES) {
        layer.tested.forEach(({ cluster }, number) => {
          const verdict = scored.verdicts[number]?.[name] as Verdict;
          verdicts.get(name)?.push(verdict);
          const place = `${layer.name}${cluster}`;
          if (Number.isNaN(verdict.p)) return;
          if (place === "a0") found.shared.get(name)?.push(verdict.p);
          if (place === "b2") found.alone.get(name)?.push(verdict.p);
        });
        strata.get(name)?.push(scored.strata[name] as Stratum);
      }
    }
    for (const name of NAMES) {
      const random = rng(seed, "permutation", name);
      const row = networkRow(verdicts.get(name) ?? [], strata.get(name) ?? [], random);
      // A row without a single value rejects nothing. To leave it out would make the others look small: its statistic, 1 for
      // each subcluster, is one of the arrangements that they are compared with.
      found.rows.get(name)?.push(Number.isNaN(row.permutationP) ? 1 : row.permutationP);
      if (row.significant > 0) significant.get(name)?.push(seed);
    }
  }
  return { ...found, significant };
}

describe("with random labels in place of the partition", () => {
  // Each setting: 30 not too small, 12 not too large, 10 of verdicts.
  const family = new Family(2 * (3 * NAMES.length + 2 * CONTINUOUS.length + NAMES.length));

  it.each(["size", "norm"] as const)(
    "p-values are uniform and verdicts rare, sets matched on %s",
    async (match) => {
      const seeds = 150;
      const { significant, ...found } = await calibrate(match, seeds);
      for (const [where, ps] of Object.entries(found)) {
        for (const name of NAMES) {
          const own = ps.get(name) ?? [];
          if (CONTINUOUS.includes(name)) expect(own, `${where}, ${name}`).toHaveLength(seeds);
          else expect(own.length, `${where}, ${name}`).toBeGreaterThan(seeds / 4);
          family.expectNotSmall(own, `${where}, ${name}`);
        }
      }
      for (const [where, step] of [
        ["shared", 1 / 600],
        ["alone", 1 / 200],
      ] as const) {
        for (const name of CONTINUOUS) {
          const own = found[where].get(name) ?? [];
          family.expectNotLarge(
            own.map((p) => p - step),
            `${where}, ${name}`,
          );
        }
      }
      // With no true effect every discovery is false: by BY they are in 5 % of the networks at the most.
      for (const name of NAMES) {
        family.expectRare(significant.get(name)?.length ?? 0, seeds, 0.05, name);
      }
      if (match === "norm") family.expectComplete();
    },
  );
});
