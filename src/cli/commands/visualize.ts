import type { Engine } from "../../engine.ts";
import { BrodmannError } from "../../errors.ts";
import type { Network } from "../../network/network.ts";
import type { RunOptions } from "../../progress.ts";
import { contactSheet } from "../../visualize/contact-sheet.ts";
import type { ImageShape } from "../../visualize/image-parameter.ts";
import type { VisualizedSet } from "../../visualize/image-runner.ts";
import { encodePng } from "../../visualize/png.ts";
import { randomGroups } from "../../visualize/random-groups.ts";
import type { VisualizeOptions } from "../../visualize/visualize-units.ts";
import type { CommandContext } from "../command-context.ts";
import { openScoringDevice } from "../device.ts";
import type { Flags } from "../flags.ts";
import { openNetwork } from "../inputs.ts";
import { prepareFile, printResult, writeBytes } from "../output.ts";
import { KEEP_HINT, namingKept } from "../score-journal.ts";
import { formatTable } from "../terminal.ts";
import { readUnitSets, subclusterSets, type UnitSet } from "../unit-sets.ts";

/** A row of the picture: a set with its image, and its random groups with theirs. */
interface Row extends UnitSet {
  readonly own: VisualizedSet;
  readonly random: readonly VisualizedSet[];
}

/** Random groups beside a set. */
const GROUPS = 7;

/** `brodmann visualize MODEL --units LAYER:1,5,9`. */
export async function run({ flags, positionals, terminal, signal }: CommandContext): Promise<void> {
  const { out, units, partition, shuffles = GROUPS, seed = 0, steps, mean, std } = flags;
  const [model = ""] = positionals;
  if ((units === undefined) === (partition === undefined)) {
    throw new BrodmannError(
      "E_USAGE_UNITS",
      `visualize: found ${units === undefined ? "no units" : "--units and --partition"}, expected one of --units and --partition`,
      { hint: "Write --units LAYER:1,5,9; `brodmann inspect MODEL` lists the layers." },
    );
  }
  if (out !== undefined) await prepareFile(out, [model, partition]);
  const network = await openNetwork(model, { inputShape: inputShapeOf(flags) });
  const sets =
    partition === undefined ? readUnitSets(units ?? "", network) : await subclusterSets(partition, network);
  const { jitter, scale, rotation } = flags;
  const settings = { seed, steps, jitter, scale, rotation, mean, std, imageShape: flags["image-shape"] };
  const engine = await openScoringDevice(flags, terminal);
  const rows: Row[] = [];
  let shape: ImageShape | null = null;
  const save = async () => {
    if (out !== undefined && shape !== null) await writeBytes(out, encodePng(sheetOf(rows, shape)));
  };
  try {
    const options = { ...settings, signal, onProgress: terminal.progress };
    try {
      for (const layer of new Set(sets.map((set) => set.layer))) {
        const own = sets.filter((set) => set.layer === layer);
        const made = await rowsOf(engine, network, layer, own, shuffles, options);
        shape = made.shape;
        rows.push(...made.rows);
      }
    } catch (error) {
      const isInterrupted = error instanceof BrodmannError && error.code === "E_INTERRUPTED";
      if (isInterrupted) await save();
      const kept = out !== undefined && rows.length > 0 ? [out] : [];
      await namingKept(
        kept,
        out === undefined ? KEEP_HINT : "A picture has the layers that are done.",
        () => {
          throw error;
        },
      );
    }
    await save();
    terminal.endProgress();
    await printResult(flags.json ? toJson(network, rows, settings, shape) : toText(rows, shuffles));
    if (out !== undefined) terminal.say(`written: ${out}`);
  } finally {
    await engine.dispose();
  }
}

/** The shape of one input for a network that leaves it open; a height and width alone are those of a grey image. */
function inputShapeOf({ "image-shape": given }: Flags): readonly number[] | undefined {
  return given?.length === 2 ? [1, ...given] : given;
}

/** All sets of a layer with their random groups, in one go. */
async function rowsOf(
  engine: Engine,
  network: Network,
  layer: string,
  sets: readonly UnitSet[],
  groups: number,
  options: VisualizeOptions & RunOptions,
): Promise<{ readonly rows: readonly Row[]; readonly shape: ImageShape }> {
  const asked = sets.flatMap(({ units, eligible }) => [
    units,
    ...randomGroups(layer, eligible, units, groups, options.seed ?? 0),
  ]);
  const { sets: made, shape } = await engine.visualize(network, layer, asked, options);
  const rows = sets.map((set, number) => {
    const [own, ...random] = made.slice(number * (groups + 1), (number + 1) * (groups + 1));
    return { ...set, own: own as VisualizedSet, random };
  });
  return { rows, shape };
}

function sheetOf(rows: readonly Row[], shape: ImageShape) {
  return contactSheet(
    rows.map(({ own, random }) => ({ image: own.image, random: random.map(({ image }) => image) })),
    shape,
  );
}

/** Undefined entropies (a network without classes) are null in JSON. */
const numbersOf = ({ units, score, entropy, dispersion }: VisualizedSet) => ({
  units,
  score,
  entropy,
  dispersion,
});

function toJson(
  network: Network,
  rows: readonly Row[],
  settings: VisualizeOptions,
  image: ImageShape | null,
): string {
  const { seed, steps = 65, jitter = 0, scale = 0, rotation = 0 } = settings;
  const sets = rows.map(({ layer, cluster, own, random }) => ({
    layer,
    ...(cluster === null ? {} : { cluster }),
    ...numbersOf(own),
    random: random.map(numbersOf),
  }));
  const schema = "brodmann/visualize/1";
  return JSON.stringify({ schema, model: network.name, seed, steps, jitter, scale, rotation, image, sets });
}

const HEADER = ["layer", "units", "score", "random", "entropy", "random"];

function toText(rows: readonly Row[], groups: number): string {
  const number = (value: number) => {
    if (!Number.isFinite(value)) return "-";
    return value > 0 && value < 1e-3 ? value.toExponential(1) : value.toPrecision(4);
  };
  const mean = (random: readonly VisualizedSet[], key: "score" | "entropy") =>
    number(random.reduce((sum, set) => sum + set[key], 0) / random.length);
  const lines = rows.map(({ layer, cluster, own, random }) => [
    layer,
    cluster === null ? listOf(own.units) : `cluster ${cluster} (${own.units.length})`,
    number(own.score),
    mean(random, "score"),
    number(own.entropy),
    mean(random, "entropy"),
  ]);
  return [
    formatTable(HEADER, lines),
    "",
    "score: how strongly the units answer to the image that was optimised for them (sum of |mean pre-activation|).",
    "entropy: of the network's classes on that image, in nats; low: the image means a class to the network.",
    `random: the mean over ${groups} random groups of the same layer and size. A dash: undefined.`,
  ].join("\n");
}

/** Unit numbers, shortened where they are many. */
function listOf(units: readonly number[]): string {
  return units.length <= 12 ? units.join(",") : `${units.slice(0, 10).join(",")},... (${units.length})`;
}
