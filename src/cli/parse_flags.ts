/** Command line text to flag values, by commander, with the habits of kaniko's own parser (Go's pflag). */
import { Command, CommanderError, Option } from "commander";
import { type Flag, FlagValues, UsageError } from "./flag.ts";
import { UnsupportedError } from "../errors.ts";

/** A flag that was used and should not be. */
export interface FlagNotice {
  readonly flag: string;
  readonly message: string;
}

/** What a command line says; `help` has the text when it asked for it. */
export type ParsedFlags =
  | {
    readonly kind: "values";
    readonly values: FlagValues;
    readonly positionals: readonly string[];
    readonly notices: readonly FlagNotice[];
  }
  | { readonly kind: "help"; readonly text: string };

/** What a command is called and does, for its help. */
export interface CommandText {
  readonly name: string;
  readonly summary: string;
  /** Words that must follow besides flags: "<image>", "<image...>". */
  readonly positionals?: readonly string[];
  /** Printed after the list of flags. */
  readonly footer?: string;
}

/**
 * Reads `args`. A bare boolean flag means true, `-d=x` is `-d x`, unknown flags and values that do not fit are a
 * UsageError, flags that kiln does not support yet an UnsupportedError.
 */
export function parseFlags(args: readonly string[], flags: readonly Flag[], text: CommandText): ParsedFlags {
  const given = new Map<string, string[]>();
  let helpText = "";
  const command = new Command(text.name).description(text.summary).exitOverride().allowExcessArguments(false)
    .showSuggestionAfterError().configureOutput({
      writeOut: (written) => void (helpText += written),
      writeErr: () => {},
    });
  if (text.footer !== undefined) command.addHelpText("after", `\n${text.footer}`);
  for (const positional of text.positionals ?? []) command.argument(positional);
  for (const flag of flags) addOptions(command, flag, given);
  try {
    command.parse(normaliseArgs(args, flags), { from: "user" });
  } catch (error: unknown) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed") return { kind: "help", text: helpText };
    throw usageError(error, text.name);
  }
  const values = new Map(flags.map((flag) => [flag.name, valueOf(flag, given.get(flag.name) ?? [])]));
  const used = flags.filter((flag) => given.has(flag.name));
  for (const flag of used) checkSupport(flag, values.get(flag.name));
  return {
    kind: "values",
    values: new FlagValues(values, new Set(given.keys())),
    positionals: command.args,
    notices: used.flatMap(noticeOf),
  };
}

function addOptions(command: Command, flag: Flag, given: Map<string, string[]>): void {
  for (const name of [flag.name, ...(flag.aliases ?? [])]) {
    const isAlias = name !== flag.name;
    const short = flag.short === undefined || isAlias ? "" : `-${flag.short}, `;
    const option = new Option(`${short}--${name} <${valueName(flag)}>`, summaryOf(flag));
    option.argParser((value: string) => given.set(flag.name, [...(given.get(flag.name) ?? []), value]));
    if (isAlias || flag.deprecated !== undefined) option.hideHelp();
    command.addOption(option);
  }
}

function valueName(flag: Flag): string {
  switch (flag.kind) {
    case "boolean":
      return "true|false";
    case "number":
      return "number";
    case "list":
      return flag.value ?? "value";
    case "text":
      return flag.choices?.join("|") ?? flag.value ?? "value";
  }
}

function summaryOf(flag: Flag): string {
  const initial = flag.kind === "list" || flag.initial === undefined || flag.initial === ""
    ? ""
    : ` (default ${flag.initial})`;
  const repeat = flag.kind === "list" ? " (repeatable)" : "";
  return `${flag.summary}${repeat}${initial}${flag.support === "later" ? " [not supported yet]" : ""}`;
}

/** pflag's habits in commander's terms: flags without their value get it, `-x=value` loses its "=". */
function normaliseArgs(args: readonly string[], flags: readonly Flag[]): string[] {
  const bare = new Map(flags.flatMap((flag) => {
    const value = flag.kind === "boolean" ? "true" : flag.kind === "text" ? flag.bare : undefined;
    return value === undefined ? [] : [flag.name, ...(flag.aliases ?? [])].map((name) => [name, value] as const);
  }));
  const shorts = new Set(flags.map((flag) => flag.short));
  return args.map((arg) => {
    const value = arg.startsWith("--") ? bare.get(arg.slice(2)) : undefined;
    if (value !== undefined) return `${arg}=${value}`;
    const match = /^-([A-Za-z])=(.*)$/s.exec(arg);
    return match !== null && shorts.has(match[1] ?? "") ? `-${match[1]}${match[2]}` : arg;
  });
}

function usageError(error: CommanderError, name: string): UsageError {
  const [first = "", ...rest] = error.message.replace(/^error: /, "").split("\n");
  const suggestion = rest.join(" ").trim().replace(/^\(|\?\)$/g, "");
  const hint = suggestion === "" ? `See ${name} --help` : suggestion;
  return new UsageError(`Cannot read the command line: ${first}`, { hint });
}

function valueOf(flag: Flag, given: readonly string[]): string | boolean | number | readonly string[] {
  const last = given.at(-1);
  switch (flag.kind) {
    case "list":
      return given;
    case "text": {
      const value = last ?? flag.initial ?? "";
      if (last !== undefined && flag.choices && !flag.choices.includes(value)) {
        throw wrongValue(flag, value, `one of ${flag.choices.join(", ")}`);
      }
      return value;
    }
    case "boolean":
      return last === undefined ? flag.initial : parseBoolean(flag, last);
    case "number": {
      if (last === undefined) return flag.initial;
      if (!/^-?\d+$/.test(last)) throw wrongValue(flag, last, "a whole number");
      return Number(last);
    }
  }
}

/** The spellings of Go's strconv.ParseBool. */
function parseBoolean(flag: Flag, text: string): boolean {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  throw wrongValue(flag, text, "true or false");
}

function wrongValue(flag: Flag, value: string, expected: string): UsageError {
  return new UsageError(`Cannot use "${value}" for --${flag.name}: expected ${expected}`);
}

function checkSupport(flag: Flag, value: unknown): void {
  if (flag.support !== "later") return;
  const isOff = flag.kind !== "list" && value === (flag.initial ?? "");
  if (!isOff) throw new UnsupportedError(`Cannot use --${flag.name}: it is not supported yet`);
}

function noticeOf(flag: Flag): FlagNotice[] {
  if (flag.deprecated === undefined) return [];
  return [{ flag: flag.name, message: `--${flag.name} has no effect any more: ${flag.deprecated}` }];
}
