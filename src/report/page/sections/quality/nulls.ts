/** N-cut and modularity against partitions of graphs without the structure. */
import type { NullTest, PartitionQuality } from "../../../../partition/partition.ts";
import type { Context } from "../../context.ts";
import { h } from "../../dom.ts";
import { figure } from "../../figure.ts";
import { decimals, formatP, plural } from "../../format.ts";
import { missing } from "./missing.ts";
import { nullChart } from "./null-chart.ts";
import { nullName, nullSentence } from "./texts.ts";

export function nulls({ data }: Context): HTMLElement {
  const { quality } = data.partition;
  if (quality === null || !quality.nulls?.length) {
    return missing(
      "Every graph can be partitioned. Whether this one has more structure than chance was not measured.",
      "--nulls 50",
    );
  }
  const tests = quality.nulls;
  return h(
    "div",
    {},
    h("p", {}, nullSentence(tests)),
    h(
      "div",
      { class: "pair" },
      chart("n-cut", quality, tests, "ncut", "smaller is better"),
      chart("modularity", quality, tests, "modularity", "larger is better"),
    ),
    table(quality, tests),
  );
}

function chart(
  label: string,
  quality: PartitionQuality,
  tests: readonly NullTest[],
  key: "ncut" | "modularity",
  direction: string,
): HTMLElement {
  const rows = tests.map((test) => ({
    label: nullName(test.null),
    value: quality[key],
    mean: test[key].mean,
    sd: test[key].sd,
  }));
  const summary = tests.map(
    (test) => `${decimals(test[key].mean, 3)} with ${nullName(test.null)}, p ${formatP(test[key].p)}`,
  );
  return figure(
    nullChart(rows, {
      label: `${label} (${direction})`,
      name: `${label} ${decimals(quality[key], 3)}, against ${summary.join("; ")}`,
    }),
    {
      name: `${label}-against-null`,
      caption: `${label} of the partition (dot) and of ${plural(tests[0]?.draws ?? 0, "partition")} without the structure (bar: mean ± 2 standard deviations).`,
    },
  );
}

function table(quality: PartitionQuality, tests: readonly NullTest[]): HTMLElement {
  const lines = tests.flatMap((test) =>
    (["ncut", "modularity"] as const).map((key) => [
      key === "ncut" ? "n-cut" : "modularity",
      nullName(test.null),
      decimals(quality[key], 3),
      `${decimals(test[key].mean, 3)} ± ${decimals(test[key].sd, 4)}`,
      decimals(test[key].z, 1),
      formatP(test[key].p),
    ]),
  );
  return plainTable(
    "N-cut and modularity against nulls",
    ["figure", "null", "found", "null: mean ± sd", "z", "p"],
    lines,
    2,
  );
}

/** A table of texts; the first columns are words, the others numbers. */
export function plainTable(
  name: string,
  heads: readonly string[],
  lines: readonly (readonly string[])[],
  words: number = 1,
): HTMLElement {
  const kind = (at: number) => ({ class: at < words ? "text" : null });
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "region", "aria-label": name },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          heads.map((head, at) => h("th", { scope: "col", ...kind(at) }, head)),
        ),
      ),
      h(
        "tbody",
        {},
        lines.map((line) =>
          h(
            "tr",
            {},
            line.map((text, at) => (at === 0 ? h("th", { scope: "row" }, text) : h("td", kind(at), text))),
          ),
        ),
      ),
    ),
  );
}
