import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { decodeMessage, encodeMessage } from "../../src/chrome/message.ts";
import { type PageServer, servePage } from "../../src/chrome/page-server.ts";
import { ROOT } from "../support/cli.ts";

let server: PageServer;
beforeAll(async () => {
  server = await servePage({
    script: "void 0;",
    folders: { shaders: join(ROOT, "shaders") },
    runtime: "ort/runtime.mjs",
  });
});
afterAll(() => server.close());

/** Status of a request whose path is sent as it is written; `fetch` would tidy it up. */
function statusOf(path: string): Promise<number | undefined> {
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    request({ hostname, port, path }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}

it("serves the page, isolated so that threads may share memory, with its script and the shaders", async () => {
  const page = await fetch(server.url);
  expect(page.headers.get("cross-origin-opener-policy")).toBe("same-origin");
  expect(page.headers.get("cross-origin-embedder-policy")).toBe("require-corp");
  expect(await page.text()).toContain('{"imports":{"onnxruntime-web/webgpu":"./ort/runtime.mjs"}}');
  const script = await fetch(new URL("page.js", server.url));
  expect(script.headers.get("content-type")).toMatch(/^text\/javascript/);
  expect(await script.text()).toBe("void 0;");
  expect(await (await fetch(new URL("shaders/lib/grid.wgsl", server.url))).text()).toContain("fn ");
});

it("listens on the loopback interface, and answers nothing outside of its own path", async () => {
  const { hostname, pathname } = new URL(server.url);
  expect(hostname).toBe("127.0.0.1");
  expect(pathname.length).toBeGreaterThan(30);
  for (const path of ["/", "/page.js", pathname.slice(0, -1), `${pathname.slice(0, -2)}/page.js`]) {
    expect(await statusOf(path), path).toBe(404);
  }
  const outside = [
    "shaders/../package.json",
    "shaders/%2e%2e/package.json",
    "shaders/..%2fpackage.json",
    "shaders//etc/passwd",
    "shaders/none.wgsl",
    "shaders/",
    "nothing/gram.wgsl",
    "calls/1",
    "__proto__/x",
  ];
  for (const path of outside) expect(await statusOf(pathname + path), path).toBeGreaterThanOrEqual(400);
});

it("carries a call's arguments to the page, and its events and its result back", async () => {
  const events: unknown[] = [];
  const results: unknown[] = [];
  const values = Float32Array.from({ length: 30_000 }, (_, i) => i);
  server.calls.set(7, {
    message: encodeMessage({ name: "test", values }),
    onEvent: (event) => events.push(event),
    onResult: (result) => results.push(result),
  });
  const call = await fetch(new URL("calls/7", server.url));
  expect(decodeMessage(await call.arrayBuffer())).toEqual({ name: "test", values });
  const post = async (path: string, message: unknown) => {
    const body = new Blob([...encodeMessage(message).parts]);
    return (await fetch(new URL(path, server.url), { method: "POST", body })).status;
  };
  expect(await post("events/7", { done: 1 })).toBe(200);
  expect(await post("results/7", { result: values })).toBe(200);
  expect({ events, results }).toEqual({ events: [{ done: 1 }], results: [{ result: values }] });
  server.calls.delete(7);
  expect(await post("results/7", { result: 1 })).toBe(404);
  expect(await post("page.js", { result: 1 })).toBe(404);
});
