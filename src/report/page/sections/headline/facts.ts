/** What was analysed, and its figures. */
import type { ReportData } from "../../../report-data.ts";
import { count, decimals, digits, percent, plural } from "../../format.ts";
import { measureLabel } from "../../measure-names.ts";
import { coherenceLead, importanceLead } from "./evidence.ts";
import { bothCount } from "./standouts.ts";

/** "weights graph of the whole network · 6 layers, 2 322 units · 16 clusters by spectral (k 16) · scored on 500 inputs" */
export function describeRun({ graph, map, partition, scores }: ReportData): string {
  const scope = graph.scope === "global" ? "of the whole network" : "of each layer with its neighbours";
  const { name, ...settings } = partition.method;
  const shown = Object.entries(settings)
    .filter(([key, value]) => key !== "seed" && (typeof value === "number" || typeof value === "string"))
    .map(([key, value]) => `${key} ${value}`);
  const method = `${typeof name === "string" ? name : "an unknown method"}${shown.length > 0 ? ` (${shown.join(", ")})` : ""}`;
  const inputs = scores?.baseline?.inputs ?? scores?.coherence?.inputs;
  return [
    `graph of ${graph.kind} ${graph.kind === "activations" && graph.scope === "local" ? "of each layer" : scope}`,
    `${plural(graph.layers.length, "layer")}, ${plural(map.units.total, "unit")}`,
    `${plural(partition.clusters, "cluster")} by ${method}`,
    inputs === undefined ? "not scored" : `scored on ${plural(inputs, "input")}`,
  ].join(" · ");
}

/** A big number with what it is. */
export interface Figure {
  readonly label: string;
  readonly value: string;
  readonly note: string;
}

export function figuresOf(data: ReportData): Figure[] {
  const { scores } = data;
  return [
    ...(scores === null ? [] : scoreFigures(scores)),
    ...(scores?.baseline ? [baselineFigure(scores.baseline)] : []),
    modularityFigure(data),
    stabilityFigure(data),
  ];
}

function scoreFigures(scores: NonNullable<ReportData["scores"]>): Figure[] {
  const figure = (label: string, lead: ReturnType<typeof importanceLead>): Figure[] =>
    lead === null
      ? []
      : [
          {
            label: `${label} by ${measureLabel(lead.measure)}`,
            value: lead.row.tested === 0 ? "–" : `${lead.row.significant} of ${lead.row.tested}`,
            note:
              lead.row.tested === 0
                ? "none could be tested"
                : `${lead.row.significantBH} by the milder Benjamini-Hochberg`,
          },
        ];
  const both = bothCount(scores);
  return [
    ...figure("subclusters important", importanceLead(scores)),
    ...figure("subclusters coherent", coherenceLead(scores)),
    ...(both === null
      ? []
      : [{ label: "important and coherent", value: count(both), note: "by both of these measures" }]),
  ];
}

function baselineFigure({
  accuracy,
  loss,
  inputs,
}: NonNullable<NonNullable<ReportData["scores"]>["baseline"]>): Figure {
  return accuracy === null
    ? { label: "loss, network intact", value: digits(loss), note: plural(inputs, "input") }
    : {
        label: "accuracy, network intact",
        value: percent(accuracy),
        note: `${plural(inputs, "input")}, loss ${digits(loss)}`,
      };
}

function modularityFigure({ partition: { quality } }: ReportData): Figure {
  const [test] = quality?.nulls ?? [];
  const label = "modularity of the partition";
  if (quality === null) return { label, value: "–", note: "made elsewhere, not measured" };
  const value = decimals(quality.modularity, 3);
  if (test === undefined) return { label, value, note: "no null measured (--nulls 50)" };
  const { mean, sd } = test.modularity;
  return { label, value, note: `${decimals(mean, 3)} ± ${digits(2 * sd, 2)} without its structure` };
}

function stabilityFigure({ partition: { quality } }: ReportData): Figure {
  const label = "agreement of other seeds (AMI)";
  const seeds = quality?.stability?.rows.find(({ name }) => name === "seeds");
  if (seeds === undefined) return { label, value: "–", note: "not measured (--stability 10)" };
  return {
    label,
    value: decimals(seeds.ami, 2),
    note: `${plural(seeds.runs, "run")}; 1 is the same, 0 chance`,
  };
}
