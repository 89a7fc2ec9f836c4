import { BrodmannError } from "../errors.ts";
import { type RunOptions, throwIfAborted } from "../progress.ts";
import type { Browser } from "./browser.ts";
import type { CallMessage, EventMessage, PageMethods, ResultMessage } from "./calls.ts";
import { encodeMessage } from "./message.ts";
import type { PageServer } from "./page-server.ts";

/** How long the page may take to end its batch after an interruption. */
const ABORT_PATIENCE_MS = 20_000;

/** Calls of the page. `options` carry the signal, and callbacks that are called here. */
export type CallPage<Calls extends PageMethods<Calls>> = <Name extends keyof Calls & string>(
  name: Name,
  argument: Parameters<Calls[Name]>[0],
  options?: RunOptions,
) => Promise<ReturnType<Calls[Name]>>;

/**
 * Calls of one page. `onNotice` is told what the page says of how networks run there. A call ends with its result, with
 * the page's error, with `E_INTERRUPTED`, or with the browser: never not at all.
 */
export function pageClient<Calls extends PageMethods<Calls>>(
  browser: Browser,
  server: PageServer,
  onNotice: (message: string) => void = () => {},
): CallPage<Calls> {
  let calls = 0;
  return async <Name extends keyof Calls & string>(
    name: Name,
    argument: Parameters<Calls[Name]>[0],
    options: RunOptions = {},
  ) => {
    const { signal } = options;
    throwIfAborted(signal);
    const id = ++calls;
    const callbacks = Object.entries(options).filter(([, value]) => typeof value === "function");
    const message: CallMessage = { name, argument, callbacks: callbacks.map(([callback]) => callback) };
    const functions = new Map([["onNotice", onNotice], ...callbacks]) as Map<
      string,
      (...values: readonly unknown[]) => void
    >;
    let stop = () => {};
    const work = new Promise<unknown>((resolve, reject) => {
      server.calls.set(id, {
        message: encodeMessage(message),
        onEvent(event) {
          const { callback, values } = event as EventMessage;
          try {
            functions.get(callback)?.(...values);
          } catch (error) {
            reject(error);
            stop();
          }
        },
        onResult(result) {
          const ended = result as ResultMessage;
          if ("error" in ended) reject(errorOf(ended.error));
          else resolve(ended.result);
        },
      });
      let timer: NodeJS.Timeout | undefined;
      stop = () => {
        void browser.evaluate(`brodmann.abort(${id})`).catch(() => {});
        timer = setTimeout(() => reject(interrupted(signal)), ABORT_PATIENCE_MS);
      };
      signal?.addEventListener("abort", stop, { once: true });
      browser
        .evaluate(`brodmann.call(${id})`)
        // The result has come before the end of the call, so that this changes nothing then.
        .then(() => reject(new BrodmannError("E_INTERNAL_PAGE", `page: found no result of ${name}`)))
        .catch((error: unknown) => reject(signal?.aborted ? interrupted(signal) : error))
        .finally(() => clearTimeout(timer));
    });
    try {
      return (await work) as ReturnType<Calls[Name]>;
    } finally {
      signal?.removeEventListener("abort", stop);
      server.calls.delete(id);
    }
  };
}

function interrupted(signal: AbortSignal | undefined): BrodmannError {
  return new BrodmannError("E_INTERRUPTED", "interrupted", { cause: signal?.reason });
}

/** An error of the page as one of ours; its stack in the page is the cause. */
function errorOf({ code, message, hint, stack }: Extract<ResultMessage, { error: unknown }>["error"]): Error {
  const cause = new Error(stack);
  return code === "" ? new Error(message, { cause }) : new BrodmannError(code, message, { hint, cause });
}
