import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { buildModel, makeNode, makeValueInfo } from "../../src/runtime/onnx.ts";
import { floatTensor, floatValues, Session, Tensor } from "../../src/runtime/session.ts";
import { rng } from "../../src/statistics/rng.ts";

/** y = a b + c for factors of any size. */
function productModel(): Uint8Array {
  return buildModel({
    nodes: [makeNode("Gemm", ["a", "b", "c"], ["y"])],
    inputs: [makeValueInfo("a", ["i", "j"]), makeValueInfo("b", ["j", "k"]), makeValueInfo("c", ["i", "k"])],
    outputs: [makeValueInfo("y", ["i", "k"])],
  });
}

const random = rng(4, "session threads");
const matrix = (rows: number, columns: number) =>
  floatTensor(
    Float32Array.from({ length: rows * columns }, () => random.normal()),
    [rows, columns],
  );

describe("runs apart", () => {
  it("give what runs one after another give, whichever of several sessions they are of", async () => {
    const sessions = await Promise.all(
      ["one", "other"].map((label) => Session.create(productModel(), { label, isParallel: true })),
    );
    const shared = matrix(30, 20);
    const cases = Array.from({ length: 24 }, (_, i) => ({
      session: sessions[i % 2] as Session,
      // Some tensors are fed again and again, others come only once.
      feeds: { a: i % 3 === 0 ? matrix(7, 30) : matrix(5, 30), b: shared, c: matrix(1, 20) },
    }));
    const found = await Promise.all(cases.map(({ session, feeds }) => session.runApart(feeds)));
    for (const [i, { session, feeds }] of cases.entries()) {
      const expected = await session.run(feeds);
      expect(found[i]?.y?.dims).toEqual([i % 3 === 0 ? 7 : 5, 20]);
      expect(floatValues(found[i]?.y, "y")).toEqual(floatValues(expected.y, "y"));
    }
    for (const session of sessions) await session.dispose();
  });

  it("take the values as they are when they begin", async () => {
    const session = await Session.create(productModel(), { label: "copies", isParallel: true });
    const scratch = new Float32Array(40).fill(1);
    const identity = floatTensor(Float32Array.of(1, 0, 0, 1), [2, 2]);
    const none = floatTensor(new Float32Array(2), [1, 2]);
    const first = session.runApart({
      a: floatTensor(scratch.subarray(10, 16), [3, 2]),
      b: identity,
      c: none,
    });
    scratch.fill(2);
    const second = session.runApart({
      a: floatTensor(scratch.subarray(10, 14), [2, 2]),
      b: identity,
      c: none,
    });
    scratch.fill(3);
    expect([...floatValues((await first).y, "y")]).toEqual([1, 1, 1, 1, 1, 1]);
    expect([...floatValues((await second).y, "y")]).toEqual([2, 2, 2, 2]);
    await session.dispose();
  });

  it("that fail say so and leave the others alone", async () => {
    const session = await Session.create(productModel(), { label: "a product", isParallel: true });
    const good = { a: matrix(2, 3), b: matrix(3, 4), c: matrix(2, 4) };
    const results = await Promise.allSettled([
      session.runApart(good),
      session.runApart({ ...good, a: matrix(2, 5) }),
      session.runApart({ ...good, c: new Tensor("int64", new BigInt64Array(8), [2, 4]) }),
      session.runApart(good),
    ]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected", "fulfilled"]);
    const [, failed] = results;
    expect(failed).toMatchObject({ reason: { code: "E_NETWORK_RUN" } });
    expect(String((failed as PromiseRejectedResult).reason.message)).toMatch(/^a product: /);
    const again = await session.runApart(good);
    expect(floatValues(again.y, "y")).toEqual(floatValues((await session.run(good)).y, "y"));
    await session.dispose();
  });

  it("are not offered where nobody asks for them", async () => {
    const session = await Session.create(productModel(), { label: "alone" });
    expect(session.runsApart).toBe(1);
    await session.dispose();
  });

  it("do not keep a process from ending", async () => {
    const { stdout, code } = await runScript(`
      const { y } = await session.runApart({ x: input(2) });
      console.log([...y.data].join());`);
    expect({ stdout, code }).toEqual({ stdout: "0,-1\n", code: 0 });
  });

  it("leave the exit code to the process that exits in their middle", async () => {
    const { stderr, code } = await runScript(`
      const x = input(1e7);
      const runs = Array.from({ length: 40 }, () => session.runApart({ x }));
      await Promise.race(runs);
      process.exit(7);`);
    expect({ stderr, code }).toEqual({ stderr: "", code: 7 });
  });
});

/** Runs a script that has a session (y = -x) and inputs 0, 1, 2 ... of any length. */
async function runScript(script: string): Promise<{ stdout: string; stderr: string; code: number | null }> {
  const code = `
    const { Session, floatTensor } = await import("./src/runtime/session.ts");
    const { buildModel, makeNode, makeValueInfo } = await import("./src/runtime/onnx.ts");
    const info = (name) => makeValueInfo(name, ["n"]);
    const model = buildModel({ nodes: [makeNode("Neg", ["x"], ["y"])], inputs: [info("x")], outputs: [info("y")] });
    const session = await Session.create(model, { label: "left open", isParallel: true });
    const input = (length) => floatTensor(Float32Array.from({ length }, (_, i) => i), [length]);
    ${script}`;
  const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", code], {
    cwd: fileURLToPath(new URL("../..", import.meta.url)),
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      texts[name] += text;
    });
  }
  const timer = setTimeout(() => child.kill("SIGKILL"), 50_000);
  const ended = await new Promise<number | null>((resolve) => child.on("close", resolve));
  clearTimeout(timer);
  return { ...texts, code: ended };
}
