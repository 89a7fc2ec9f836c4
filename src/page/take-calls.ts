/**
 * Takes up the calls of Node in a page that headless Chrome shows. Node says which call it is (`brodmann.call`) and fetches
 * nothing itself: arguments, events and results go through its server.
 */
import type { CallMessage, EventMessage, PageMethods, ResultMessage } from "../chrome/calls.ts";
import { decodeMessage, encodeMessage, requireSendable } from "../chrome/message.ts";
import { type AdapterFacts, lostError } from "../compute/webgpu/gpu-device.ts";
import { BrodmannError, messageOf } from "../errors.ts";
import type { Progress, RunOptions } from "../progress.ts";

/** Each call of a page with the options that only the page can make: the signal, and callbacks that reach Node. */
export type TakenCalls<Calls extends PageMethods<Calls>> = {
  readonly [Name in keyof Calls]: (
    call: Parameters<Calls[Name]>[0],
    options: RunOptions,
  ) => Promise<ReturnType<Calls[Name]>>;
};

let deviceLost: Promise<never> = new Promise(() => {});

/** Ends calls with `E_DEVICE_LOST` once the device is lost: what waits for the GPU then may wait for ever. */
export function endWithDevice(device: GPUDevice, facts: AdapterFacts): void {
  deviceLost = device.lost.then(({ message }) => Promise.reject(lostError(facts, message)));
  // Whoever waits gets it; it is no unhandled rejection before.
  deviceLost.catch(() => {});
}

/** Progress is sent this often at the most; each phase's beginning and end always are. */
const PROGRESS_INTERVAL_MS = 100;

/** A call under way. */
interface Running {
  readonly abort: AbortController;
  readonly outbox: Outbox;
}

const running = new Map<number, Running>();

/** Calls a callback of Node that belongs to no call: any call under way takes it along. */
export function tellNode(callback: string, ...values: unknown[]): void {
  const [any] = running.values();
  any?.outbox.callback(callback)(...values);
}

/** Makes these calls what Node reaches through the browser's protocol. */
export function takeCalls<Calls extends PageMethods<Calls>>(calls: TakenCalls<Calls>): void {
  const call = (id: number) => takeCall(calls as unknown as Readonly<Record<string, TakenCall>>, id);
  Object.assign(globalThis, { brodmann: { call, abort: (id: number) => running.get(id)?.abort.abort() } });
}

type TakenCall = (argument: unknown, options: RunOptions) => Promise<unknown>;

/** Takes up a call, and returns once its result is with Node. */
async function takeCall(calls: Readonly<Record<string, TakenCall>>, id: number): Promise<void> {
  const abort = new AbortController();
  const outbox = new Outbox(`events/${id}`);
  running.set(id, { abort, outbox });
  let result: ResultMessage;
  try {
    const { name, argument, callbacks } = (await fetchMessage(`calls/${id}`)) as CallMessage;
    const options = Object.fromEntries(callbacks.map((callback) => [callback, outbox.callback(callback)]));
    const run = calls[name] as TakenCall;
    const work = run(argument, { ...options, signal: abort.signal });
    result = { result: await Promise.race([work, deviceLost]) };
    requireSendable(encodeMessage(result).byteLength);
  } catch (error) {
    result = { error: describeError(await withLoss(error)) };
  }
  running.delete(id);
  await outbox.settle();
  await post(`results/${id}`, result);
}

/** How long the report of a lost device may come after the failures that the loss has caused. */
const LOSS_PATIENCE_MS = 100;

/** The loss of the device in the place of an error that it may have caused. */
async function withLoss(error: unknown): Promise<unknown> {
  if (error instanceof BrodmannError) return error;
  const otherwise = new Promise((resolve) => setTimeout(() => resolve(error), LOSS_PATIENCE_MS));
  return Promise.race([deviceLost.catch((loss: unknown) => loss), otherwise]);
}

function describeError(error: unknown): Extract<ResultMessage, { error: unknown }>["error"] {
  const { code, hint } = error instanceof BrodmannError ? error : { code: "", hint: "" };
  return { code, hint, message: messageOf(error), stack: error instanceof Error ? (error.stack ?? "") : "" };
}

/** Sends what callbacks are called with to Node, in order. */
class Outbox {
  readonly #path: string;
  #sent: Promise<unknown> = Promise.resolve();
  #lastProgressMs = Number.NEGATIVE_INFINITY;

  constructor(path: string) {
    this.#path = path;
  }

  callback(name: string): (...values: unknown[]) => void {
    if (name === "onProgress") return (progress) => this.#sendProgress(progress as Progress);
    return (...values) => this.#send({ callback: name, values });
  }

  /** Waits until all is with Node. */
  async settle(): Promise<void> {
    await this.#sent;
  }

  #sendProgress(progress: Progress): void {
    const now = performance.now();
    const isEdge = progress.done === 0 || progress.done === progress.total;
    if (!isEdge && now - this.#lastProgressMs < PROGRESS_INTERVAL_MS) return;
    this.#lastProgressMs = now;
    this.#send({ callback: "onProgress", values: [progress] });
  }

  #send(event: EventMessage): void {
    this.#sent = this.#sent.then(() => post(this.#path, event));
    // Reported by `settle`; not an unhandled rejection before.
    this.#sent.catch(() => {});
  }
}

async function fetchMessage(path: string): Promise<unknown> {
  const response = await fetch(path);
  if (!response.ok) throw new BrodmannError("E_INTERNAL_MESSAGE", `${path}: found status ${response.status}`);
  return decodeMessage(await response.arrayBuffer());
}

async function post(path: string, message: unknown): Promise<void> {
  const body = new Blob([...encodeMessage(message).parts]);
  const response = await fetch(path, { method: "POST", body });
  if (!response.ok) throw new BrodmannError("E_INTERNAL_MESSAGE", `${path}: found status ${response.status}`);
}
