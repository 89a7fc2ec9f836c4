/**
 * The explorer: a visitor drops a network and data (or takes the embedded example), and the report grows below while the
 * visitor's own machine computes it. Nothing is uploaded.
 */
import { showReport } from "../report/page/app.ts";
import { h } from "../report/page/dom.ts";
import { addFiles, type ChosenFiles, isComplete, NO_FILES } from "./files.ts";
import { settingsForm } from "./form.ts";
import type { DeviceFacts, NamedFile, RunRequest, WorkerMessage } from "./messages.ts";
import { duration, progressBar } from "./progress-bar.ts";
import "../report/page/theme.css";
import "./explorer.css";

const EXAMPLE = ["mnist-mlp.onnx", "mnist-digits.npz"] as const;

let files: ChosenFiles = NO_FILES;
let worker: Worker | null = null;
/** Ends what the report that is shown listens to. */
let endReport: (() => void) | null = null;

const form = settingsForm();
const progress = progressBar();
const fileList = h("ul", { class: "files", "aria-live": "polite" });
const notice = h("p", { class: "notice", role: "alert", hidden: true });
const device = h("p", { class: "soft small" });
const picker = h("input", { type: "file", multiple: true, class: "visually-hidden", id: "picker" });
const drop = h(
  "div",
  { class: "drop" },
  picker,
  h("label", { class: "button", for: "picker" }, "Choose files"),
  h(
    "span",
    {},
    " or drop them here: an ONNX model, and its data as .npz with x and y or a pair of .npy or IDX files.",
  ),
);
const example = h(
  "button",
  { type: "button", onclick: () => void takeExample() },
  "Take the embedded example",
);
const start = h(
  "button",
  { type: "button", class: "primary", disabled: true, onclick: () => begin() },
  "Analyse",
);
const cancel = h(
  "button",
  { type: "button", hidden: true, onclick: () => stop("Cancelled. What was found so far stays below.") },
  "Cancel",
);
const report = h("div", { id: "report" });

/** Shows a message that the visitor should act on. */
function warn(text: string | null): void {
  notice.hidden = text === null;
  notice.textContent = text;
}

function choose(added: readonly NamedFile[]): void {
  const { chosen, refused } = addFiles(files, added);
  files = chosen;
  warn(refused.length > 0 ? refused.join(" ") : null);
  const rows = [
    ["model", files.model],
    ["inputs", files.inputs],
    ["labels", files.labels],
  ] as const;
  fileList.replaceChildren(
    ...rows.flatMap(([role, file]) =>
      file === null ? [] : [h("li", {}, `${role}: `, h("strong", {}, file.name))],
    ),
  );
  start.disabled = worker !== null || !isComplete(files);
}

async function readFiles(list: FileList | null): Promise<void> {
  try {
    const read = Array.from(list ?? [], async (file) => ({
      name: file.name,
      bytes: new Uint8Array(await file.arrayBuffer()),
    }));
    choose(await Promise.all(read));
  } catch (error) {
    warn(
      `The files could not be read (${error instanceof Error ? error.message : error}). Folders cannot be dropped; choose files.`,
    );
  }
}

async function takeExample(): Promise<void> {
  try {
    const read = EXAMPLE.map(async (name) => {
      const response = await fetch(`examples/${name}`);
      if (!response.ok) throw new Error(`${name}: status ${response.status}`);
      return { name, bytes: new Uint8Array(await response.arrayBuffer()) };
    });
    choose(await Promise.all(read));
  } catch (error) {
    warn(
      `The example could not be fetched (${error instanceof Error ? error.message : error}). Reload the page.`,
    );
  }
}

function begin(): void {
  const settings = form.read();
  const { model, inputs, labels } = files;
  if (settings === null || model === null || inputs === null) return;
  warn(null);
  const startMs = performance.now();
  worker = new Worker(new URL("worker.js", document.baseURI), { type: "module" });
  worker.addEventListener("message", ({ data }: MessageEvent<WorkerMessage>) => take(data, startMs));
  worker.addEventListener("error", ({ message }) =>
    stop(`The analysis failed: ${message || "its worker could not be started"}. Reload the page.`, true),
  );
  const request: RunRequest = { model, inputs, labels, settings };
  worker.postMessage(request);
  setRunning(true);
  progress.say("Opening the device");
}

function take(message: WorkerMessage, startMs: number): void {
  if (message.kind === "device") device.textContent = describe(message.facts);
  if (message.kind === "notice") device.append(` ${message.message}.`);
  if (message.kind === "progress") progress.show(message.progress);
  if (message.kind === "error") {
    stop(`${message.message}${message.hint ? ` – ${message.hint}` : ""}`, true);
  }
  if (message.kind === "report") {
    endReport?.();
    endReport = showReport(report, message.data);
    if (message.isFinal) stop(`Done in ${duration(performance.now() - startMs)}.`);
  }
}

/** Ends the worker, and with it whatever runs on the GPU for it. */
function stop(words: string, isError: boolean = false): void {
  worker?.terminate();
  worker = null;
  setRunning(false);
  progress.say(isError ? "" : words);
  progress.element.hidden = isError;
  if (isError) warn(words);
}

function setRunning(isRunning: boolean): void {
  form.setDisabled(isRunning);
  cancel.hidden = !isRunning;
  start.hidden = isRunning;
  example.disabled = isRunning;
  picker.disabled = isRunning;
  progress.element.hidden = false;
  document.body.toggleAttribute("aria-busy", isRunning);
}

function describe({ adapter, networks, threads }: DeviceFacts): string {
  if (adapter === null) {
    return "This browser has no WebGPU: the CPU does everything, which is slower. Chrome or Edge 113 and newer, Safari 26 and Firefox 141 (Windows) have it; on Linux start Chrome with --enable-unsafe-webgpu --enable-features=Vulkan.";
  }
  const where =
    networks === "webgpu" ? "networks run on it as well" : `networks run on the CPU (${threads} threads)`;
  const kind = adapter.type === "software" ? "a software adapter, slow" : "a GPU";
  return `Kernels run on ${adapter.name}, ${kind}; ${where}.`;
}

for (const type of ["dragenter", "dragover"]) {
  addEventListener(type, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
for (const type of ["dragleave", "drop"]) addEventListener(type, () => drop.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  if (worker === null) void readFiles(event.dataTransfer?.files ?? null);
});
picker.addEventListener("change", () => void readFiles(picker.files));
progress.element.hidden = true;

document
  .getElementById("explorer")
  ?.replaceChildren(
    h(
      "div",
      { class: "explorer" },
      h("h1", {}, "Brodmann explorer"),
      h(
        "p",
        {},
        "Finds the functional areas of a trained network: which units belong together, and what the network loses without them. Everything runs on your machine; nothing is uploaded.",
      ),
      h("div", { class: "sources" }, drop, example),
      fileList,
      form.element,
      h("div", { class: "actions" }, start, cancel),
      notice,
      progress.element,
      device,
    ),
    report,
  );
