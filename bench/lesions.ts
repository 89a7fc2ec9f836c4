/**
 * Lesions: how long does one lesion take, by layer, on an MLP 784-256x4-10 with 10,000 inputs and on a 16-convolution
 * VGG with 1,000 inputs? Each lesion silences a tenth of the layer's units. The time is that of everything behind the
 * layer for one lesion and all inputs, counting included; what runs once for all lesions of a layer stands beside it.
 *
 * Run: npx tsx bench/lesions.ts [--only mlp|vgg] [--lesions N] [--json FILE]
 */
import { parseArgs } from "node:util";
import { batchesOf } from "../src/network/batching.ts";
import { runGroups } from "../src/network/lesion-runner.ts";
import { createLesionRunner, runLesions } from "../src/network/lesions.ts";
import { createMaskedRunner } from "../src/network/masked-lesions.ts";
import { type Layer, loadNetworkBytes, type Network } from "../src/network/network.ts";
import { type LabelledInputs, OutcomeTally } from "../src/network/outcomes.ts";
import { rng } from "../src/statistics/rng.ts";
import { Bench } from "./harness.ts";
import { mlpModel, vggModel } from "./models.ts";
import { check } from "./timing.ts";

const { values: flags } = parseArgs({
  options: { only: { type: "string", default: "" }, lesions: { type: "string" }, json: { type: "string" } },
});

interface Case {
  readonly name: string;
  readonly network: Network;
  readonly data: LabelledInputs;
  readonly lesions: number;
  readonly runs: number;
}

const cases: Case[] = [];
if ("mlp".includes(flags.only)) {
  const network = await loadNetworkBytes(mlpModel([784, 256, 256, 256, 256, 10]), "mlp");
  cases.push({
    name: "mlp",
    network,
    data: randomInputs(10_000, 784),
    lesions: Number(flags.lesions ?? 60),
    runs: 5,
  });
}
if ("vgg".includes(flags.only)) {
  const network = await loadNetworkBytes(vggModel(), "vgg");
  cases.push({
    name: "vgg",
    network,
    data: randomInputs(1000, 3 * 32 * 32),
    lesions: Number(flags.lesions ?? 1),
    runs: 1,
  });
}

const bench = await Bench.start("Lesions, time of one");
for (const { name, network, data, lesions, runs } of cases) {
  const perLayer: number[] = [];
  for (const layer of network.layers.filter(({ isLogits }) => !isLogits)) {
    const sets = lesionSets(layer, lesions);
    await checkAgainstMasks(network, layer, sets[0] as Int32Array, data);
    const times: { lesionMs: number; onceMs: number }[] = [];
    for (let run = 0; run < runs; run++) times.push(await timeLesions(network, layer, sets, data));
    const lesionMs = Math.min(...times.map((time) => time.lesionMs));
    const onceMs = Math.min(...times.map((time) => time.onceMs));
    const gflops = (data.count * 2 * multipliesBehind(network, layer)) / lesionMs / 1e6;
    bench.record(
      `${name} ${layer.name}`,
      times.map((time) => time.lesionMs),
      gflops,
      { "once per layer, ms": Math.round(onceMs) },
    );
    perLayer.push(lesionMs);
  }
  bench.record(
    `${name}, mean over layers`,
    [perLayer.reduce((total, ms) => total + ms, 0) / perLayer.length],
    null,
    {},
  );
}
await bench.finish();

/** Milliseconds of one lesion over all inputs, and of what runs once for all of them. */
async function timeLesions(
  network: Network,
  layer: Layer,
  sets: readonly Int32Array[],
  data: LabelledInputs,
): Promise<{ lesionMs: number; onceMs: number }> {
  const runner = await createLesionRunner(network, layer, data.count);
  const tally = new OutcomeTally(sets.length, 10);
  let onceMs = 0;
  let lesionsMs = 0;
  try {
    for (let start = 0; start < data.count; start += runner.inputsAtOnce) {
      const rows = Math.min(runner.inputsAtOnce, data.count - start);
      const before = performance.now();
      const batch = await runner.load(data.batch(start, rows), rows);
      const loaded = performance.now();
      const groups = [...batchesOf(sets.length, runner.lesionsAtOnce)];
      for await (const [{ start: first, rows: count }, values] of runGroups(runner, batch, sets, groups)) {
        for (let lesion = 0; lesion < count; lesion++) {
          tally.count(first + lesion, values, lesion * rows * 10, data.labels, start, rows);
        }
      }
      onceMs += loaded - before;
      lesionsMs += performance.now() - loaded;
    }
  } finally {
    await runner.dispose();
  }
  return { lesionMs: lesionsMs / sets.length, onceMs };
}

function randomInputs(count: number, size: number): LabelledInputs {
  const random = rng(0, "bench inputs");
  const values = Float32Array.from({ length: count * size }, () => random.uniform());
  return {
    count,
    labels: Int32Array.from({ length: count }, () => random.integer(10)),
    batch: (start, rows) => values.slice(start * size, (start + rows) * size),
  };
}

function lesionSets(layer: Layer, count: number): Int32Array[] {
  const units = Int32Array.from({ length: layer.units }, (_, unit) => unit);
  return Array.from({ length: count }, (_, lesion) =>
    rng(0, "bench lesion", lesion)
      .shuffle(units.slice())
      .slice(0, Math.ceil(layer.units / 10)),
  );
}

/** The log-probabilities of the fast way equal those of the plain one. */
async function checkAgainstMasks(
  network: Network,
  layer: Layer,
  set: Int32Array,
  data: LabelledInputs,
): Promise<void> {
  const count = 50;
  const few = { ...data, count, labels: data.labels.slice(0, count) };
  const [outcome] = await runLesions(network, layer, [set], few);
  const runner = await createMaskedRunner(network, layer, count);
  try {
    let loss = 0;
    for (let start = 0; start < count; start += runner.inputsAtOnce) {
      const rows = Math.min(runner.inputsAtOnce, count - start);
      const batch = await runner.load(few.batch(start, rows), rows);
      const values = await batch.run([set]);
      for (let row = 0; row < rows; row++) {
        loss -= values[row * 10 + (few.labels[start + row] as number)] as number;
      }
    }
    check(
      Math.abs(loss / count - (outcome?.loss ?? 0)) < 1e-4,
      `${layer.name}: lesion differs from the masked network`,
    );
  } finally {
    await runner.dispose();
  }
}

/** Multiplications per input behind a layer's output, as the plain method makes them. */
function multipliesBehind(network: Network, layer: Layer): number {
  return network.layers.slice(network.layers.indexOf(layer) + 1).reduce((total, { units, weights }) => {
    const shape = network.probe.values.get(weights.output)?.shape ?? [];
    const positions = shape.slice(2).reduce((product, size) => product * size, 1);
    return total + units * weights.kernel.inputs * weights.kernel.taps * positions;
  }, 0);
}
