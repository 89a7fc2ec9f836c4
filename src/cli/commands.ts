import type { CommandContext } from "./command-context.ts";
import type { FlagName } from "./flags.ts";

/** A command: how it is called, and where its code is. */
interface Command {
  readonly usage: string;
  readonly help: string;
  readonly examples: readonly string[];
  /** What else there is to know, a sentence or two each. */
  readonly notes?: readonly string[];
  readonly arguments: { readonly least: number; readonly most: number };
  readonly flags: readonly FlagName[];
  load(): Promise<{ run(context: CommandContext): Promise<void> }>;
}

const DATA_FLAGS: readonly FlagName[] = ["data", "skip", "take", "mean", "std"];
const GRAPH_FLAGS: readonly FlagName[] = ["graph", "scope", "norm", "correlation", "samples", "top-k"];
const PARTITION_FLAGS: readonly FlagName[] = ["method", "k", "resolution", "quality"];
const ASSESS_FLAGS: readonly FlagName[] = ["nulls", "stability"];
const SCORE_FLAGS: readonly FlagName[] = [
  "protocol",
  "shuffles",
  "visual-shuffles",
  "image-shape",
  "sequential",
  "lesion",
  "lesion-at",
  "match",
  "scores",
];

export type CommandName =
  | "demo"
  | "inspect"
  | "graph"
  | "partition"
  | "score"
  | "merge"
  | "analyze"
  | "table"
  | "compare"
  | "visualize"
  | "report"
  | "serve"
  | "populations"
  | "patterns"
  | "extract"
  | "doctor";

export const COMMANDS: Readonly<Record<CommandName, Command>> = {
  demo: {
    usage: "demo [--out DIR]",
    help: "the whole analysis on the embedded network and digits",
    examples: ["brodmann demo", "brodmann demo --out demo"],
    arguments: { least: 0, most: 0 },
    flags: [
      ...GRAPH_FLAGS,
      ...PARTITION_FLAGS,
      ...ASSESS_FLAGS,
      "agreement",
      "populations",
      "patterns",
      ...SCORE_FLAGS,
      "take",
      "resume",
    ],
    load: () => import("./commands/demo.ts"),
  },
  inspect: {
    usage: "inspect MODEL",
    help: "layers, units, connections, and what was skipped and why",
    examples: ["brodmann inspect model.onnx", "brodmann inspect model.onnx --json"],
    arguments: { least: 1, most: 1 },
    flags: DATA_FLAGS,
    load: () => import("./commands/inspect.ts"),
  },
  graph: {
    usage: "graph MODEL|--activations FILE --out g.npz|g.gexf|g.graphml",
    help: "builds the unit graph",
    examples: [
      "brodmann graph model.onnx --out graph.npz",
      "brodmann graph model.onnx --data digits.npz --graph activations --out graph.npz",
    ],
    arguments: { least: 0, most: 1 },
    flags: [...DATA_FLAGS, "activations", ...GRAPH_FLAGS],
    load: () => import("./commands/graph.ts"),
  },
  partition: {
    usage: "partition GRAPH [--out p.json]",
    help: "partitions a graph file",
    examples: [
      "brodmann partition graph.npz --k 16 --out p.json",
      "brodmann partition graph.npz --method leiden --nulls 50 --stability 10 --out p.json",
    ],
    arguments: { least: 1, most: 1 },
    flags: [...PARTITION_FLAGS, "like", ...ASSESS_FLAGS, "activations"],
    load: () => import("./commands/partition.ts"),
  },
  score: {
    usage: "score MODEL --data D --partition p.json [--out scores.json]",
    help: "scores any partition, also one made elsewhere",
    examples: [
      "brodmann score model.onnx --data digits.npz --partition p.json --out scores.json",
      "brodmann score model.onnx --data digits.npz --partition p.json --out scores.json --resume",
      "brodmann score model.onnx --data digits.npz --partition p.json --out scores.json --shard 1/3",
    ],
    notes: [
      "With --out every result goes to a journal (scores.jsonl) at once, which is removed when the scores are written.",
      "A run that was killed at any moment goes on with --resume and gives the same bytes; without, it starts afresh.",
    ],
    arguments: { least: 1, most: 1 },
    flags: [...DATA_FLAGS, "partition", ...SCORE_FLAGS, "resume", "shard"],
    load: () => import("./commands/score.ts"),
  },
  merge: {
    usage: "merge SHARD.jsonl... [--out scores.json]",
    help: "the scores of a run that was split by score --shard, the same bytes as without",
    examples: ["brodmann merge scores.shard-*.jsonl --out scores.json"],
    arguments: { least: 1, most: Number.POSITIVE_INFINITY },
    flags: [],
    load: () => import("./commands/merge.ts"),
  },
  analyze: {
    usage: "analyze MODEL --data D --out DIR",
    help: "graph, partition, scores, and all files in one go",
    examples: [
      "brodmann analyze model.onnx --data digits.npz --out run",
      "brodmann analyze model.onnx --data images/ --graph activations --scope local --out run",
      "brodmann analyze model.onnx --data digits.npz --out run --resume",
      "brodmann analyze model.onnx --data digits.npz --nulls 50 --stability 10 --agreement --out run",
      "brodmann analyze model.onnx --data digits.npz --populations --patterns --out run",
    ],
    notes: [
      "While it scores, every result goes to a journal (scores.jsonl in --out) at once, which is removed at the end.",
      "The images that were optimised for subclusters are in visual in --out, a picture for each layer: a row for each subcluster, its own image on the left, those of random sets beside it.",
      "A run that was killed at any moment goes on with --resume and gives the same bytes; without, it starts afresh.",
    ],
    arguments: { least: 1, most: 1 },
    flags: [
      ...DATA_FLAGS,
      ...GRAPH_FLAGS,
      ...PARTITION_FLAGS,
      ...ASSESS_FLAGS,
      "agreement",
      "populations",
      "patterns",
      ...SCORE_FLAGS,
      "resume",
    ],
    load: () => import("./commands/analyze.ts"),
  },
  table: {
    usage: "table [LABEL=]RUN...",
    help: "the paper's table of networks and partitions, from the folders that analyze wrote",
    examples: [
      "brodmann table run-weights run-activations",
      "brodmann table MLP=run1 MLP=run2 MLP=run3 --format latex",
    ],
    arguments: { least: 1, most: Number.POSITIVE_INFINITY },
    flags: ["format"],
    load: () => import("./commands/table.ts"),
  },
  compare: {
    usage: "compare A.json B.json",
    help: "ARI, AMI, variation of information of two partitions, per layer and overall",
    examples: [
      "brodmann compare weights.json activations.json",
      "brodmann compare weights.json activations.json --shuffles 5000 --graphs weights.npz,activations.npz",
    ],
    arguments: { least: 2, most: 2 },
    flags: ["shuffles", "graphs"],
    load: () => import("./commands/compare.ts"),
  },
  visualize: {
    usage: "visualize MODEL --units LAYER:1,5,9 [--out img.png]",
    help: "images optimised for units, beside those of random groups of the same layer and size",
    examples: [
      "brodmann visualize model.onnx --units /0/Conv:1,5,9 --out img.png",
      'brodmann visualize model.onnx --units "/0/Conv:1,5,9;/3/Conv:0-7" --out img.png',
      "brodmann visualize model.onnx --partition p.json --jitter 2 --rotation 5 --out img.png",
    ],
    notes: [
      "Each row of the picture is a set of units: its own image on the left, those of --shuffles random groups beside it.",
      "With --partition there is a row for every subcluster of 3 units or more that is not nearly its whole layer.",
      "--mean and --std are those that the network's inputs are normalised with.",
    ],
    arguments: { least: 1, most: 1 },
    flags: [
      "units",
      "partition",
      "shuffles",
      "steps",
      "jitter",
      "scale",
      "rotation",
      "mean",
      "std",
      "image-shape",
    ],
    load: () => import("./commands/visualize.ts"),
  },
  report: {
    usage: "report RUN/ [--out report.html]",
    help: "a page of its own from the folder that analyze wrote, to open from disk",
    examples: ["brodmann report run", "brodmann report run --out report.html"],
    notes: ["analyze writes it by itself; this renders it again, also from a run that was interrupted."],
    arguments: { least: 1, most: 1 },
    flags: [],
    load: () => import("./commands/report.ts"),
  },
  serve: {
    usage: "serve [RUN/] [--port N]",
    help: "the explorer in the browser: drop a network and data, and see the report grow; and the report of RUN/",
    examples: ["brodmann serve", "brodmann serve run --port 8080"],
    notes: [
      "It listens on this machine only, and nothing is uploaded anywhere: the page computes by itself.",
    ],
    arguments: { least: 0, most: 1 },
    flags: ["port"],
    load: () => import("./commands/serve.ts"),
  },
  populations: {
    usage: "populations MODEL --data D|--activations FILE --data LABELS --out DIR",
    help: "units of a layer that act alike or whose lesions hurt alike (after Meyes et al.), and what magnitude, selectivity and impact tell",
    examples: [
      "brodmann populations model.onnx --data digits.npz --out populations",
      "brodmann populations model.onnx --data digits.npz --layer hidden1 --lesion mean,zero --out populations",
      'brodmann populations model.onnx --data digits.npz --pairs "hidden1:1,5;hidden1:2,9" --out populations',
      "brodmann populations --activations recorded.npy --data labels.npy --out populations",
    ],
    notes: [
      "Every unit of every layer is lesioned alone, by each kind of --lesion (default zero,mean); populations by impact, lesions of populations and of pairs go by the first.",
      "--partition is compared with the populations; without it a partition of the weights is made and compared.",
      "Each population is compared with --shuffles random sets of its layer and size (199 or more; default 199), on --null-inputs of the inputs.",
      "--out gets populations.json, populations.csv (a row for each unit), relations.csv, co-response.json and co-impact.json (partitions that score and compare read), input-map.svg and input-map.csv.",
      "With --activations there is no network to lesion: what units answer to and populations by response are all there is. --data may then be labels alone (a .npy of class numbers).",
    ],
    arguments: { least: 0, most: 1 },
    flags: [
      ...DATA_FLAGS,
      "activations",
      "layer",
      "partition",
      "lesion",
      "aggregate",
      "response",
      "correlation",
      "edges",
      "impact",
      ...PARTITION_FLAGS,
      "shuffles",
      "null-inputs",
      "pairs",
    ],
    load: () => import("./commands/populations.ts"),
  },
  patterns: {
    usage: "patterns MODEL|--activations FILE --data D [--partition p.json] --out DIR",
    help: "sets of inputs that each layer, and each cluster of its units, treats alike",
    examples: [
      "brodmann patterns model.onnx --data digits.npz --out patterns",
      "brodmann patterns model.onnx --data digits.npz --layer /0/Conv --aggregate mean_std --out patterns",
      "brodmann patterns model.onnx --data digits.npz --partition p.json --cluster 3 --out patterns",
      "brodmann patterns --activations recorded.npy --data labels.npy --out patterns",
    ],
    notes: [
      "--out gets patterns.json, patterns.csv (a row for each pattern), pattern-inputs.csv (a row for each input), pattern-units.npz (box statistics of every unit), run.json, and where inputs are images pictures: a row for each pattern, its average image on the left, then its most typical and its least typical inputs.",
      "The inputs are a seeded sample with as many of each class as there are: --samples of those that --skip and --take leave.",
      "With --partition each cluster's units in a layer are compared with --shuffles random sets of the same layer and size.",
      "With --activations, --data may be labels alone (a .npy of class numbers), or be left out.",
      "--mean and --std are those that the network's inputs are normalised with; --image-shape tells what inputs are images of.",
    ],
    arguments: { least: 0, most: 1 },
    flags: [
      ...DATA_FLAGS,
      "activations",
      "layer",
      "partition",
      "cluster",
      "aggregate",
      "unit-scale",
      "metric",
      "selection",
      "min-samples",
      "min-cluster-size",
      "epsilon",
      "samples",
      "nulls",
      "shuffles",
      "stability",
      "noise",
      "image-shape",
    ],
    load: () => import("./commands/patterns.ts"),
  },
  extract: {
    usage: "extract MODEL --data D --partition p.json --cluster C --out sub.onnx",
    help: "the sub-network of one cluster as an ONNX file of its own",
    examples: ["brodmann extract model.onnx --data digits.npz --partition p.json --cluster 3 --out sub.onnx"],
    notes: [
      "All other units of the layers that the partition names are taken out, and their means over --data put in their place: the file gives the logits of the network with those units lesioned to their means.",
      "Maps of convolutions have a mean for each position, so that a file of many small kernels on large maps may grow.",
      "Networks run on the CPU, whatever --device says.",
    ],
    arguments: { least: 1, most: 1 },
    flags: [...DATA_FLAGS, "partition", "cluster", "shuffles"],
    load: () => import("./commands/extract.ts"),
  },
  doctor: {
    usage: "doctor",
    help: "what works here, and what to do about what does not",
    examples: ["brodmann doctor"],
    arguments: { least: 0, most: 0 },
    flags: [],
    load: () => import("./commands/doctor.ts"),
  },
};
