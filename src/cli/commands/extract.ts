import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { sha256 } from "../../data/read-bytes.ts";
import { BrodmannError } from "../../errors.ts";
import { type Extraction, extractCluster } from "../../extract/extract-cluster.ts";
import type { KeptNumber } from "../../extract/kept-performance.ts";
import { externalFiles } from "../../network/load-model.ts";
import { clusterOf } from "../cluster-names.ts";
import type { CommandContext } from "../command-context.ts";
import { openInputs, requireLabelled } from "../inputs.ts";
import { prepareFile, printResult, writeBytes } from "../output.ts";
import { readPartition } from "../read-partition.ts";
import { versionOf } from "../run-file.ts";
import { KEEP_HINT, namingKept } from "../score-journal.ts";
import { formatTable } from "../terminal.ts";

/** `brodmann extract MODEL --data D --partition p.json --cluster C --out sub.onnx`. */
export async function run({ flags, positionals, terminal, signal }: CommandContext): Promise<void> {
  const { out, partition: partitionPath, seed = 0, shuffles = 19 } = flags;
  const [model = ""] = positionals;
  if (partitionPath === undefined || flags.cluster === undefined || out === undefined) {
    const missing =
      partitionPath === undefined ? "partition" : flags.cluster === undefined ? "cluster" : "out";
    throw new BrodmannError(
      `E_USAGE_${missing.toUpperCase()}`,
      `extract: found no --${missing}, expected one`,
      {
        hint: "Write brodmann extract MODEL --data D --partition p.json --cluster 3 --out sub.onnx.",
      },
    );
  }
  await prepareFile(out, [model, flags.data, partitionPath]);
  const { partition, fileLabels } = await readPartition(partitionPath);
  const cluster = clusterOf(flags.cluster, fileLabels, partitionPath);
  const inputs = await openInputs(model, flags, terminal);
  const data = requireLabelled(inputs, "extract");
  const file = await readFile(model);
  const source = { name: inputs.network.name, sha256: sha256(file) };
  const label = fileLabels[cluster] ?? cluster;
  const made = await namingKept([], KEEP_HINT, async () =>
    extractCluster(inputs.network, data, partition, cluster, {
      shuffles,
      seed,
      source,
      label,
      version: await versionOf(),
      signal,
      onProgress: terminal.progress,
    }),
  );
  await writeBytes(out, made.bytes);
  terminal.endProgress();
  const bytesBefore = await sizeWithData(model, file);
  await printResult(
    flags.json
      ? toJson(made, { model: source, cluster: label, seed, bytesBefore })
      : toText(made, bytesBefore, data.classNames),
  );
  terminal.say(`written: ${out}`);
}

/** Bytes of a model with those of the files that hold its data. */
async function sizeWithData(path: string, file: Uint8Array): Promise<number> {
  let size = file.byteLength;
  for (const name of externalFiles(file, path)) size += (await stat(resolve(dirname(path), name))).size;
  return size;
}

function toJson(
  { bytes, layers, parameters, logits, performance }: Extraction,
  facts: {
    readonly model: { readonly name: string; readonly sha256: string };
    readonly cluster: number;
    readonly seed: number;
    readonly bytesBefore: number;
  },
): string {
  const { model, cluster, seed, bytesBefore } = facts;
  return JSON.stringify({
    schema: "brodmann/extract/1",
    model: model.name,
    sha256: model.sha256,
    cluster,
    seed,
    layers: layers.map(({ units, ...layer }) => ({ ...layer, units: Array.from(units) })),
    parameters,
    bytes: { before: bytesBefore, after: bytes.byteLength },
    logits,
    ...performance,
  });
}

function toText(
  { bytes, layers, parameters, logits, performance }: Extraction,
  bytesBefore: number,
  classNames: readonly string[] | null,
): string {
  const shapes = layers.map(({ layer, units, layerUnits, form, restoredAt }) => [
    layer,
    String(units.length),
    String(layerUnits),
    restoredAt.length > 0 ? `${form} at ${restoredAt.join(", ")}` : form,
  ]);
  const share = (after: number, before: number) => `${((100 * after) / before).toPrecision(3)} %`;
  const { accuracy, classAccuracy, loss, shuffles, inputs } = performance;
  const rows = [
    ...(accuracy === null ? [] : [rowOf("accuracy", accuracy)]),
    rowOf("loss", loss),
    ...classAccuracy.flatMap((found, c) =>
      found === null ? [] : [rowOf(classNames?.[c] ?? `class ${c}`, found)],
    ),
  ];
  return [
    formatTable(["layer", "kept", "of", "became"], shapes),
    "",
    `parameters: ${parameters.before} -> ${parameters.after} (${share(parameters.after, parameters.before)})`,
    `file: ${bytesBefore} -> ${bytes.byteLength} bytes (${share(bytes.byteLength, bytesBefore)})`,
    `largest difference of a logit from the network with all other units at their means: ${logits.largestDifference.toExponential(1)} (largest logit ${logits.largest.toPrecision(3)}, ${inputs} inputs)`,
    "",
    formatTable(["", "intact", "kept", "random", "least", "most", "p"], rows),
    "",
    `random: mean and range over ${shuffles} random groups of as many units in every layer; p: how rarely they do as well.`,
    ...notesOn(layers),
  ].join("\n");
}

const FORM_NOTES = {
  whole: "",
  narrowed: "",
  constant: "constant: no unit is kept.",
  unused: "unused: units are kept, but all behind them is constant, so the file leaves them out.",
  restored: "restored: the layer's weights are gone, constants fill its width in front of the nodes named.",
  masked: "masked: the layer keeps its weights, its other units are set to their means.",
};

function notesOn(layers: Extraction["layers"]): string[] {
  const forms = [...new Set(layers.map(({ form }) => form))];
  return forms.map((form) => FORM_NOTES[form]).filter((note) => note !== "");
}

function rowOf(name: string, { intact, kept, random, p }: KeptNumber): string[] {
  const number = (value: number | undefined) => (value === undefined ? "-" : value.toFixed(4));
  const numbers = [intact, kept, random?.mean, random?.least, random?.most].map(number);
  return [name, ...numbers, p === null ? "-" : p.toPrecision(2)];
}
