/** Agreement with the partition of the network's other graph. */
import type { KindAgreement } from "../../../../partition/partition.ts";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { figure } from "../../figure.ts";
import { count, decimals, formatP } from "../../format.ts";
import { missing } from "./missing.ts";
import { nullChart } from "./null-chart.ts";
import { plainTable } from "./nulls.ts";
import { agreementSentence, transferSentence } from "./texts.ts";

const MOST_LAYERS = 20;

export function agreement({ data }: Context): HTMLElement {
  const found = data.partition.quality?.agreement;
  if (found === undefined) {
    const other = data.graph.kind === "weights" ? "activations" : "weights";
    return missing(`Whether a graph of ${other} gives the same clusters was not measured.`, "--agreement");
  }
  const { kind, transfer } = found;
  return h(
    "div",
    {},
    h("p", {}, agreementSentence(found)),
    chart(found),
    table(found),
    h(
      "p",
      { class: "soft small" },
      transfer.toOther && transferSentence("This partition", `the graph of ${kind}`, transfer.toOther),
      " ",
      transfer.fromOther && transferSentence(`The partition of ${kind}`, "this graph", transfer.fromOther),
    ),
  );
}

function chart({ overall, layers }: KindAgreement): HTMLElement {
  const compared = layers.filter(({ units }) => units > 0).slice(0, MOST_LAYERS);
  const rows = [
    { label: "all layers", value: overall.ami, ...of(overall.withinLayers.ami) },
    ...compared.map(({ name, ami, shuffled }) => ({ label: name, value: ami, ...of(shuffled.ami) })),
  ];
  return figure(
    nullChart(rows, {
      label: "AMI",
      name: `AMI with the other partition: ${rows.map(({ label, value }) => `${label} ${decimals(value, 3)}`).join("; ")}`,
    }),
    {
      name: "agreement",
      caption:
        "Agreement (dot) and what shuffled labels give (bar: mean ± 2 standard deviations; for all layers together, labels shuffled within each).",
    },
  );
}

const of = ({ mean, sd }: { readonly mean: number; readonly sd: number }) => ({ mean, sd });

function table({ overall, layers }: KindAgreement): HTMLElement {
  const own = layers.filter(({ units }) => units > 0);
  return plainTable(
    "Agreement with the other partition, by layer",
    ["units of", "units", "AMI", "p", "ARI", "p"],
    [
      [
        "all, shuffled within layers",
        count(overall.units),
        decimals(overall.ami, 3),
        formatP(overall.withinLayers.ami.p),
        decimals(overall.ari, 3),
        formatP(overall.withinLayers.ari.p),
      ],
      [
        "all, shuffled freely",
        count(overall.units),
        decimals(overall.ami, 3),
        formatP(overall.freely.ami.p),
        decimals(overall.ari, 3),
        formatP(overall.freely.ari.p),
      ],
      ...own.map(({ name, units, ami, ari, shuffled }) => [
        name,
        count(units),
        decimals(ami, 3),
        formatP(shuffled.ami.p),
        decimals(ari, 3),
        formatP(shuffled.ari.p),
      ]),
    ],
  );
}
