/**
 * The instructions that hold a command: RUN, CMD, ENTRYPOINT, SHELL and HEALTHCHECK, each in shell or JSON form.
 */
import type {
  CommandForm,
  CommandInstruction,
  DockerfileError,
  HealthcheckInstruction,
  RunInstruction,
  ShellInstruction,
} from "./instruction.ts";
import { parseDuration } from "./parse_duration.ts";
import { type FlagValues, parseFlags } from "./parse_flags.ts";
import type { LogicalLine } from "./scan_lines.ts";
import { suggestHint } from "./suggest.ts";
import { parseJsonForm, splitOnce } from "./words.ts";
import { missingArgument, syntaxError } from "./_syntax_error.ts";

const NETWORK_MODES: readonly string[] = ["default", "none", "host"];
const SECURITY_MODES: readonly string[] = ["sandbox", "insecure"];
/** Docker's least interval; zero means the default. */
const MIN_INTERVAL_NS = 1_000_000;
const MAX_RETRIES = 2147483647;
const HEALTHCHECK_FLAGS = {
  "interval": "text",
  "timeout": "text",
  "start-period": "text",
  "start-interval": "text",
  "retries": "text",
} as const;

/** Parses RUN with its flags and heredocs. Throws DockerfileError. */
export function parseRun(line: LogicalLine): RunInstruction {
  const flags = parseFlags(line, { mount: "list", network: "text", security: "text", device: "list" });
  const network = flags.text("network");
  if (network !== undefined && !NETWORK_MODES.includes(network)) {
    throw syntaxError(line, `invalid network mode ${JSON.stringify(network)}`, suggestHint(network, NETWORK_MODES));
  }
  const security = flags.text("security");
  if (security !== undefined && !SECURITY_MODES.includes(security)) {
    throw syntaxError(line, `security ${JSON.stringify(security)} is not valid`, suggestHint(security, SECURITY_MODES));
  }
  return {
    kind: "RUN",
    range: line.range,
    raw: line.raw,
    command: parseCommandForm(line, line.rest),
    heredocs: line.heredocs,
    mounts: flags.list("mount").map((text) => ({ text })),
    ...(network === undefined ? {} : { network }),
    ...(security === undefined ? {} : { security }),
    devices: flags.list("device"),
  };
}

/** Parses CMD or ENTRYPOINT; without arguments they are an empty shell command, as in BuildKit. Throws DockerfileError. */
export function parseCommand(line: LogicalLine, kind: "CMD" | "ENTRYPOINT"): CommandInstruction {
  parseFlags(line, {});
  return { kind, range: line.range, raw: line.raw, command: parseCommandForm(line, line.rest) };
}

/** Parses SHELL, which has the JSON form only. Throws DockerfileError. */
export function parseShell(line: LogicalLine): ShellInstruction {
  parseFlags(line, {});
  const command = parseCommandForm(line, line.rest);
  const isEmpty = command.kind === "exec" ? command.argv.length === 0 : command.text === "";
  if (isEmpty) throw missingArgument(line);
  if (command.kind === "shell") {
    throw syntaxError(line, "SHELL requires the arguments to be in JSON form", 'Write SHELL ["program", "argument"]');
  }
  return { kind: "SHELL", range: line.range, raw: line.raw, argv: command.argv };
}

/** Parses HEALTHCHECK; durations of zero count as not given. Throws DockerfileError. */
export function parseHealthcheck(line: LogicalLine): HealthcheckInstruction {
  const { first, rest = "" } = splitOnce(line.rest);
  const type = first.toUpperCase();
  const place = { kind: "HEALTHCHECK", range: line.range, raw: line.raw } as const;
  if (type === "") throw missingArgument(line);
  if (type === "NONE") {
    // Flags are not looked at here, as in BuildKit.
    if (rest !== "") throw syntaxError(line, "HEALTHCHECK NONE takes no arguments");
    return place;
  }
  const flags = parseFlags(line, HEALTHCHECK_FLAGS);
  if (type !== "CMD") {
    throw syntaxError(line, `unknown type ${JSON.stringify(type)} in HEALTHCHECK (try CMD)`);
  }
  const command = parseCommandForm(line, rest);
  if (command.kind === "exec" ? command.argv.length === 0 : command.text === "") {
    throw syntaxError(line, "missing command after HEALTHCHECK CMD");
  }
  return { ...place, command, ...parseTimes(line, flags) };
}

type HealthcheckTimes = Pick<
  HealthcheckInstruction,
  "interval" | "timeout" | "startPeriod" | "startInterval" | "retries"
>;

function parseTimes(line: LogicalLine, flags: FlagValues): HealthcheckTimes {
  const interval = parseInterval(line, flags, "interval");
  const timeout = parseInterval(line, flags, "timeout");
  const startPeriod = parseInterval(line, flags, "start-period");
  const startInterval = parseInterval(line, flags, "start-interval");
  const retries = parseRetries(line, flags.text("retries") ?? "");
  return {
    ...(interval === 0 ? {} : { interval }),
    ...(timeout === 0 ? {} : { timeout }),
    ...(startPeriod === 0 ? {} : { startPeriod }),
    ...(startInterval === 0 ? {} : { startInterval }),
    ...(retries === 0 ? {} : { retries }),
  };
}

function parseInterval(line: LogicalLine, flags: FlagValues, name: string): number {
  const text = flags.text(name) ?? "";
  if (text === "") return 0;
  const nanoseconds = parseDuration(text);
  if (nanoseconds === undefined) {
    throw syntaxError(
      line,
      `invalid duration ${JSON.stringify(text)} of --${name}`,
      "Write a number with a unit, such as 30s, 1m30s or 500ms",
    );
  }
  if (nanoseconds !== 0 && nanoseconds < MIN_INTERVAL_NS) {
    throw syntaxError(line, `interval ${JSON.stringify(name)} cannot be less than 1ms`);
  }
  return nanoseconds;
}

function parseRetries(line: LogicalLine, text: string): number {
  if (text === "") return 0;
  const retries = /^[+-]?[0-9]+$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(retries) || Math.abs(retries) > MAX_RETRIES) {
    throw syntaxError(line, `invalid number ${JSON.stringify(text)} of --retries`);
  }
  if (retries < 0) throw syntaxError(line, `--retries cannot be negative (${retries})`);
  return Math.abs(retries);
}

function parseCommandForm(line: LogicalLine, text: string): CommandForm {
  const json = parseJsonForm(text);
  if (json.kind === "strings") return { kind: "exec", argv: json.values };
  if (json.kind === "mixed") throw notOnlyStrings(line);
  return { kind: "shell", text };
}

/** The error of a JSON form that holds other things than strings. */
export function notOnlyStrings(line: LogicalLine): DockerfileError {
  return syntaxError(line, "when using JSON array syntax, arrays must be comprised of strings only");
}
