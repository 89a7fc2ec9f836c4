import { type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type SiteServer, serveSite } from "../../src/serve/server.ts";
import { catchError } from "../support/catch-error.ts";

let server: SiteServer;
let port: string;
beforeAll(async () => {
  server = await serveSite(
    new Map([
      ["index.html", async () => "<h1>explorer</h1>"],
      ["run/index.html", async () => "<h1>report</h1>"],
      ["run/a b & c.csv", async () => "1,2\n"],
      ["ort/x.wasm", async () => Uint8Array.of(0, 97, 115, 109)],
      ["broken.json", () => Promise.reject(new Error("is gone"))],
    ]),
  );
  ({ port } = new URL(server.url));
});
afterAll(() => server.close());

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request as it is written; `fetch` would tidy the path up and refuse some headers. */
function ask(path: string, headers: OutgoingHttpHeaders = {}, method: string = "GET"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ hostname: "127.0.0.1", port, path, method, headers }, (response) => {
      let body = "";
      response.setEncoding("latin1").on("data", (text: string) => {
        body += text;
      });
      response.on("end", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    })
      .on("error", reject)
      .end();
  });
}

describe("serveSite", () => {
  it("serves files by their names, folders by their index, isolated so that threads may share memory", async () => {
    const index = await ask("/");
    expect(index).toMatchObject({ status: 200, body: "<h1>explorer</h1>" });
    expect(index.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
      "x-content-type-options": "nosniff",
    });
    expect(await ask("/run/?x=1")).toMatchObject({ status: 200, body: "<h1>report</h1>" });
    expect(await ask("/run/a%20b%20%26%20c.csv")).toMatchObject({ status: 200, body: "1,2\n" });
    expect((await ask("/ort/x.wasm")).headers["content-type"]).toBe("application/wasm");
    expect(await ask("/", {}, "HEAD")).toMatchObject({ status: 200, body: "" });
  });

  it("listens on this machine only", () => {
    expect(new URL(server.url).hostname).toBe("127.0.0.1");
  });

  it.each([
    "/run",
    "/none",
    "/../package.json",
    "/run/../../package.json",
    "/run/%2e%2e/%2e%2e/package.json",
    "/..%2fpackage.json",
    "//etc/passwd",
    "/%",
    "/__proto__",
    "/constructor/",
  ])("has nothing at %s", async (path) => {
    expect((await ask(path)).status).toBe(404);
  });

  it.each<[string, OutgoingHttpHeaders]>([
    ["a name that was made to point here", { host: "evil.example" }],
    ["a name with our port", { host: "evil.example:80" }],
    ["another page's script", { origin: "https://evil.example" }],
    ["another server of this machine", { origin: "http://127.0.0.1:1" }],
    ["a sandboxed page", { origin: "null" }],
    ["another site, as the browser tells", { "sec-fetch-site": "cross-site" }],
    ["another port of this machine, as the browser tells", { "sec-fetch-site": "same-site" }],
  ])("refuses %s", async (_, headers) => {
    const answer = await ask("/", headers);
    expect(answer.status).toBe(403);
    expect(answer.body).not.toContain("explorer");
  });

  it("answers its own pages", async () => {
    const own = {
      host: `localhost:${port}`,
      origin: `http://localhost:${port}`,
      "sec-fetch-site": "same-origin",
    };
    expect((await ask("/", own)).status).toBe(200);
  });

  it("takes nothing in", async () => {
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS"])
      expect((await ask("/", {}, method)).status).toBe(405);
  });

  it("tells of a file that is gone", async () => {
    expect(await ask("/broken.json")).toMatchObject({ status: 500, body: "is gone" });
  });

  it("names a port that is taken", async () => {
    const error = await catchError(() => serveSite(new Map(), Number(port)));
    expect(error.code).toBe("E_USAGE_PORT");
    expect(error.message).toContain(port);
  });
});
