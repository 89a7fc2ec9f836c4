/** How a result was made, as lines of text. Everything comes from files, so nothing is taken for granted. */
import type { ReportData } from "../../../report-data.ts";
import { count, decimals, digits, plural } from "../../format.ts";

/** A term and what is known of it; `isCode` for what is copied rather than read. */
export interface Fact {
  readonly term: string;
  readonly text: string;
  readonly isCode?: boolean;
}

export interface FactGroup {
  readonly title: string;
  readonly facts: readonly Fact[];
}

type Loose = Readonly<Record<string, unknown>>;

const loose = (value: unknown): Loose =>
  typeof value === "object" && value !== null ? (value as Loose) : {};

/** Command as it can be pasted into a shell. Null where the run does not say. */
export function commandOf(run: ReportData["run"]): string | null {
  const command = run?.command;
  if (!Array.isArray(command) || command.length === 0) return null;
  return command.map((word) => quote(String(word))).join(" ");
}

/** A word of a POSIX shell. */
function quote(word: string): string {
  return /^[\w./:,=@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

export function factGroups(data: ReportData): FactGroup[] {
  return [method(data), inputs(data), graph(data), machine(data)].flatMap((group) =>
    group.facts.length > 0 ? [group] : [],
  );
}

/** Facts of the texts that are there. */
const facts = (...entries: readonly (readonly [term: string, value: unknown, isCode?: boolean])[]): Fact[] =>
  entries.flatMap(([term, value, isCode = false]) => {
    const text = textOf(value);
    return text === null ? [] : [{ term, text, ...(isCode && { isCode }) }];
  });

/** Flat values, lists and records as text; null where there is nothing to say. */
function textOf(value: unknown): string | null {
  if (value === null || value === undefined || value === "") return null;
  if (typeof value === "number") return digits(value, 6);
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "string") return value;
  const parts = Array.isArray(value)
    ? value.map((item) => textOf(item))
    : Object.entries(value).map(([key, item]) => {
        const text = textOf(item);
        return text === null ? null : `${key} ${text}`;
      });
  const said = parts.filter((part) => part !== null);
  return said.length > 0 ? said.join(", ") : null;
}

function method({ scores, partition }: ReportData): FactGroup {
  const { chosen: _, ...settings } = partition.method;
  return {
    title: "Method",
    facts: [
      ...facts(["partition", settings]),
      ...(scores === null
        ? []
        : facts(
            ["protocol", scores.protocol],
            ["seed", scores.seed],
            [
              "random sets",
              `${count(scores.shuffles)} for each subcluster, matched by ${scores.match}${scores.sequential ? ", drawn as far as verdicts depend on them (--sequential)" : ""}`,
            ],
            ["lesion", `by ${scores.lesion}`],
            ["task", scores.task],
            [
              "left out",
              scores.filtered > 0
                ? `${plural(scores.filtered, "subcluster")} too small or nearly a whole layer`
                : "no subcluster",
            ],
          )),
    ],
  };
}

function inputs({ run }: ReportData): FactGroup {
  const { model, data } = loose(run?.inputs);
  const { path, sha256, labelsPath, labelsSha256, format, skip, take, notes, mean, std } = loose(data);
  const isPart = typeof take === "number" || (typeof skip === "number" && skip > 0);
  return {
    title: "Inputs",
    facts: facts(
      ["model", loose(model).path, true],
      ["SHA-256", loose(model).sha256, true],
      ["data", path, true],
      ["SHA-256", sha256, true],
      ["labels", labelsPath, true],
      ["SHA-256", labelsSha256, true],
      ["format", format],
      [
        "inputs taken",
        isPart ? `from ${skip ?? 0}${typeof take === "number" ? `, ${count(take)} of them` : ""}` : null,
      ],
      ["mean", mean],
      ["standard deviation", std],
      ["notes", notes],
    ),
  };
}

function graph({ graph: { kind, scope, facts: known, layers }, map, run }: ReportData): FactGroup {
  const { model: _, ...others } = known;
  const share = run?.zeroWeightShare;
  return {
    title: "Graph",
    facts: facts(
      ["kind", kind],
      ["scope", scope],
      ["layers", plural(layers.length, "layer")],
      ["units", count(map.units.total)],
      ["edges", count(map.edges.total)],
      ["facts", others],
      ["weights that are zero", typeof share === "number" ? `${decimals(100 * share, 1)} %` : null],
    ),
  };
}

/** Keys of run.json that have a place of their own; what else it holds describes the device. */
const PLACED: readonly string[] = [
  "schema",
  "version",
  "command",
  "inputs",
  "device",
  "graph",
  "zeroWeightShare",
  "skipped",
  "machine",
  "seconds",
  "finished",
];

function machine({ run }: ReportData): FactGroup {
  const { node, platform, processor, memoryBytes, onnxRuntime, ...others } = loose(run?.machine);
  const { version, device, seconds, finished } = run ?? {};
  const deviceFacts = Object.entries(run ?? {}).filter(([key]) => !PLACED.includes(key));
  return {
    title: "Machine",
    facts: facts(
      ["Brodmann", version],
      ["device", device],
      ...deviceFacts,
      ["Node.js", node],
      ["ONNX Runtime", onnxRuntime],
      ["platform", platform],
      ["processor", processor],
      ["memory", typeof memoryBytes === "number" ? `${decimals(memoryBytes / 2 ** 30, 1)} GiB` : null],
      ...Object.entries(others),
      ["time", typeof seconds === "number" ? duration(seconds) : null],
      [
        "finished",
        typeof finished === "string" ? finished.replace("T", " ").replace(/\.\d+Z$/, " UTC") : null,
      ],
    ),
  };
}

/** "56 s", "3 min 4 s", "2 h 5 min". */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${seconds < 10 ? decimals(seconds, 1) : whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** What was left out or not measured, with the reason. */
export function gapsOf({ scores, run, partition }: ReportData): string[] {
  const skipped = Array.isArray(run?.skipped) ? run.skipped.map(loose) : [];
  return [
    ...(run === null ? ["There is no run.json: command, versions and hashes are unknown."] : []),
    ...(scores === null ? ["Nothing was scored: the run was interrupted, or only partitioned."] : []),
    ...(scores !== null && !scores.network.importance
      ? ["Importance was not scored (--scores importance)."]
      : []),
    ...(scores !== null && !scores.network.coherence
      ? ["Coherence was not scored (--scores coherence)."]
      : []),
    ...(scores?.coherence?.notMeasured ?? []),
    ...(scores !== null && scores.filtered > 0
      ? [
          `${plural(scores.filtered, "subcluster")} had too few units, or nearly all of its layer, to be compared with random sets.`,
        ]
      : []),
    ...(partition.quality?.nulls ? [] : ["The partition was not compared with null graphs (--nulls 50)."]),
    ...(partition.quality?.stability ? [] : ["Stability was not measured (--stability 10)."]),
    ...(partition.quality?.agreement
      ? []
      : ["Agreement with the other graph was not measured (--agreement)."]),
    ...skipped.map(
      ({ node, operator, reason }) =>
        `Not followed: ${node}${operator ? ` (${operator})` : ""}: ${reason ?? "unknown reason"}`,
    ),
  ];
}

const FILES: readonly (readonly [name: string | RegExp, holds: string])[] = [
  ["graph.npz", "the unit graph; scipy.sparse.load_npz reads it"],
  ["graph.gexf", "the same graph for Gephi, with clusters, colours and positions"],
  ["graph.graphml", "the same graph for igraph, NetworkX, yEd"],
  ["partition.json", "the cluster of every unit, with the partition's quality"],
  [/^partition-(weights|activations)\.json$/, "the partition of the network's other graph"],
  ["scores.json", "every score with its null, p-values and settings: what this report shows"],
  ["scores.jsonl", "scores so far of a run that goes on or was interrupted"],
  ["subclusters.csv", "a row for each subcluster, for spreadsheets"],
  ["units.csv", "a row for each unit: layer, cluster, degree, stability"],
  ["run.json", "command, versions, hashes, device and time"],
  ["patterns.json", "sets of inputs that drive a layer alike"],
  ["populations.json", "sets of units that act, or hurt when silenced, alike"],
];

/** What a file of a run holds; "" for others. */
export const fileHolds = (name: string): string =>
  FILES.find(([known]) => (typeof known === "string" ? known === name : known.test(name)))?.[1] ?? "";

export const fileSize = (bytes: number): string =>
  bytes < 1000
    ? plural(bytes, "byte")
    : bytes < 1e6
      ? `${digits(bytes / 1e3, 3)} kB`
      : `${digits(bytes / 1e6, 3)} MB`;
