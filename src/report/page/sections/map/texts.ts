/** What is said of units, subclusters and bundles: the same words in tooltips and for screen readers. */
import type { ReportData } from "../../../report-data.ts";
import type { SubclusterEntry } from "../../../scores-document.ts";
import type { Context } from "../../context.ts";
import { count, decimals, digits, formatP, percent, plural } from "../../format.ts";
import type { Bundle } from "./bundles.ts";
import type { Area } from "./layout.ts";

/** A line of a tooltip; the first is the heading. */
export type Lines = readonly string[];

export const layerName = ({ graph }: ReportData, layer: number): string =>
  graph.layers[layer]?.name ?? `layer ${layer}`;

const clusterName = (cluster: number): string => (cluster < 0 ? "in no cluster" : `cluster ${cluster}`);

/** A unit of the map, by its place in `map.units`. */
export function unitLines({ data }: Context, place: number): Lines {
  const { layer, unit, cluster, degree } = data.map.units;
  const at = layer[place] as number;
  const number = unit[place] as number;
  const stability = data.partition.coAssignment?.[at]?.[number];
  return [
    `${layerName(data, at)} · unit ${number}`,
    clusterName(cluster[place] as number),
    `degree ${digits(degree[place])}`,
    ...(typeof stability === "number" ? [`stability ${decimals(stability, 2)}`] : []),
  ];
}

/** An area: a subcluster, or the units of a layer that are in no cluster. */
export function areaLines(context: Context, { layer, cluster, units }: Area): Lines {
  const name = layerName(context.data, layer);
  if (cluster < 0) return [`${name} · in no cluster`, plural(units.length, "unit")];
  const entry = context.subclusters.find((one) => one.layer === name && one.cluster === cluster);
  return [
    `cluster ${cluster} in ${name}`,
    plural(units.length, "unit"),
    ...(entry === undefined ? [] : importanceLines(entry)),
  ];
}

/** p and effect of the loss where it was measured (it sees more than the accuracy), else of the first measure. */
export function importanceOf({ importance }: SubclusterEntry): {
  readonly measure: string;
  readonly p: number | null;
  readonly effect: number | null;
} | null {
  if (importance === undefined) return null;
  const measure = "loss" in importance.p ? "loss" : Object.keys(importance.p)[0];
  if (measure === undefined) return null;
  return { measure, p: importance.p[measure] ?? null, effect: importance.effect[measure] ?? null };
}

function importanceLines(entry: SubclusterEntry): string[] {
  const found = importanceOf(entry);
  if (found === null) return ["importance not scored"];
  if (found.p === null) return [`importance (${found.measure}): undefined`];
  return [`importance (${found.measure}): p ${formatP(found.p)}, effect ${digits(found.effect)}`];
}

export function bundleLines({ data }: Context, { from, to, weight, share }: Bundle): Lines {
  const end = ({ layer, cluster }: Area): string => `cluster ${cluster} in ${layerName(data, layer)}`;
  const where = from.layer === to.layer ? "within the layer" : "between the two layers";
  return [
    `${end(from)} – ${end(to)}`,
    `weight ${digits(weight)}`,
    `${percent(share)} of the listed weight ${where}`,
  ];
}

/** One sentence about all that the layer map shows. */
export function mapLabel({ data }: Context): string {
  const { units } = data.map;
  const free = units.cluster.filter((cluster) => cluster < 0).length;
  return [
    `Layer map: ${plural(units.layer.length, "unit")} in ${plural(data.graph.layers.length, "layer")}`,
    `${plural(data.partition.clusters, "cluster")}, ${count(free)} of the units in none.`,
    "Arrow keys go from area to area, Enter selects a cluster.",
  ].join(", ");
}
