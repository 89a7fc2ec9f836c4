/**
 * Serves the page, ONNX Runtime's files and the shaders to our own browser, and carries what is too large for the browser's
 * protocol. Listens on the loopback interface only, below a path that nobody else can guess.
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { extname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { BrodmannError, messageOf } from "../errors.ts";
import { CONTENT_TYPES, closeServer, ISOLATED_HEADERS, listenOnLoopback } from "../serve/loopback.ts";
import { decodeMessage, type EncodedMessage } from "./message.ts";

/** What the server serves besides messages. */
export interface PageFiles {
  /** The bundled script. */
  readonly script: string | Uint8Array;
  /** Folders by their name in the page's addresses. */
  readonly folders: Readonly<Record<string, string>>;
  /** Address, below the page's, of the module that the script imports as `onnxruntime-web/webgpu`. */
  readonly runtime: string;
}

/** Where a call's messages go. */
export interface CallPort {
  /** The arguments; fetched once. */
  readonly message: EncodedMessage;
  readonly onEvent: (event: unknown) => void;
  readonly onResult: (result: unknown) => void;
}

export interface PageServer {
  /** Address of the page. */
  readonly url: string;
  /** By the call's number. */
  readonly calls: Map<number, CallPort>;
  close(): Promise<void>;
}

/** Starts a server on a free port. */
export async function servePage(files: PageFiles): Promise<PageServer> {
  const calls = new Map<number, CallPort>();
  const root = `/${randomBytes(24).toString("base64url")}/`;
  const server = createServer((request, response) => {
    const path = (request.url ?? "").startsWith(root) ? (request.url ?? "").slice(root.length) : null;
    answer(request, response, path, files, calls).catch((error: unknown) => {
      // The page goes away in the middle of a transfer when it crashes; that is reported elsewhere.
      if (!response.headersSent) response.writeHead(500, ISOLATED_HEADERS);
      response.end(messageOf(error));
    });
  });
  // No limits on how long a request lasts, or on the time between two: the page computes for hours.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 0;
  const port = await listenOnLoopback(server).catch((cause: unknown) => {
    throw new BrodmannError("E_DEVICE_MISSING", `Chrome: found no port to serve its page from`, {
      hint: "Allow programs to listen on 127.0.0.1, or pass --device webgpu or cpu.",
      cause,
    });
  });
  return { url: `http://127.0.0.1:${port}${root}`, calls, close: () => closeServer(server) };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  path: string | null,
  files: PageFiles,
  calls: ReadonlyMap<number, CallPort>,
): Promise<void> {
  const send = (type: string, body: string | Uint8Array): void => {
    response.writeHead(200, {
      ...ISOLATED_HEADERS,
      "Content-Type": CONTENT_TYPES[type] ?? "application/octet-stream",
    });
    response.end(body);
  };
  const [folder = "", ...rest] = (path ?? "?").split("/");
  const call = calls.get(Number(rest[0]));
  if (request.method === "POST" && call !== undefined && (folder === "events" || folder === "results")) {
    const message = decodeMessage(await readBody(request));
    (folder === "events" ? call.onEvent : call.onResult)(message);
    return send("", "");
  }
  if (request.method !== "GET") return refuse(response);
  if (path === "") return send(".html", pageOf(files));
  if (path === "page.js") return send(".js", files.script);
  if (folder === "calls" && call !== undefined) {
    const { parts, byteLength } = call.message;
    response.writeHead(200, { ...ISOLATED_HEADERS, "Content-Length": byteLength });
    return pipeline(parts, response);
  }
  const root = files.folders[folder];
  // Plain names only: nothing leads out of the folder.
  if (root === undefined || !rest.every((name) => /^[\w-][\w.-]*$/.test(name))) return refuse(response);
  const content = await readFile(join(root, ...rest)).catch(() => null);
  return content === null ? refuse(response) : send(extname(path ?? ""), content);
}

function refuse(response: ServerResponse): void {
  response.writeHead(404, ISOLATED_HEADERS);
  response.end();
}

/** The body in memory of its own, so that the arrays of a message can be views of it. */
async function readBody(request: IncomingMessage): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(Number(request.headers["content-length"] ?? 0));
  let filled = 0;
  for await (const chunk of request) {
    bytes.set(chunk as Uint8Array, filled);
    filled += (chunk as Uint8Array).length;
  }
  return bytes.buffer;
}

function pageOf({ runtime }: PageFiles): string {
  const imports = JSON.stringify({ imports: { "onnxruntime-web/webgpu": `./${runtime}` } });
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Brodmann</title>
<link rel="icon" href="data:,">
<script type="importmap">${imports}</script>
<script type="module" src="page.js"></script>
</head>
</html>
`;
}
