import type { Flags } from "./flags.ts";
import type { Terminal } from "./terminal.ts";

/** What a command gets to work with. */
export interface CommandContext {
  readonly flags: Flags;
  readonly positionals: readonly string[];
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}
