/** What runs in a browser, as the build has bundled it (`vite.config.ts`). */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { BrodmannError, messageOf } from "./errors.ts";

/** The package's folder, which stands above both `src` and `dist`. */
const PACKAGE = new URL("../", import.meta.url);
/** In a checkout that is run from its sources, bundles are built from them as well. */
const IS_SOURCE = import.meta.url.endsWith(".ts");

/** One script, and the style sheet that it imports ("" where it has none). */
export interface Bundle {
  readonly script: string;
  readonly style: string;
}

export type BundleName = "page" | "report" | "explorer" | "worker";

/** Their folders in `dist`, as in `src`. */
const FOLDERS: Readonly<Record<BundleName, string>> = {
  page: "page",
  report: "report/page",
  explorer: "explorer/page",
  worker: "explorer/worker",
};
/** Those with a style sheet. */
const STYLED: readonly BundleName[] = ["report", "explorer"];

/** Throws `E_INPUT_PACKAGE` where the package is damaged. */
export async function readBundle(name: BundleName): Promise<Bundle> {
  if (IS_SOURCE) return buildOnce(name);
  const part = `${FOLDERS[name]}/${name}`;
  const script = await readPart(`${part}.js`);
  return { script, style: STYLED.includes(name) ? await readPart(`${part}.css`) : "" };
}

async function readPart(part: string): Promise<string> {
  const path = fileURLToPath(new URL(`dist/${part}`, PACKAGE));
  return readFile(path, "utf8").catch((cause: unknown) => {
    throw new BrodmannError("E_INPUT_PACKAGE", `${path}: cannot be read (${messageOf(cause)})`, {
      hint: "Install the package again; in a checkout, run npm run build.",
      cause,
    });
  });
}

const built = new Map<BundleName, Promise<Bundle>>();

function buildOnce(name: BundleName): Promise<Bundle> {
  const bundle = built.get(name) ?? buildBundle(name);
  built.set(name, bundle);
  return bundle;
}

/** The bundle as `npm run build` makes it, in memory: a second or two. `entry` stands in the place of the bundle's own. */
export async function buildBundle(name: BundleName, entry?: string): Promise<Bundle> {
  const vite = await import("vite");
  const result = await vite.build({
    root: fileURLToPath(PACKAGE),
    configFile: fileURLToPath(new URL("vite.config.ts", PACKAGE)),
    mode: name,
    logLevel: "error",
    build: { write: false, ...(entry !== undefined && { rolldownOptions: { input: entry } }) },
  });
  const outputs = (Array.isArray(result) ? result : [result]).flatMap((one) =>
    "output" in one ? one.output : [],
  );
  const [script] = outputs.flatMap((output) => (output.type === "chunk" ? [output.code] : []));
  const styles = outputs.flatMap((output) =>
    output.type === "asset" && output.fileName.endsWith(".css") ? [String(output.source)] : [],
  );
  if (script === undefined)
    throw new BrodmannError("E_INTERNAL", `${name}: found no script in what was built`);
  return { script, style: styles.join("\n") };
}
