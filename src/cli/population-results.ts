/** Populations as tables for people. */
import { type ClaimRow, claimOf, TELLS, type Telling } from "../populations/claim.ts";
import type { ImpactFindings, Populations } from "../populations/population-settings.ts";
import { countWithout } from "../populations/populations-file.ts";
import type { NamedAgreement, Relation } from "../populations/relations.ts";
import type { Interval } from "../statistics/bootstrap.ts";
import { decimals, formatP, percent } from "./results.ts";
import { formatTable } from "./terminal.ts";

/** Populations and pairs that are printed; all are in the files. */
const PRINTED = 12;
/** Share of units beyond which an impact is called rare. */
const MOST_WITHOUT = 0.5;

/** Everything that was found, in a few tables and what they mean. */
export function formatPopulationResults(found: Populations, classNames: readonly string[] | null): string {
  const { impact } = found;
  return [
    layerTable(found),
    "",
    ...(impact === null ? responseLines(found, classNames) : impactLines(found, impact)),
    "Populations after Meyes et al. (our reconstruction). A dash: undefined.",
  ].join("\n");
}

function layerTable({ layers, coResponse, impact }: Populations): string {
  const kinds = impact?.kinds ?? [];
  const clusters = (labels: Int32Array | undefined) =>
    String(new Set(labels?.filter((label) => label >= 0)).size);
  const rows = layers.map(({ layer, responses, lesions }, number) => {
    const alive = Array.from(responses.isDead.keys()).filter((unit) => responses.isDead[unit] === 0);
    return [
      layer,
      String(responses.units),
      String(responses.units - alive.length),
      clusters(coResponse.layers[number]?.labels),
      ...(impact === null ? [] : [clusters(impact.coImpact.layers[number]?.labels)]),
      ...lesions.flatMap(({ accuracyProfile, lossProfile }) =>
        [accuracyProfile, lossProfile].map((profile) =>
          String(countWithout(profile, responses.units, alive)),
        ),
      ),
    ];
  });
  const header = [
    ...["layer", "units", "dead", "co-response"],
    ...(impact === null ? [] : ["co-impact"]),
    ...kinds.flatMap((kind) => [`no accuracy impact, ${kind}`, `no loss impact, ${kind}`]),
  ];
  return formatTable(header, rows);
}

/** Of recorded activations: the most selective unit of each population. */
function responseLines({ layers, coResponse }: Populations, classNames: readonly string[] | null): string[] {
  const rows = layers.flatMap(({ responses }, number) => {
    const labels = coResponse.layers[number]?.labels ?? new Int32Array();
    return [...new Set(labels.filter((label) => label >= 0))]
      .sort((a, b) => a - b)
      .map((population) => {
        const units = Array.from(labels.keys()).filter((unit) => labels[unit] === population);
        const [best = -1] = [...units].sort(
          (a, b) => (responses.auroc[b] as number) - (responses.auroc[a] as number),
        );
        const c = responses.aurocClass[best] ?? -1;
        const mean =
          units.reduce((sum, unit) => sum + (responses.magnitude[unit] as number), 0) / units.length;
        return [
          String(population),
          String(units.length),
          mean.toPrecision(3),
          String(best),
          decimals(responses.auroc[best] ?? Number.NaN, 3),
          c < 0 ? "-" : (classNames?.[c] ?? String(c)),
        ];
      });
  });
  const header = ["co-response", "units", "mean magnitude", "most selective unit", "AUROC", "for class"];
  return [formatTable(header, rows), ""];
}

function impactLines(found: Populations, impact: ImpactFindings): string[] {
  const claim = claimOf(impact.relations, impact.kinds);
  return [
    ...relationTable(impact),
    ...agreementTable(impact.agreements),
    ...groupTable(impact),
    ...pairTable(impact),
    ...claimLines(claim),
    ...explain(found, impact),
    "",
  ];
}

const withInterval = (rho: number, { low, high }: Interval): string =>
  Number.isNaN(rho) ? "-" : `${decimals(rho, 2)} [${decimals(low, 2)}, ${decimals(high, 2)}]`;

/** Rank correlations with the loss impact, by layer and kind of lesion. */
function relationTable({ relations, kinds }: ImpactFindings): string[] {
  const layers = [...new Set(relations.map(({ layer }) => layer))];
  const cell = (layer: string | null, first: string, second: string, given: string | null = null) => {
    const isIt = (relation: Relation) =>
      relation.layer === layer &&
      relation.first === first &&
      relation.second === second &&
      relation.given === given;
    const relation = relations.find(isIt);
    return relation ? withInterval(relation.rho, relation.interval) : "-";
  };
  const rows = layers.flatMap((layer) =>
    kinds.map((kind, number) => {
      const loss = `lossImpact ${kind}`;
      return [
        number === 0 ? (layer ?? "all, within layers") : "",
        kind,
        cell(layer, "magnitude", loss),
        cell(layer, "selectivity", loss),
        cell(layer, "auroc", loss),
        cell(layer, "auroc", loss, "magnitude"),
        cell(layer, `accuracyImpact ${kind}`, loss),
        ...(kinds.length < 2 ? [] : [number === 0 ? "-" : cell(layer, `lossImpact ${kinds[0]}`, loss)]),
      ];
    }),
  );
  const header = [
    ...["Spearman with loss impact", "lesion", "magnitude", "class selectivity", "AUROC"],
    ...["AUROC, magnitude fixed", "accuracy impact"],
    ...(kinds.length < 2 ? [] : [`impact by ${kinds[0]}`]),
  ];
  return [formatTable(header, rows), ""];
}

function agreementTable(agreements: readonly NamedAgreement[]): string[] {
  const rows = agreements.flatMap(({ names, comparison }) => {
    const [one, other] = names;
    if (comparison === null) return [[`${one} / ${other}`, "no units in common", "-", "-", "-", "-"]];
    return comparison.layers
      .filter(({ units }) => units > 0)
      .map((layer, number) => [
        number === 0 ? `${one} / ${other}` : "",
        layer.name,
        decimals(layer.ami, 3),
        formatP(layer.shuffled.ami.p),
        decimals(layer.ari, 3),
        formatP(layer.shuffled.ari.p),
      ]);
  });
  return [formatTable(["partitions", "layer", "AMI", "p", "ARI", "p"], rows), ""];
}

function groupTable({ groups, kinds, shuffles, nullInputs }: ImpactFindings): string[] {
  const strongest = [...groups].sort((a, b) => b.lossImpact - a.lossImpact).slice(0, PRINTED);
  const rows = strongest.map((group) => [
    group.layer,
    `${group.kind} ${group.population}`,
    String(group.units.length),
    percent(group.accuracyImpact),
    decimals(group.lossImpact, 3),
    percent(group.accuracyRedundancy),
    `[${percent(group.accuracyRedundancyInterval.low)}, ${percent(group.accuracyRedundancyInterval.high)}]`,
    decimals(group.verdicts?.loss.effect ?? Number.NaN, 2),
    formatP(group.verdicts?.loss.p ?? Number.NaN),
    formatP(group.verdicts?.accuracy.p ?? Number.NaN),
  ]);
  const header = [
    ...["layer", "population", "units", "accuracy lost %", "loss change"],
    ...["beyond its units alone %", "95 %", "effect", "p loss", "p accuracy"],
  ];
  const count = groups.length > PRINTED ? `; the ${PRINTED} of ${groups.length} that cost most` : "";
  const against =
    shuffles === 0
      ? "no random sets were drawn"
      : `effect and p against ${shuffles} random sets on ${nullInputs} inputs`;
  return [formatTable(header, rows), `Populations lesioned by ${kinds[0]}${count}; ${against}.`, ""];
}

function pairTable({ pairs }: ImpactFindings): string[] {
  if (pairs.length === 0) return [];
  const strongest = [...pairs]
    .sort((a, b) => Math.abs(b.synergy) - Math.abs(a.synergy))
    .slice(0, PRINTED)
    .map((pair) => [
      pair.layer,
      pair.units.join(", "),
      decimals(pair.lossImpact, 4),
      `${decimals(pair.synergy, 4)} [${decimals(pair.interval.low, 4)}, ${decimals(pair.interval.high, 4)}]`,
      percent(pair.lostShare),
      percent(pair.jointShare),
    ]);
  const header = [
    ...["layer", "pair", "loss change", "beyond the sum of both"],
    ...["lost %", "lost only jointly %"],
  ];
  return [
    formatTable(header, strongest),
    "lost: of the inputs that the intact network gets right, by one of the two alone as well; lost only jointly: by neither alone.",
    "",
  ];
}

/** The published claim, and what the numbers of this network say of it. */
function claimLines(rows: readonly ClaimRow[]): string[] {
  const lines = rows.map(({ layer, units, strongest, kinds, isToldBy }) => {
    const where = layer ?? "all layers, within each";
    if (strongest === null || isToldBy === null) return `- ${where}: undefined (${units} units)`;
    const between = kinds
      .map(
        ({ kinds: [one, other], rho, interval }) =>
          `; impact by ${one} against ${other} ${withInterval(rho, interval)}`,
      )
      .join("");
    const verdict =
      isToldBy.length === 0
        ? "nothing alone tells importance"
        : `importance is told by ${isToldBy.join(", ")}`;
    return `- ${where}: ${verdict}; strongest ${describe(strongest)}, ${percent(strongest.rho ** 2)} % of the ranks' variance${between}`;
  });
  return [
    "Claim (Meyes et al. 2020): neither magnitude, nor selectivity, nor impact alone tells a unit's importance.",
    `Here, importance = loss impact of the unit; "tells" = the whole 95 % interval of Spearman's correlation beyond ${TELLS} or below -${TELLS}:`,
    ...lines,
    "",
  ];
}

const describe = ({ indicator, kind, rho, interval }: Telling): string =>
  `${indicator} (${kind}) ${withInterval(rho, interval)}`;

function explain({ layers, inputs, settings }: Populations, { kinds }: ImpactFindings): string[] {
  const [first = "zero"] = kinds;
  const without = layers.reduce((sum, { responses, lesions }) => {
    const alive = Array.from(responses.isDead.keys()).filter((unit) => responses.isDead[unit] === 0);
    const profile = lesions[0]?.[settings.impact === "loss" ? "lossProfile" : "accuracyProfile"];
    return sum + (profile ? countWithout(profile, responses.units, alive) : 0);
  }, 0);
  const units = layers.reduce((sum, { responses }) => sum + responses.units, 0);
  return [
    `Every unit lesioned alone on ${inputs} inputs. co-response: units that act alike; co-impact: units whose lesions (${first}) hurt the same classes (${settings.impact}).`,
    "no impact: no class changes beyond noise. p of agreement: labels shuffled within the layer (5,000 times). Intervals: bootstrap over units or inputs.",
    ...(kinds.length < 2
      ? ["With one kind of lesion there is no other that its impacts could be held against."]
      : []),
    "A lesion by zero partly measures magnitude; compare the kinds of lesion. Low impact of one unit is not irrelevance: others may back it up.",
    ...(settings.impact === "accuracy" && without > MOST_WITHOUT * units
      ? ["Most units alone change no class's accuracy: --impact loss compares what they do to the loss."]
      : []),
  ];
}
