/**
 * Writes the explorer as a static site, for any web server. Multi-threaded WebAssembly needs the headers
 * `Cross-Origin-Opener-Policy: same-origin` and `Cross-Origin-Embedder-Policy: require-corp`; without them it has one thread.
 *
 * Run: npm run build:site [FOLDER]
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { explorerSite } from "./site.ts";

const [folder = "site"] = process.argv.slice(2);
await rm(folder, { recursive: true, force: true });
let bytes = 0;
const site = await explorerSite();
for (const [path, read] of site) {
  const content = await read();
  const target = join(folder, path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, content);
  bytes += content.length;
}
process.stderr.write(`written: ${folder} (${site.size} files, ${(bytes / 1e6).toFixed(1)} MB)\n`);
