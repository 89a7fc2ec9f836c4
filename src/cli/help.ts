import { COMMANDS, type CommandName } from "./commands.ts";
import { COMMON_FLAGS, FLAGS, type FlagName, usageOf } from "./flags.ts";

/** What `brodmann --help` prints. */
export function overview(): string {
  const commands = Object.values(COMMANDS).map(({ usage, help }) => ({ usage, help }));
  return [
    "Brodmann finds the functional areas of a trained neural network.",
    "",
    "Examples:",
    "  brodmann demo",
    "  brodmann analyze model.onnx --data inputs.npz --out run",
    "",
    "Commands:",
    ...commands.map(({ usage, help }) => `  ${usage}\n      ${help}`),
    "",
    "Flags of all commands:",
    ...COMMON_FLAGS.map(flagLine),
    "",
    "brodmann COMMAND --help shows a command's flags.",
    "Exit codes: 0 done, 1 unexpected, 2 usage, 3 unusable input, 4 device missing, 130 interrupted.",
    "",
  ].join("\n");
}

/** What `brodmann COMMAND --help` prints. */
export function commandHelp(name: CommandName): string {
  const { usage, help, examples, notes = [], flags } = COMMANDS[name];
  return [
    `brodmann ${usage}: ${help}`,
    "",
    "Examples:",
    ...examples.map((example) => `  ${example}`),
    "",
    ...(notes.length > 0 ? [...notes, ""] : []),
    "Flags:",
    ...[...new Set([...flags, ...COMMON_FLAGS])].map(flagLine),
    "",
  ].join("\n");
}

function flagLine(name: FlagName): string {
  return `  ${usageOf(name).padEnd(34)}${FLAGS[name].help}`;
}
