/**
 * ENV, LABEL and ARG: names with values, both unexpanded and with their quotes.
 */
import type { ArgInstruction, EnvInstruction, KeyValue, LabelInstruction } from "./instruction.ts";
import { parseFlags } from "./parse_flags.ts";
import type { LogicalLine } from "./scan_lines.ts";
import { type EscapeCharacter, lexWords, splitOnce } from "./words.ts";
import { missingArgument, syntaxError } from "./_syntax_error.ts";

/** Parses ENV or LABEL: `k=v ...`, or `k v` when the first word has no "=". Throws DockerfileError. */
export function parsePairs(
  line: LogicalLine,
  kind: "ENV" | "LABEL",
  escape: EscapeCharacter,
): EnvInstruction | LabelInstruction {
  parseFlags(line, {});
  const words = lexWords(line.rest, escape);
  const [firstWord] = words;
  if (firstWord === undefined) throw missingArgument(line);
  const isLegacy = !firstWord.includes("=");
  const pairs = isLegacy ? [parseLegacyPair(line, kind)] : words.map((word) => parsePair(line, kind, word));
  return { kind, range: line.range, raw: line.raw, pairs, isLegacy };
}

/** Parses ARG: names, each with an optional default. Its flags are not looked at, as in BuildKit. Throws DockerfileError. */
export function parseArg(line: LogicalLine, escape: EscapeCharacter): ArgInstruction {
  const words = lexWords(line.rest, escape);
  if (words.length === 0) throw missingArgument(line);
  const args = words.map((word) => {
    if (!word.includes("=")) return { name: word };
    const { key, value } = parsePair(line, "ARG", word);
    return { name: key, value };
  });
  return { kind: "ARG", range: line.range, raw: line.raw, args };
}

function parseLegacyPair(line: LogicalLine, kind: string): KeyValue {
  const { first, rest } = splitOnce(line.rest);
  if (rest === undefined) throw syntaxError(line, `${kind} must have two arguments`, `Write ${kind} ${first}=<value>`);
  return { key: first, value: rest };
}

function parsePair(line: LogicalLine, kind: string, word: string): KeyValue {
  const equals = word.indexOf("=");
  if (equals < 0) {
    throw syntaxError(
      line,
      `can't find = in ${JSON.stringify(word)}, it must be of the form name=value`,
      "Put quotes around a value that has blanks in it",
    );
  }
  if (equals === 0) throw syntaxError(line, `${kind} names can not be blank`);
  return { key: word.slice(0, equals), value: word.slice(equals + 1) };
}
