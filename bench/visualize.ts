/**
 * Feature visualisation against PyTorch: does the same optimisation, from the same first images, reach the same
 * objectives, and how long does it take? And how long do the images of all subclusters of a network take?
 *
 * Sets: 32 random ones over the hidden layers, of 1 to half of the layer's units. Aims: the mean of the objectives' ratios
 * is not below 0.95; all subclusters of mnist-cnn (k = 16, 19 random sets each) in less than 3 minutes on two cores.
 *
 * Run: npx tsx bench/visualize.ts MODEL... [--subclusters] [--k 16] [--python python3] [--json FILE]
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { spectral, visualize, weightGraph } from "../src/library.ts";
import { loadNetwork } from "../src/network/load-network.ts";
import type { Network } from "../src/network/network.ts";
import { findSubclusters } from "../src/scores/subclusters.ts";
import { rng } from "../src/statistics/rng.ts";
import { imageInputOf } from "../src/visualize/image-input.ts";
import { drawSpectrum } from "../src/visualize/image-parameter.ts";
import { randomGroups } from "../src/visualize/random-groups.ts";
import { visualizeUnits } from "../src/visualize/visualize-units.ts";

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    subclusters: { type: "boolean", default: false },
    k: { type: "string", default: "16" },
    python: { type: "string", default: "python3" },
    json: { type: "string" },
  },
});
const SETS = 32;
const STEPS = 65;
const NULLS = 19;

interface LayerSets {
  readonly name: string;
  readonly sets: readonly (readonly number[])[];
}

/** Random sets, the same number for each hidden layer as nearly as can be. */
function drawSets({ layers }: Network): LayerSets[] {
  const hidden = layers.filter(({ isLogits }) => !isLogits);
  return hidden.map(({ name, units }, number) => {
    const count =
      Math.floor(((number + 1) * SETS) / hidden.length) - Math.floor((number * SETS) / hidden.length);
    const sets = Array.from({ length: count }, (_, draw) => {
      const random = rng(0, "bench set", name, draw);
      const size = 1 + random.integer(Math.floor(units / 2));
      const shuffled = random.shuffle(Array.from({ length: units }, (_unused, unit) => unit));
      return shuffled.slice(0, size).sort((a, b) => a - b);
    });
    return { name, sets };
  });
}

async function compare(path: string, network: Network) {
  const layers = drawSets(network);
  const { shape } = imageInputOf(network);
  const folder = await mkdtemp(join(tmpdir(), "brodmann-visualize-"));
  try {
    const spectra = layers.flatMap(({ name, sets }) =>
      sets.flatMap((units) => Array.from(drawSpectrum(shape, rng(0, "image", name, units.join())))),
    );
    const files = [join(folder, "sets.json"), join(folder, "spectra.f32")] as const;
    const sizes = [shape.channels, shape.height, shape.width];
    await writeFile(files[0], JSON.stringify({ shape: sizes, steps: STEPS, layers }));
    await writeFile(files[1], new Uint8Array(Float32Array.from(spectra).buffer));
    const start = performance.now();
    const own: number[][] = [];
    for (const { name, sets } of layers) {
      own.push((await visualizeUnits(network, name, sets, { steps: STEPS })).sets.map(({ score }) => score));
    }
    const seconds = (performance.now() - start) / 1000;
    const script = fileURLToPath(new URL("visualize-torch.py", import.meta.url));
    const { stdout } = await promisify(execFile)(flags.python, [script, path, ...files]);
    const theirs = JSON.parse(stdout) as {
      scores: number[][];
      seconds: number;
      torch: string;
      threads: number;
    };
    const sets = layers.flatMap(({ name, sets: units }, layer) =>
      units.map((set, i) => {
        const [score, torch] = [own[layer]?.[i] as number, theirs.scores[layer]?.[i] as number];
        return { layer: name, units: set.length, score, torch, ratio: score / torch };
      }),
    );
    const ratios = sets.map(({ ratio }) => ratio);
    return {
      model: network.name,
      sets: sets.length,
      meanRatio: ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length,
      leastRatio: Math.min(...ratios),
      largestRatio: Math.max(...ratios),
      seconds,
      torch: { version: theirs.torch, threads: theirs.threads, seconds: theirs.seconds },
      load: loadavg()[0] as number,
      each: sets,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Images of every subcluster and of its random sets, layer by layer. */
async function timeSubclusters(network: Network) {
  const partition = await spectral(await weightGraph(network), { k: Number(flags.k) });
  const layers: { layer: string; subclusters: number; images: number; seconds: number }[] = [];
  for (const { name, layerUnits, eligible, tested } of findSubclusters(network, partition)) {
    const shown = tested.filter(({ units }) => units.length >= 3 && units.length < 0.99 * layerUnits);
    const sets = shown.flatMap(({ units }) => {
      const own = Array.from(units);
      return [own, ...randomGroups(name, eligible, own, NULLS, 0)];
    });
    if (sets.length === 0) continue;
    const start = performance.now();
    await visualize(network, name, sets, { steps: STEPS });
    const seconds = (performance.now() - start) / 1000;
    layers.push({ layer: name, subclusters: shown.length, images: sets.length, seconds });
  }
  const seconds = layers.reduce((sum, layer) => sum + layer.seconds, 0);
  return {
    model: network.name,
    k: Number(flags.k),
    nulls: NULLS,
    steps: STEPS,
    seconds,
    load: loadavg()[0],
    layers,
  };
}

const report: unknown[] = [];
for (const path of positionals) {
  const network = await loadNetwork(path);
  const found = flags.subclusters ? await timeSubclusters(network) : await compare(path, network);
  report.push(found);
  console.error(JSON.stringify({ ...found, each: undefined }, null, 1));
}
if (flags.json !== undefined) await writeFile(flags.json, `${JSON.stringify(report, null, 1)}\n`);
