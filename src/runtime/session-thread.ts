/** What a thread of `session-threads.ts` does: it opens sessions, runs them and closes them, one request after another. */
import { parentPort, workerData } from "node:worker_threads";
import { messageOf } from "../errors.ts";
import { type OrtSession, openSession, type PlainTensor, type Tensor, tensorOf } from "./ort-node.ts";
import { BUSY, STOP } from "./thread-state.ts";

export type ThreadRequest =
  | { readonly kind: "open"; readonly session: number; readonly model: Uint8Array }
  /** Inputs that `feeds` leaves out are as in the run before. */
  | {
      readonly kind: "run";
      readonly session: number;
      readonly run: number;
      readonly feeds: readonly PlainTensor[];
    }
  | { readonly kind: "close"; readonly session: number };

export interface ThreadAnswer {
  readonly run: number;
  /** Null where the run has failed. */
  readonly outputs: readonly PlainTensor[] | null;
  readonly error: string;
}

interface Opened {
  readonly session: Promise<OrtSession>;
  readonly inputs: Record<string, Tensor>;
}

const opened = new Map<number, Opened>();

async function run({ session, inputs }: Opened, feeds: readonly PlainTensor[]): Promise<PlainTensor[]> {
  for (const feed of feeds) inputs[feed.name] = tensorOf(feed);
  const outputs = await (await session).run(inputs);
  return Object.entries(outputs).map(([name, { type, dims, data }]) => ({ name, type, dims, data }));
}

async function answer(request: ThreadRequest): Promise<void> {
  const own = opened.get(request.session);
  if (request.kind === "open") {
    const session = openSession(request.model, { threads: 1 });
    // Whoever runs it hears of it.
    session.catch(() => {});
    opened.set(request.session, { session, inputs: {} });
  } else if (request.kind === "close") {
    opened.delete(request.session);
    await own?.session.then((session) => session.release()).catch(() => {});
  } else if (own !== undefined) {
    const found: ThreadAnswer = await run(own, request.feeds).then(
      (outputs) => ({ run: request.run, outputs, error: "" }),
      (error: unknown) => ({ run: request.run, outputs: null, error: messageOf(error) }),
    );
    parentPort?.postMessage(
      found,
      (found.outputs ?? []).map(({ data }) => (data as Float32Array).buffer as ArrayBuffer),
    );
  }
}

const shared = workerData as Int32Array;

/** Answers a request, unless the process is about to exit, and lets it wait for the end of that. */
async function take(request: ThreadRequest): Promise<void> {
  // In this order: the other side says stop first and then looks whether we are busy.
  Atomics.store(shared, BUSY, 1);
  if (Atomics.load(shared, STOP) === 0) await answer(request);
  Atomics.store(shared, BUSY, 0);
  Atomics.notify(shared, BUSY);
}

let turn = Promise.resolve();
parentPort?.on("message", (request: ThreadRequest) => {
  turn = turn.then(() => take(request));
});
