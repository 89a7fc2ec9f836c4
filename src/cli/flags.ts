import { parseArgs } from "node:util";
import { BrodmannError } from "../errors.ts";
import type { Shard } from "../network/lesions.ts";
import type { Aggregate } from "../network/record-activations.ts";
import type { ColumnScale } from "../patterns/scale-columns.ts";

/** One flag: how it is read (`whole` from 0, `count` from 1) and what `--help` says of it. */
export interface FlagSpec {
  readonly takes:
    | "text"
    | "texts"
    | "whole"
    | "count"
    | "positive"
    | "numbers"
    | "switch"
    | "count or rule"
    | "shard"
    | readonly string[];
  readonly value?: string;
  readonly help: string;
}

/** Flags as read from the command line; those that were not given are absent. */
export interface Flags {
  readonly data?: string;
  readonly skip?: number;
  readonly take?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly activations?: string;
  readonly graph?: "weights" | "activations";
  readonly scope?: "global" | "local";
  readonly norm?: "l1" | "l2";
  readonly correlation?: "spearman" | "pearson";
  readonly samples?: number;
  readonly "top-k"?: number;
  readonly method?: "spectral" | "louvain" | "leiden" | "random";
  readonly k?: number | "auto" | "stable";
  readonly resolution?: number;
  readonly quality?: "modularity" | "cpm";
  readonly nulls?: number;
  readonly stability?: number;
  readonly agreement?: boolean;
  readonly populations?: boolean;
  readonly patterns?: boolean;
  readonly graphs?: string;
  readonly like?: string;
  readonly partition?: string;
  readonly protocol?: "strict" | "paper";
  readonly shuffles?: number;
  readonly "visual-shuffles"?: number;
  readonly scores?: string;
  readonly lesion?: string;
  readonly "lesion-at"?: string;
  readonly sequential?: boolean;
  readonly resume?: boolean;
  readonly shard?: Shard;
  readonly match?: "size" | "norm" | "activation";
  readonly format?: "text" | "csv" | "latex";
  readonly cluster?: string;
  readonly units?: string;
  readonly "image-shape"?: readonly number[];
  readonly steps?: number;
  readonly jitter?: number;
  readonly scale?: number;
  readonly rotation?: number;
  readonly layer?: readonly string[];
  readonly aggregate?: Aggregate;
  readonly "unit-scale"?: ColumnScale;
  readonly metric?: "euclidean" | "arccos";
  readonly selection?: "leaf" | "eom";
  readonly "min-samples"?: number;
  readonly "min-cluster-size"?: number;
  readonly epsilon?: number;
  readonly noise?: number;
  readonly response?: "correlation" | "profile";
  readonly edges?: "absolute" | "square" | "positive";
  readonly impact?: "loss" | "accuracy";
  readonly pairs?: string;
  readonly "null-inputs"?: number;
  readonly seed?: number;
  readonly device?: "auto" | "webgpu" | "cpu" | "chrome";
  readonly out?: string;
  readonly port?: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly "no-progress"?: boolean;
  readonly debug?: boolean;
  readonly help?: boolean;
}

export type FlagName = keyof Flags;

/** Every flag of every command; a flag means the same wherever it appears. */
export const FLAGS: Readonly<Record<FlagName, FlagSpec>> = {
  data: {
    takes: "text",
    value: "PATH",
    help: "labelled inputs: .npz, .npy pair, IDX pair, folder of class folders",
  },
  skip: { takes: "whole", value: "N", help: "leave out the first N inputs (default 0)" },
  take: { takes: "count", value: "N", help: "use N inputs (default all)" },
  mean: { takes: "numbers", value: "X,..", help: "subtracted from the inputs, per channel" },
  std: { takes: "numbers", value: "X,..", help: "then divided by, per channel" },
  activations: {
    takes: "text",
    value: "FILE",
    help: "recorded activations (samples x units) in place of a model",
  },
  graph: { takes: ["weights", "activations"], help: "what the graph's edges are (default weights)" },
  scope: { takes: ["global", "local"], help: "one graph, or one clustering per layer (default global)" },
  norm: { takes: ["l1", "l2"], help: "norm of kernel slices in weight graphs (default l1)" },
  correlation: {
    takes: ["spearman", "pearson"],
    help: "correlation in activation graphs (default spearman) and populations (default pearson)",
  },
  samples: {
    takes: "count",
    value: "N",
    help: "inputs that an activation graph (default 5000) or patterns (default 2000) use at the most",
  },
  "top-k": {
    takes: "count",
    value: "K",
    help: "edges that each unit of an activation graph keeps, its strongest (default all)",
  },
  method: {
    takes: ["spectral", "louvain", "leiden", "random"],
    help: "partitioner (default spectral; populations leiden)",
  },
  k: {
    takes: "count or rule",
    value: "K|auto|stable",
    help: "number of clusters (default 16); for spectral auto: where the eigenvalues fall most, stable: what parts of the units agree on",
  },
  resolution: { takes: "positive", value: "R", help: "resolution of louvain and leiden (default 1)" },
  quality: { takes: ["modularity", "cpm"], help: "what louvain and leiden raise (default modularity)" },
  nulls: {
    takes: "count",
    value: "N",
    help: "n-cut and modularity against N null graphs: weights shuffled, and of recorded activations inputs permuted; patterns of N draws with units permuted (default 10)",
  },
  stability: {
    takes: "count",
    value: "N",
    help: "agreement with N other seeds, one step of k or resolution, and N bootstraps of recorded activations; patterns of N pairs of random parts (default 5)",
  },
  populations: {
    takes: "switch",
    help: "also finds populations, as the command of that name does by default",
  },
  patterns: {
    takes: "switch",
    help: "also finds patterns of every layer and subcluster, as the command of that name does by default",
  },
  agreement: {
    takes: "switch",
    help: "agreement with the partition of the other kind of graph, made in the same way",
  },
  graphs: {
    takes: "text",
    value: "A.npz,B.npz",
    help: "graphs of both partitions: how much of its own one's modularity the other's partition reaches",
  },
  like: { takes: "text", value: "P.json", help: "partition whose clusters per layer a local graph gets" },
  partition: { takes: "text", value: "P.json", help: "partition to score, made by brodmann or elsewhere" },
  protocol: { takes: ["strict", "paper"], help: "strict (default) or the published procedure" },
  shuffles: {
    takes: "count",
    value: "N",
    help: "shufflings of labels: random sets per subcluster (default 199 strict, 19 paper; visualize 7, patterns and extract 19); p of agreement",
  },
  "visual-shuffles": {
    takes: "whole",
    value: "N",
    help: "random sets per subcluster that get images (default 19); 0 leaves out visual coherence",
  },
  lesion: {
    takes: "text",
    value: "KINDS",
    help: "what lesioned units become: zero (default), mean or resample; further kinds are compared with the first",
  },
  sequential: {
    takes: "switch",
    help: "draw random sets only until no verdict (BY at 5 %) can change",
  },
  resume: {
    takes: "switch",
    help: "continue a run that was killed or interrupted, from its journal (.jsonl) beside --out",
  },
  shard: {
    takes: "shard",
    value: "I/N",
    help: "run part I of N only, into a journal (scores.shard-I-of-N.jsonl beside --out) for brodmann merge",
  },
  match: {
    takes: ["size", "norm", "activation"],
    help: "what random sets share with their subcluster: size (default), also weight norm, also activation",
  },
  format: { takes: ["text", "csv", "latex"], help: "how a table is printed (default text)" },
  scores: { takes: "text", value: "LIST", help: "importance, coherence or both (default)" },
  "lesion-at": {
    takes: "text",
    value: "output|consumer:NAME",
    help: "lesion what all layers read (default), or what only layer NAME reads",
  },
  cluster: {
    takes: "text",
    value: "C",
    help: "one cluster, by its label in the partition: to extract, or to find patterns of alone",
  },
  units: {
    takes: "text",
    value: "LAYER:1,5,9",
    help: "units of a layer to make an image for; several sets parted by a semicolon, 3-7 for 3 to 7",
  },
  "image-shape": {
    takes: "numbers",
    value: "[C,]H,W",
    help: "image that the network reads, where its input does not tell",
  },
  steps: { takes: "count", value: "N", help: "updates of an image (default 65)" },
  jitter: { takes: "whole", value: "N", help: "robust images: shifted by up to N pixels at random" },
  scale: { takes: "positive", value: "S", help: "robust images: scaled by 1 - S to 1 + S at random" },
  rotation: { takes: "whole", value: "N", help: "robust images: turned by up to N degrees at random" },
  layer: {
    takes: "texts",
    value: "NAME",
    help: "a layer, as brodmann inspect lists it; again for further ones (default all)",
  },
  aggregate: {
    takes: ["mean", "mean_std", "max", "min_max", "none"],
    help: "what a unit's positions become in patterns and populations (mean or max; default mean)",
  },
  "unit-scale": {
    takes: ["abs-max", "z-score", "layer"],
    help: "what patterns divide units by: their largest absolute value (default), their standard deviation, or one value for the whole layer",
  },
  metric: { takes: ["euclidean", "arccos"], help: "distance between inputs in patterns (default euclidean)" },
  selection: { takes: ["leaf", "eom"], help: "which clusters of inputs are patterns (default leaf)" },
  "min-samples": {
    takes: "count",
    value: "N",
    help: "neighbours that make a place dense in patterns, the input itself not counted (default 5)",
  },
  "min-cluster-size": {
    takes: "count",
    value: "N",
    help: "inputs of the smallest pattern (default 5, or one in a thousand inputs where that is more)",
  },
  epsilon: {
    takes: "positive",
    value: "E",
    help: "patterns that part at a smaller distance are one (default 0)",
  },
  noise: {
    takes: "positive",
    value: "S",
    help: "Gaussian noise on inputs, as a share of the standard deviation of their values (default 0.1)",
  },
  response: {
    takes: ["correlation", "profile"],
    help: "populations by correlation over the inputs (default), or by likeness of the class means",
  },
  edges: {
    takes: ["absolute", "square", "positive"],
    help: "what likeness of responses becomes: its absolute value (default), its square, or 0 where negative",
  },
  impact: {
    takes: ["loss", "accuracy"],
    help: "populations by what lesions add to the loss of each class (default), or take from its accuracy",
  },
  pairs: {
    takes: "text",
    value: "LAYER:1,5",
    help: "two units to lesion together; several pairs parted by a semicolon (default those that interact most)",
  },
  "null-inputs": {
    takes: "count",
    value: "N",
    help: "inputs that random sets are lesioned on at the most, for p of populations (default 1000)",
  },
  seed: { takes: "whole", value: "N", help: "seed of everything random (default 0)" },
  device: {
    takes: ["auto", "webgpu", "cpu", "chrome"],
    help: "where graphs and partitions are computed (default auto)",
  },
  out: { takes: "text", value: "PATH", help: "file or folder for the result" },
  port: { takes: "whole", value: "N", help: "port of the server (default: a free one)" },
  json: { takes: "switch", help: "print one JSON document on stdout" },
  quiet: { takes: "switch", help: "print nothing but results and errors" },
  "no-progress": { takes: "switch", help: "no progress lines" },
  debug: { takes: "switch", help: "show stack traces" },
  help: { takes: "switch", help: "show this" },
};

/** Flags that every command takes. */
export const COMMON_FLAGS: readonly FlagName[] = [
  "seed",
  "device",
  "out",
  "json",
  "quiet",
  "no-progress",
  "debug",
  "help",
];

/**
 * Reads a command's arguments. Throws `E_USAGE_FLAG` for unknown flags (with the nearest known one), missing and
 * malformed values.
 */
export function parseFlags(
  args: readonly string[],
  known: readonly FlagName[],
): { readonly flags: Flags; readonly positionals: readonly string[] } {
  const allowed = [...new Set([...known, ...COMMON_FLAGS])];
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      allowed.map((name) => [name, { type: isSwitch(name) ? ("boolean" as const) : ("string" as const) }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const flags: Record<string, unknown> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const name = allowed.find((candidate) => candidate === (token.name === "h" ? "help" : token.name));
    if (name === undefined) throw unknownFlag(token.rawName, allowed);
    // `--out --json`: the next flag is no value; a negative number is one, and `--out=--odd` says so.
    const isFlag = token.inlineValue === false && /^-\D/.test(token.value);
    const value = readValue(name, isFlag ? undefined : token.value);
    const others = flags[name];
    flags[name] =
      Array.isArray(others) && FLAGS[name].takes === "texts" ? [...others, ...(value as string[])] : value;
  }
  return { flags, positionals };
}

const isSwitch = (name: FlagName): boolean => FLAGS[name].takes === "switch";

function readValue(name: FlagName, value: string | undefined): unknown {
  const { takes } = FLAGS[name];
  if (takes === "switch") {
    if (value === undefined) return true;
    throw badValue(name, `"${value}"`, "no value");
  }
  if (value === undefined || value === "") throw badValue(name, "no value", wording(takes));
  if (takes === "text") return value;
  if (takes === "texts") return [value];
  if (typeof takes === "object") {
    if (takes.includes(value)) return value;
    throw badValue(name, `"${value}"`, wording(takes), nearest(value, takes));
  }
  // An empty text would read as 0.
  const numberOf = (text: string) => (text.trim() === "" ? Number.NaN : Number(text));
  if (takes === "numbers") {
    const numbers = value.split(",").map(numberOf);
    if (numbers.every(Number.isFinite)) return numbers;
    throw badValue(name, `"${value}"`, wording(takes));
  }
  if (takes === "count or rule" && (value === "auto" || value === "stable")) return value;
  if (takes === "shard") {
    const [, number, of] = (/^(\d+)\/(\d+)$/.exec(value) ?? []).map(Number);
    if (number !== undefined && of !== undefined && number >= 1 && number <= of) return { number, of };
    throw badValue(name, `"${value}"`, wording(takes));
  }
  const number = numberOf(value);
  const isFit =
    takes === "positive"
      ? number > 0 && Number.isFinite(number)
      : Number.isSafeInteger(number) && number >= (takes === "whole" ? 0 : 1);
  if (isFit) return number;
  throw badValue(name, `"${value}"`, wording(takes));
}

/** A flag with what it takes: `--k K`, `--norm l1|l2`. */
export function usageOf(name: FlagName): string {
  const { takes, value } = FLAGS[name];
  if (typeof takes === "object") return `--${name} ${takes.join("|")}`;
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

function wording(takes: FlagSpec["takes"]): string {
  if (typeof takes === "object") return `${takes.slice(0, -1).join(", ")} or ${takes.at(-1)}`;
  const words = {
    text: "a value",
    texts: "a value",
    whole: "a whole number from 0",
    count: "a whole number from 1",
    "count or rule": "a whole number from 1, auto or stable",
    positive: "a number above 0",
    numbers: "numbers parted by commas",
    shard: "I/N with I from 1 to N",
  };
  return takes === "switch" ? "no value" : words[takes];
}

function badValue(name: FlagName, found: string, expected: string, guess?: string): BrodmannError {
  return new BrodmannError("E_USAGE_FLAG", `--${name}: found ${found}, expected ${expected}`, {
    hint: guess ? `Did you mean --${name} ${guess}?` : `Write ${usageOf(name)}.`,
  });
}

function unknownFlag(raw: string, allowed: readonly FlagName[]): BrodmannError {
  const guess = nearest(raw.replace(/^-+/, ""), allowed);
  const list = allowed.map((name) => `--${name}`).join(", ");
  return new BrodmannError("E_USAGE_FLAG", `unknown flag ${raw}`, {
    hint: `${guess ? `Did you mean --${guess}? ` : ""}Known flags: ${list}.`,
  });
}

/** The choice within two edits of a word, if any. */
export function nearest(word: string, choices: readonly string[]): string | undefined {
  const scored = choices.map((choice) => ({ choice, edits: editDistance(word, choice) }));
  return scored.filter(({ edits }) => edits <= 2).sort((a, b) => a.edits - b.edits)[0]?.choice;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}
