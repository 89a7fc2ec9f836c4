/**
 * The command line: finds the command, runs it, and turns errors into messages and exit codes.
 * Commands are loaded on demand, so that `--help` answers at once.
 */
import { BrodmannError, exitCodeOf, messageOf } from "../errors.ts";
import type { CommandContext } from "./command-context.ts";
import { COMMANDS, type CommandName } from "./commands.ts";
import { nearest, parseFlags } from "./flags.ts";
import { commandHelp, overview } from "./help.ts";
import { formatError, Terminal } from "./terminal.ts";

/** Runs `brodmann ARGS` and returns its exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  if (first === undefined) {
    process.stderr.write(overview());
    return 2;
  }
  try {
    if (first === "--version" || first === "version") return print(`${await readVersion()}\n`);
    if (first === "--help" || first === "-h" || first === "help") {
      return print(rest[0] === undefined ? overview() : commandHelp(commandOf(rest[0])));
    }
    return await runCommand(commandOf(first), rest);
  } catch (error) {
    process.stderr.write(`${describe(error, args.includes("--debug"))}\n`);
    return exitCodeOf(error);
  }
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

function commandOf(word: string): CommandName {
  const names = Object.keys(COMMANDS) as CommandName[];
  const name = names.find((candidate) => candidate === word);
  if (name !== undefined) return name;
  const list = `Commands: ${names.join(", ")}.`;
  if (word.startsWith("-")) {
    throw new BrodmannError("E_USAGE_COMMAND", `found flag ${word}, expected a command first`, {
      hint: `Flags follow the command: brodmann demo ${word}. ${list}`,
    });
  }
  const guess = nearest(word, names);
  throw new BrodmannError("E_USAGE_COMMAND", `unknown command ${word}`, {
    hint: `${guess ? `Did you mean ${guess}? ` : ""}${list}`,
  });
}

async function runCommand(name: CommandName, args: readonly string[]): Promise<number> {
  const command = COMMANDS[name];
  const { flags, positionals } = parseFlags(args, command.flags);
  if (flags.help) return print(commandHelp(name));
  const { least, most } = command.arguments;
  if (positionals.length < least || positionals.length > most) {
    throw new BrodmannError(
      "E_USAGE_ARGUMENTS",
      `${name}: found ${positionals.length === 0 ? "no argument" : positionals.join(" ")}, expected brodmann ${command.usage}`,
      {
        hint: `See brodmann ${name} --help.`,
      },
    );
  }
  const terminal = new Terminal(flags);
  const abort = new AbortController();
  const onInterrupt = () => {
    // The first Ctrl-C ends after the running batch and keeps what is done, the second one ends at once.
    if (abort.signal.aborted) process.exit(130);
    terminal.say("interrupted: ending after this batch (again to end at once)");
    abort.abort();
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onInterrupt);
  try {
    const context: CommandContext = { flags, positionals, terminal, signal: abort.signal };
    const { run } = await command.load();
    await run(context);
    return 0;
  } finally {
    terminal.endProgress();
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onInterrupt);
  }
}

function describe(error: unknown, isDebug: boolean): string {
  const lines: string[] = [];
  if (error instanceof BrodmannError) lines.push(formatError(error));
  else
    lines.push(`error unexpected: ${messageOf(error)}\nThis is a defect of Brodmann; --debug shows where.`);
  if (isDebug && error instanceof Error) {
    lines.push(error.stack ?? "");
    if (error.cause !== undefined) lines.push(`caused by: ${messageOf(error.cause)}`);
  }
  return lines.join("\n");
}

async function readVersion(): Promise<string> {
  const { versionOf } = await import("./run-file.ts");
  return versionOf();
}
