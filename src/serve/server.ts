/**
 * Serves files to this machine's own browser: on the loopback interface only, to pages that it has served itself. What other
 * sites ask for through the visitor's browser is refused, and nothing leads out of the folders.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { extname } from "node:path";
import { BrodmannError, messageOf } from "../errors.ts";
import { CONTENT_TYPES, closeServer, ISOLATED_HEADERS, listenOnLoopback } from "./loopback.ts";
import type { Site, SiteFile } from "./site.ts";

export interface SiteServer {
  /** Address of the site, with a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

const HEADERS = { ...ISOLATED_HEADERS, "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY" };

/** Starts to serve a site; `port` 0 takes a free one. Throws `E_USAGE_PORT` where the port cannot be had. */
export async function serveSite(site: Site, port: number = 0): Promise<SiteServer> {
  let taken = port;
  const server = createServer((request, response) => {
    answer(request, response, site, taken).catch((error: unknown) => {
      if (!response.headersSent) {
        response.writeHead(500, { ...HEADERS, "Content-Type": "text/plain; charset=utf-8" });
      }
      response.end(messageOf(error));
    });
  });
  taken = await listenOnLoopback(server, port).catch((cause: unknown) => {
    throw new BrodmannError("E_USAGE_PORT", `--port ${port}: cannot be listened on (${messageOf(cause)})`, {
      hint: "Leave --port out for a free one.",
      cause,
    });
  });
  return { url: `http://127.0.0.1:${taken}/`, close: () => closeServer(server) };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  site: Site,
  port: number,
): Promise<void> {
  if (!isOwn(request, port)) return refuse(response, 403, "Only pages of this address may ask here.");
  if (request.method !== "GET" && request.method !== "HEAD")
    return refuse(response, 405, "Only GET is answered.");
  const file = fileOf(site, request.url ?? "/");
  if (file === undefined) return refuse(response, 404, "There is no such file here.");
  const [path, read] = file;
  const body = await read();
  response.writeHead(200, {
    ...HEADERS,
    "Content-Type": CONTENT_TYPES[extname(path)] ?? "application/octet-stream",
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

/**
 * Whether a request comes from a page of this server, or from the address bar. A foreign name in `Host` is a site whose name was made
 * to point here (DNS rebinding); browsers tell in `Origin` and `Sec-Fetch-Site` who asks.
 */
function isOwn({ headers }: IncomingMessage, port: number): boolean {
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  const { host = "", origin } = headers;
  const site = headers["sec-fetch-site"] ?? "none";
  return (
    hosts.includes(host) &&
    (origin === undefined || hosts.some((own) => origin === `http://${own}`)) &&
    (site === "none" || site === "same-origin")
  );
}

/** Looked up among the names that are there: no path leads elsewhere. */
function fileOf(site: Site, url: string): [string, SiteFile] | undefined {
  let path: string;
  try {
    path = decodeURIComponent(url.split(/[?#]/)[0] ?? "").slice(1);
  } catch {
    return undefined;
  }
  const wanted = path === "" || path.endsWith("/") ? `${path}index.html` : path;
  const read = site.get(wanted);
  return read && [wanted, read];
}

function refuse(response: ServerResponse, status: number, words: string): void {
  response.writeHead(status, { ...HEADERS, "Content-Type": "text/plain; charset=utf-8" });
  response.end(`${words}\n`);
}
