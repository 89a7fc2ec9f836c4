/** The explorer as files: what `brodmann serve` serves, and what `npm run build:site` writes. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readBundle } from "../bundle.ts";
import { runtimeFolder } from "../chrome/page-files.ts";

/** A file of the site, read when it is asked for. */
export type SiteFile = () => Promise<string | Uint8Array>;

/** Files by their path in the site. */
export type Site = ReadonlyMap<string, SiteFile>;

const PACKAGE = new URL("../../", import.meta.url);
const at = (path: string): string => fileURLToPath(new URL(path, PACKAGE));

/** What the worker loads of ONNX Runtime. */
const RUNTIME = [
  "ort.webgpu.bundle.min.mjs",
  "ort-wasm-simd-threaded.asyncify.mjs",
  "ort-wasm-simd-threaded.asyncify.wasm",
];
const EXAMPLES = ["mnist-mlp.onnx", "mnist-digits.npz"];

/** Throws `E_DEVICE_MISSING` where ONNX Runtime for browsers is not installed, `E_INPUT_PACKAGE` for a damaged package. */
export async function explorerSite(): Promise<Site> {
  const [explorer, worker] = [await readBundle("explorer"), await readBundle("worker")];
  const site = new Map<string, SiteFile>([
    ["index.html", async () => INDEX],
    ["explorer.js", async () => explorer.script],
    ["explorer.css", async () => explorer.style],
    ["worker.js", async () => worker.script],
  ]);
  const ort = runtimeFolder();
  for (const name of RUNTIME) site.set(`ort/${name}`, () => readFile(join(ort, name)));
  for (const name of EXAMPLES) site.set(`examples/${name}`, () => readFile(at(`examples/${name}`)));
  for (const name of await readdir(at("shaders"), { recursive: true })) {
    const path = name.replaceAll("\\", "/");
    if (path.endsWith(".wgsl")) site.set(`shaders/${path}`, () => readFile(at(`shaders/${path}`)));
  }
  return site;
}

/** Scripts of the site alone; what they fetch lies beside them. */
const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval' blob:; worker-src 'self' blob:; connect-src 'self' blob: data:; style-src 'self' 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'";

const INDEX = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<title>Brodmann explorer</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="explorer.css">
<script type="module" src="explorer.js"></script>
</head>
<body>
<div id="explorer"><noscript>The explorer runs by JavaScript.</noscript></div>
</body>
</html>
`;
