/** From argv to exit status: picks the verb, runs it, prints its result on stdout and everything else on stderr. */
import type { Logger } from "../log/logger.ts";
import { createLogger, type LogFormat, type LogLevel } from "../log/create_logger.ts";
import { CancelledError } from "../errors.ts";
import { build } from "../build/build.ts";
import type { Services } from "../build/services.ts";
import { buildRequest } from "./build_request.ts";
import { EXECUTOR_FLAGS } from "./executor_flags.ts";
import { exitCode } from "./exit_code.ts";
import { type FlagValues, UsageError } from "./flag.ts";
import { parseFlags } from "./parse_flags.ts";
import { failureFields, formatFailure } from "./report.ts";

/** What the process gives: the only way in which the command line touches the world. */
export interface CliProcess {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly version: string;
  readonly writeOut: (text: string) => void;
  readonly writeErr: (bytes: Uint8Array) => void;
  /** Aborted with a CancelledError when a signal asks us to stop. */
  readonly signal: AbortSignal;
  readonly selfCommand: readonly string[];
  readonly currentDirectory: string;
}

const LEVELS: Readonly<Record<string, LogLevel>> = {
  panic: "error",
  fatal: "error",
  error: "error",
  warn: "warning",
  info: "info",
  debug: "debug",
  trace: "debug",
};
const VERBS: readonly string[] = ["version"];
const LATER_VERBS: readonly string[] = ["login", "push"];
const FOOTER = `Commands:
  executor [flags]     build an image from a Dockerfile
  executor version     print the version`;

/** Runs the command line; gives the exit status. Never throws. */
export async function run(process: CliProcess): Promise<number> {
  const encoder = new TextEncoder();
  const write = (line: string): void => process.writeErr(encoder.encode(line));
  let log = createLogger({ level: "info", format: "text", timestamps: false, write });
  try {
    const [verb = ""] = process.args;
    if (verb === "version" || verb === "--version") {
      process.writeOut(`kiln ${process.version}\n`);
      return 0;
    }
    checkVerb(verb);
    const parsed = parseFlags(process.args, EXECUTOR_FLAGS, {
      name: "executor",
      summary: "Builds a container image from a Dockerfile, without a daemon and without privileges.",
      footer: FOOTER,
    });
    if (parsed.kind === "help") {
      process.writeOut(parsed.text);
      return 0;
    }
    log = createLogger({ ...logOptions(parsed.values), write });
    for (const notice of parsed.notices) log.warn(notice.message);
    return await runBuild(parsed.values, process, log);
  } catch (error: unknown) {
    const failure = process.signal.aborted && process.signal.reason instanceof CancelledError
      ? process.signal.reason
      : error;
    log.error(formatFailure(failure), failureFields(failure));
    return exitCode(failure);
  }
}

async function runBuild(values: FlagValues, process: CliProcess, log: Logger): Promise<number> {
  const services: Services = {
    log,
    signal: process.signal,
    nowMs: Date.now,
    env: process.env,
    selfCommand: process.selfCommand,
    currentDirectory: process.currentDirectory,
    stepOutput: (_stream, bytes) => process.writeErr(bytes),
  };
  const outcome = await build(buildRequest(values, process.env), services);
  process.writeOut(outcome.kind === "planned" ? outcome.text : `${outcome.result.digest}\n`);
  return 0;
}

function checkVerb(verb: string): void {
  if (verb === "" || verb.startsWith("-")) return;
  if (LATER_VERBS.includes(verb)) throw new UsageError(`Cannot run "${verb}": it is not supported yet`);
  throw new UsageError(`Cannot run "${verb}": no such command`, { hint: `Commands are: ${VERBS.join(", ")}` });
}

function logOptions(values: FlagValues): { level: LogLevel; format: LogFormat; timestamps: boolean } {
  const format = values.text("log-format");
  return {
    level: LEVELS[values.text("verbosity")] ?? "info",
    format: format === "json" || format === "text" ? format : "color",
    timestamps: values.isSet("log-timestamp"),
  };
}
