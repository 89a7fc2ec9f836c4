/**
 * The one error class. `code` tells what went wrong in a form that scripts can test,
 * `message` reads "where: found this, expected that", `hint` is the next thing to do.
 *
 * Codes start with `E_USAGE`, `E_INPUT`, `E_NETWORK`, `E_GRAPH`, `E_PARTITION`, `E_DEVICE`, `E_OUTPUT`,
 * `E_INTERRUPTED` or `E_INTERNAL`; the command line maps them to exit codes (see `exitCodeOf`).
 *
 * @example
 * throw new BrodmannError("E_INPUT_SHAPE", "digits.npz: x has shape 10x3, expected Nx784", {
 *   hint: "Pass inputs of the network's shape.",
 * });
 */
export class BrodmannError extends Error {
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "BrodmannError";
    this.code = code;
    this.hint = options.hint ?? "";
  }
}

/** Exit code of an error: 2 usage or output path, 3 unusable input, 4 missing device, 130 interrupted, 1 unexpected. */
export function exitCodeOf(error: unknown): number {
  if (!(error instanceof BrodmannError)) return 1;
  if (error.code.startsWith("E_USAGE") || error.code.startsWith("E_OUTPUT")) return 2;
  if (error.code.startsWith("E_DEVICE")) return 4;
  if (error.code === "E_INTERRUPTED") return 130;
  if (error.code.startsWith("E_INTERNAL")) return 1;
  return 3;
}

/** Message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
