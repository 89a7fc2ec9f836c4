/**
 * Do populations of small digit classifiers relate as in the toy reference check of the populations note (5.2)? Five seeds of two
 * networks that scikit-learn has trained (populations-digits.py), means over the seeds:
 *
 *   mkdir -p .cache/digits && python3 bench/populations-digits.py .cache/digits && npx tsx bench/populations-digits.ts .cache/digits
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createCpuCompute } from "../src/compute/cpu/cpu-compute.ts";
import { loadDataset } from "../src/data/dataset.ts";
import { openNpz } from "../src/data/npz.ts";
import { readBytes } from "../src/data/read-bytes.ts";
import { localEngine } from "../src/engine.ts";
import { loadNetworkBytes } from "../src/network/network.ts";
import {
  buildModel,
  makeFloatTensor,
  makeNode,
  makeValueInfo,
  type NodeProto,
  type TensorProto,
} from "../src/runtime/onnx.ts";

/** An MLP with ReLU from arrays w0, b0, w1, ... */
function encodeMlp(arrays: ReturnType<typeof openNpz>): Uint8Array {
  const nodes: NodeProto[] = [];
  const initializers: TensorProto[] = [];
  const layers = arrays.names.filter((name) => /^w\d/.test(name)).length;
  let value = "x";
  for (let layer = 0; layer < layers; layer++) {
    for (const kind of ["w", "b"]) {
      const { shape, values } = arrays.read(`${kind}${layer}`);
      initializers.push(makeFloatTensor(`${kind}${layer}`, shape, values as Float32Array));
    }
    const isLast = layer === layers - 1;
    const gemm = makeNode("Gemm", [value, `w${layer}`, `b${layer}`], [isLast ? "y" : `sum${layer}`], {
      transB: 1n,
    });
    gemm.name = isLast ? "logits" : `L${layer + 1}`;
    nodes.push(gemm);
    value = `out${layer}`;
    if (!isLast) nodes.push(makeNode("Relu", [`sum${layer}`], [value]));
  }
  return buildModel({
    nodes,
    initializers,
    inputs: [makeValueInfo("x", ["n", 64])],
    outputs: [makeValueInfo("y", ["n", 10])],
  });
}

const [folder = ".cache/digits"] = process.argv.slice(2);
const engine = localEngine(await createCpuCompute());
const sums = new Map<string, Map<string, number[]>>();
for (const file of readdirSync(folder).filter((name) => name.endsWith(".npz"))) {
  const path = join(folder, file);
  const network = await loadNetworkBytes(encodeMlp(openNpz(await readBytes(path), path)), file);
  const data = await loadDataset(path);
  const { layers, impact } = await engine.populations(network, data, {
    lesions: ["zero", "mean", "resample"],
    impact: "accuracy",
    shuffles: 0,
    pairs: [],
  });
  const correct = impact?.baseline.correct.reduce((sum, count) => sum + count, 0) ?? 0;
  for (const { layer, lesions, responses } of layers) {
    const key = `${file.replace(/-\d+\.npz$/, "")} ${layer}`;
    const row = sums.get(key) ?? new Map<string, number[]>();
    sums.set(key, row);
    const note = (name: string, value: number | undefined) => {
      if (value !== undefined && Number.isFinite(value)) row.set(name, [...(row.get(name) ?? []), value]);
    };
    const rho = (first: string, second: string) =>
      impact?.relations.find(
        (one) => one.layer === layer && one.first === first && one.second === second && one.given === null,
      )?.rho;
    note("acc", correct / data.count);
    note("mag,I", rho("magnitude", "accuracyImpact zero"));
    note("csi,I", rho("selectivity", "accuracyImpact zero"));
    note("mag,csi", rho("magnitude", "selectivity"));
    note("csi,maxI", rho("selectivity", "largestClassImpact zero"));
    note("mag,maxI", rho("magnitude", "largestClassImpact zero"));
    note("I z,m", rho("accuracyImpact zero", "accuracyImpact mean"));
    const alive = Array.from(responses.isDead.keys()).filter((unit) => !responses.isDead[unit]);
    note("I=0", alive.filter((unit) => lesions[0]?.accuracyImpact[unit] === 0).length / alive.length);
    const agreement = impact?.agreements.find(({ names }) => names.join() === "co-response,co-impact");
    note("ARI", agreement?.comparison?.layers.find(({ name }) => name === layer)?.ari);
    for (const kind of ["zero", "mean"]) {
      note(`mag,dL ${kind}`, rho("magnitude", `lossImpact ${kind}`));
      note(`csi,dL ${kind}`, rho("selectivity", `lossImpact ${kind}`));
    }
    note("dL z,m", rho("lossImpact zero", "lossImpact mean"));
    note("dL z,r", rho("lossImpact zero", "lossImpact resample"));
    note("dL m,r", rho("lossImpact mean", "lossImpact resample"));
    note("dL,I zero", rho("accuracyImpact zero", "lossImpact zero"));
  }
}
await engine.dispose();
for (const [key, row] of sums) {
  const cells = Array.from(row, ([name, values]) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return `${name} ${mean.toFixed(2)}`;
  });
  console.log(`${key}: ${cells.join("  ")}`);
}
