/** From argv to exit status: picks the command, runs it, prints its result on stdout and everything else on stderr. */
import { CancelledError } from "../errors.ts";
import { createLogger, type LogFormat, type LogLevel } from "../log/create_logger.ts";
import type { CliProcess } from "./cli_process.ts";
import type { Command } from "./command.ts";
import { ConcealedTexts } from "./concealed_texts.ts";
import { errorLines } from "./error_lines.ts";
import { exitCode } from "./exit_code.ts";
import { type FlagValues, UsageError } from "./flag.ts";
import { parseFlags } from "./parse_flags.ts";
import { failureFields, formatFailure } from "./report.ts";

const LEVELS: Readonly<Record<string, LogLevel>> = {
  panic: "error",
  fatal: "error",
  error: "error",
  warn: "warning",
  info: "info",
  debug: "debug",
  trace: "debug",
};
/** The commands besides the build; each is loaded when it is used. */
const COMMANDS: ReadonlyMap<string, () => Promise<Command>> = new Map([
  ["login", async () => (await import("./login_command.ts")).LOGIN_COMMAND],
  ["push", async () => (await import("./push_command.ts")).PUSH_COMMAND],
  ["copy", async () => (await import("./copy_command.ts")).COPY_COMMAND],
  ["inspect", async () => (await import("./inspect_command.ts")).INSPECT_COMMAND],
  ["index", async () => (await import("./index_command.ts")).INDEX_COMMAND],
]);
const FOOTER = `Commands:
  executor [flags]                  build an image from a Dockerfile
  executor login <registry>         keep the login for a registry
  executor push <path>              push a docker-archive or an OCI layout
  executor copy <from> <to>         copy between registries, layouts and archives
  executor inspect <image>          show manifest, config and layers
  executor index <image...>         make one name for images of several platforms
  executor version                  print the version`;

/** Runs the command line; gives the exit status. Never throws. */
export async function run(outside: CliProcess): Promise<number> {
  const { writeBytes, writeRecord } = errorLines(outside.writeErr);
  const concealed = new ConcealedTexts();
  const write = (line: string): void => writeRecord(concealed.mask(line));
  const process: CliProcess = { ...outside, writeErr: writeBytes };
  let log = createLogger({ level: "info", format: "text", timestamps: false, write });
  let isJson = false;
  try {
    const [verb = ""] = process.args;
    if (verb === "version" || verb === "--version") {
      process.writeOut(`kiln ${process.version}\n`);
      return 0;
    }
    const { command, args } = await chooseCommand(process.args);
    const isBuild = command.name === "executor";
    const name = isBuild ? command.name : `executor ${command.name}`;
    const parsed = parseFlags(args, command.flags, { ...command, name, ...(isBuild && { footer: FOOTER }) });
    if (parsed.kind === "help") {
      process.writeOut(parsed.text);
      return 0;
    }
    const { values, positionals, notices } = parsed;
    const options = logOptions(values, process);
    isJson = options.format === "json";
    log = createLogger({ ...options, write });
    for (const notice of notices) log.warn(notice.message);
    return await command.run({ values, positionals, process, log, conceal: (secret) => concealed.add(secret) });
  } catch (error: unknown) {
    const failure = process.signal.aborted && process.signal.reason instanceof CancelledError
      ? process.signal.reason
      : original(error);
    log.error(formatFailure(failure), isJson ? failureFields(failure) : {});
    return exitCode(failure);
  }
}

/** What failed first, where tidying up after it failed too. */
function original(error: unknown): unknown {
  const isSuppressed = error instanceof Error && error.name === "SuppressedError" && "suppressed" in error;
  return isSuppressed ? original(error.suppressed) : error;
}

/** The command that the first word names, with the words behind it; without such a word, the build. */
async function chooseCommand(
  args: readonly string[],
): Promise<{ readonly command: Command; readonly args: readonly string[] }> {
  const [verb = "", ...rest] = args;
  if (verb === "" || verb.startsWith("-")) {
    return { command: (await import("./executor_command.ts")).EXECUTOR_COMMAND, args };
  }
  const load = COMMANDS.get(verb);
  if (load !== undefined) return { command: await load(), args: rest };
  const names = [...COMMANDS.keys(), "version"].join(", ");
  throw new UsageError(`Cannot run "${verb}": no such command`, { hint: `Commands are: ${names}` });
}

/** Colour is for who asks for it and, where nothing is asked for, for a terminal. */
function logOptions(
  values: FlagValues,
  { isErrTerminal, env }: CliProcess,
): { level: LogLevel; format: LogFormat; timestamps: boolean } {
  const format = values.text("log-format");
  const isColour = format === "color" || (!values.isGiven("log-format") && isErrTerminal === true && !env.NO_COLOR);
  return {
    level: LEVELS[values.text("verbosity")] ?? "info",
    format: isColour ? "color" : format === "json" ? "json" : "text",
    timestamps: values.isSet("log-timestamp"),
  };
}
