/**
 * Threads that run sessions on one core each. Many runs side by side use a machine's cores better than one run after
 * another that is cut into pieces for all of them, and the thread that asks for them is free meanwhile.
 */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { PlainTensor, Tensor, Tensors } from "./ort-node.ts";
import type { ThreadAnswer, ThreadRequest } from "./session-thread.ts";
import { BUSY, STOP } from "./thread-state.ts";

/** What a thread does; from sources by way of a module that compiles it. */
const PROGRAM = new URL(`session-thread.${import.meta.url.endsWith(".ts") ? "mjs" : "js"}`, import.meta.url);

/** How long a thread may take to end what it is at when the process exits. */
const EXIT_PATIENCE_MS = 20_000;

/** Copies of a model that the threads may hold together. */
const MOST_COPIED_BYTES = 2 ** 30;

/** Threads that may hold a copy of a model of so many bytes; below 2 nothing is gained. */
export function threadsFor(modelBytes: number): number {
  return Math.min(availableParallelism(), Math.floor(MOST_COPIED_BYTES / modelBytes));
}

/** A model in several threads. Errors are ONNX Runtime's own. */
export class ThreadedSession {
  readonly #number: number;
  readonly #model: Uint8Array;
  readonly #threads: number;
  /** Of each thread that holds the model: the tensor that each input was last fed. */
  readonly #fed = new Map<Thread, Map<string, Tensor>>();

  constructor(model: Uint8Array, threads: number) {
    this.#number = sessions++;
    this.#model = model;
    this.#threads = threads;
  }

  /**
   * Runs the model in the thread that has least to do. Values are copied before this returns; a tensor that the same
   * input was fed before is not copied again, so its values must not have changed.
   */
  run(inputs: Tensors): Promise<readonly PlainTensor[]> {
    const thread = idlestThread(this.#threads);
    let fed = this.#fed.get(thread);
    if (fed === undefined) {
      fed = new Map();
      this.#fed.set(thread, fed);
      thread.post({ kind: "open", session: this.#number, model: this.#model });
    }
    const feeds: PlainTensor[] = [];
    for (const [name, tensor] of Object.entries(inputs)) {
      if (fed.get(name) === tensor) continue;
      fed.set(name, tensor);
      const { type, dims, data } = tensor;
      feeds.push({ name, type, dims, data: (data as Float32Array).slice() });
    }
    return thread.run(this.#number, feeds);
  }

  release(): void {
    for (const thread of this.#fed.keys()) thread.post({ kind: "close", session: this.#number });
    this.#fed.clear();
  }
}

let sessions = 0;

/** Started when they are first needed; they end with the process, and do not keep it from ending. */
const threads: Thread[] = [];

/** ONNX Runtime takes the process along, with another exit code, where a thread ends in the middle of a run. */
function settleThreads(): void {
  for (const thread of threads) thread.stop();
  for (const thread of threads) thread.settle();
}

function idlestThread(count: number): Thread {
  if (threads.length === 0) process.once("exit", settleThreads);
  for (let number = 0; number < count; number++) {
    const thread = threads[number];
    if (thread === undefined || thread.isEnded) threads[number] = new Thread();
  }
  return threads.slice(0, count).reduce((idlest, thread) => (thread.load < idlest.load ? thread : idlest));
}

interface Waiting {
  readonly resolve: (outputs: readonly PlainTensor[]) => void;
  readonly reject: (error: Error) => void;
}

/** One thread, which does what is posted to it in that order. */
class Thread {
  readonly #shared = new Int32Array(new SharedArrayBuffer(8));
  // Without the process's own options, some of which concern its program alone.
  readonly #worker = new Worker(PROGRAM, { execArgv: [], workerData: this.#shared });
  readonly #waiting = new Map<number, Waiting>();
  #runs = 0;
  #isEnded = false;

  constructor() {
    this.#worker.on("message", (answer: ThreadAnswer) => this.#take(answer));
    this.#worker.on("error", (error) => this.#end(error));
    this.#worker.on("exit", () => this.#end(new Error("a thread that ran the network has ended")));
    // After the listeners, which would hold it.
    this.#worker.unref();
  }

  /** Lets it begin nothing more. */
  stop(): void {
    Atomics.store(this.#shared, STOP, 1);
  }

  /** Blocks until it has ended what it is at. */
  settle(): void {
    if (!this.#isEnded) Atomics.wait(this.#shared, BUSY, 1, EXIT_PATIENCE_MS);
  }

  /** Runs that it has not answered yet. */
  get load(): number {
    return this.#waiting.size;
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  post(request: ThreadRequest): void {
    this.#worker.postMessage(request);
  }

  run(session: number, feeds: readonly PlainTensor[]): Promise<readonly PlainTensor[]> {
    const run = this.#runs++;
    return new Promise((resolve, reject) => {
      // Only while somebody waits for it does it keep the process alive.
      if (this.#waiting.size === 0) this.#worker.ref();
      this.#waiting.set(run, { resolve, reject });
      this.#worker.postMessage(
        { kind: "run", session, run, feeds } satisfies ThreadRequest,
        feeds.map(({ data }) => (data as Float32Array).buffer as ArrayBuffer),
      );
    });
  }

  #take({ run, outputs, error }: ThreadAnswer): void {
    const waiting = this.#waiting.get(run);
    this.#waiting.delete(run);
    if (this.#waiting.size === 0) this.#worker.unref();
    if (outputs === null) waiting?.reject(new Error(error));
    else waiting?.resolve(outputs);
  }

  #end(error: Error): void {
    this.#isEnded = true;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
