/** One analysis in the page: the same steps as `brodmann analyze`, handing on a report after each of them. */
import { analyzeNetwork } from "../analyze.ts";
import { parseDataset } from "../data/parse-dataset.ts";
import { reshapeInputs } from "../data/reshape-inputs.ts";
import type { Engine } from "../engine.ts";
import { loadNetworkBytes } from "../network/network.ts";
import type { RunOptions } from "../progress.ts";
import { drivingInputs, inputPictures } from "../report/input-pictures.ts";
import { makeReport } from "../report/make-report.ts";
import { NO_PICTURES, type ReportData, type ReportPictures, toAddress } from "../report/report-data.ts";
import type { ScoresDocument } from "../report/scores-document.ts";
import { formatScores } from "../scores/scores-file.ts";
import type { LayerImages } from "../scores/visual-coherence.ts";
import { maybeImageInput } from "../visualize/image-input.ts";
import { encodePng, type Picture, shrinkPicture, toPicture } from "../visualize/png.ts";
import type { NamedFile, RunRequest } from "./messages.ts";

export interface ExplorerOptions extends RunOptions {
  /** The engine's name and facts, for the report's own account of how it was made. */
  readonly device: Readonly<Record<string, unknown>>;
  readonly onReport: (data: ReportData, isFinal: boolean) => void;
}

/** Runs the analysis; errors are those of the steps. */
export async function runAnalysis(
  { model, inputs, labels, settings }: RunRequest,
  engine: Engine,
  { device, onReport, ...options }: ExplorerOptions,
): Promise<void> {
  const {
    graph: kind,
    scope,
    method,
    k,
    take,
    protocol,
    isSequential,
    scores: names,
    images,
    seed,
  } = settings;
  const network = await loadNetworkBytes(model.bytes, model.name);
  const data = reshapeInputs(
    parseDataset(await fileOf(inputs), labels && (await fileOf(labels)), { take }),
    network.inputShape,
  );
  const run = {
    command: ["explorer"],
    inputs: {
      model: { path: model.name, sha256: await sha256(model.bytes) },
      data: { ...data.source, classNames: data.classNames },
    },
    device,
    skipped: network.skipped,
  };
  let first: ReportData | null = null;
  const subclusters: ReportPictures["subclusters"][number][] = [];
  const { importance, coherence } = await analyzeNetwork(network, data, engine, {
    ...options,
    kind,
    scope,
    seed,
    partition: { method, ...(method === "spectral" ? { k } : {}) },
    scores: names,
    protocol,
    isSequential,
    visual: { shuffles: images ? RANDOM_IMAGES : 0 },
    onImages: (found) => {
      subclusters.push(...subclusterPictures(found));
    },
    onPartition: async (partition, graph) => {
      first = makeReport({
        name: model.name,
        graph,
        partition,
        scores: null,
        classNames: data.classNames,
        pictures: NO_PICTURES,
        run,
        files: [],
        patterns: null,
        populations: null,
      });
      onReport(first, names.length === 0);
    },
  });
  // Assigned in a callback, which the compiler does not follow.
  const base = first as ReportData | null;
  if (base === null || (importance === null && coherence === null)) return;
  const scores = JSON.parse(formatScores(importance, coherence)) as ScoresDocument;
  const imageInput = coherence && maybeImageInput(network);
  const shown = imageInput ? inputPictures(drivingInputs(coherence), data, imageInput) : new Map();
  const drivers = Object.fromEntries(Array.from(shown, ([input, picture]) => [input, addressOf(picture)]));
  onReport({ ...base, scores, pictures: { subclusters, inputs: drivers } }, true);
}

/** Random sets that get an image, and the longest side of an image. */
const RANDOM_IMAGES = 7;
const LONGEST = 96;

const addressOf = (picture: Picture): string => toAddress(encodePng(picture));

function subclusterPictures({ layer, rows, shape }: LayerImages): ReportPictures["subclusters"] {
  const draw = (image: Float32Array): string => addressOf(shrinkPicture(toPicture(image, shape), LONGEST));
  return rows.map(({ cluster, image, random }) => ({
    layer,
    cluster,
    image: draw(image),
    random: random.map(draw),
  }));
}

const fileOf = async ({ name, bytes }: NamedFile) => ({ path: name, bytes, sha256: await sha256(bytes) });

async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
