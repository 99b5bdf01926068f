/**
 * The `--name=value` words of an instruction, checked against those that it knows.
 */
import type { DockerfileError } from "./instruction.ts";
import type { LogicalLine } from "./scan_lines.ts";
import { suggestHint } from "./suggest.ts";
import { syntaxError } from "./_syntax_error.ts";

/** What a flag holds: one text, several of them (it may repeat), or yes and no. */
export type FlagKind = "text" | "list" | "boolean";

/** The flags that an instruction knows. */
export type FlagTable = Readonly<Record<string, FlagKind>>;

/** The flags that were given. A flag that was not is undefined, or an empty list. */
export interface FlagValues {
  text(name: string): string | undefined;
  list(name: string): readonly string[];
  boolean(name: string): boolean | undefined;
}

/**
 * Reads the flags of `line`. Throws DockerfileError for a flag that is unknown, repeated without being a list, without its
 * value, or not a boolean where one is due.
 */
export function parseFlags(line: LogicalLine, table: FlagTable): FlagValues {
  const given = new Map<string, string[]>();
  for (const flag of line.flags) {
    const { name, value } = splitFlag(flag);
    const kind = Object.hasOwn(table, name) ? table[name] : undefined;
    if (kind === undefined) throw unknownFlag(line, name, table);
    const earlier = given.get(name);
    if (earlier !== undefined && kind !== "list") throw syntaxError(line, `duplicate flag specified: --${name}`);
    const checked = checkedValue(line, { name, value, kind });
    if (earlier === undefined) given.set(name, [checked]);
    else earlier.push(checked);
  }
  return {
    text: (name) => given.get(name)?.[0],
    list: (name) => given.get(name) ?? [],
    boolean: (name) => given.has(name) ? given.get(name)?.[0] === "true" : undefined,
  };
}

function splitFlag(flag: string): { readonly name: string; readonly value: string | undefined } {
  const equals = flag.indexOf("=");
  if (equals < 0) return { name: flag.slice(2), value: undefined };
  return { name: flag.slice(2, equals), value: flag.slice(equals + 1) };
}

function unknownFlag(line: LogicalLine, name: string, table: FlagTable): DockerfileError {
  const known = Object.keys(table);
  const hint = suggestHint(`--${name}`, known.map((flag) => `--${flag}`));
  const none = known.length === 0 ? `${line.keyword.toUpperCase()} takes no flags` : undefined;
  return syntaxError(line, `unknown flag: --${name}`, hint ?? none);
}

function checkedValue(
  line: LogicalLine,
  flag: { readonly name: string; readonly value: string | undefined; readonly kind: FlagKind },
): string {
  const { name, value, kind } = flag;
  if (kind !== "boolean") {
    if (value === undefined) throw syntaxError(line, `missing a value on flag: --${name}`, `Write --${name}=<value>`);
    return value;
  }
  if (value === undefined) return "true";
  if (value === "") throw syntaxError(line, `missing a value on flag: --${name}`);
  const lower = value.toLowerCase();
  if (lower === "true" || lower === "false") return lower;
  throw syntaxError(line, `expecting boolean value for flag --${name}, not: ${value}`);
}
