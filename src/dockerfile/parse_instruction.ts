/**
 * One logical line -> one instruction. Each kind has a small function here or in a `parse_*` file of its own.
 */
import type {
  ExposeInstruction,
  Instruction,
  MaintainerInstruction,
  OnbuildInstruction,
  StopSignalInstruction,
  UserInstruction,
  VolumeInstruction,
  WorkdirInstruction,
} from "./instruction.ts";
import { DockerfileError } from "./instruction.ts";
import { parseCommand, parseHealthcheck, parseRun, parseShell } from "./parse_command.ts";
import { parseCopy, parsePathWords } from "./parse_copy.ts";
import { parseFlags } from "./parse_flags.ts";
import { parseFrom } from "./parse_from.ts";
import { parseArg, parsePairs } from "./parse_key_values.ts";
import type { LogicalLine } from "./scan_lines.ts";
import { suggestHint } from "./suggest.ts";
import { type EscapeCharacter, splitBlanks, splitOnce, trimSpace } from "./words.ts";
import { missingArgument, syntaxError } from "./_syntax_error.ts";

/** Parses one line of whatever kind. */
type LineParser = (line: LogicalLine, escape: EscapeCharacter) => Instruction;

const PARSERS: Readonly<Record<Instruction["kind"], LineParser>> = {
  ADD: (line) => parseCopy(line, "ADD"),
  ARG: parseArg,
  CMD: (line) => parseCommand(line, "CMD"),
  COPY: (line) => parseCopy(line, "COPY"),
  ENTRYPOINT: (line) => parseCommand(line, "ENTRYPOINT"),
  ENV: (line, escape) => parsePairs(line, "ENV", escape),
  EXPOSE: parseExpose,
  FROM: parseFrom,
  HEALTHCHECK: parseHealthcheck,
  LABEL: (line, escape) => parsePairs(line, "LABEL", escape),
  MAINTAINER: parseMaintainer,
  ONBUILD: parseOnbuild,
  RUN: parseRun,
  SHELL: parseShell,
  STOPSIGNAL: parseStopSignal,
  USER: parseUser,
  VOLUME: parseVolume,
  WORKDIR: parseWorkdir,
};
/** How much of an unknown keyword an error shows. */
const MAX_SHOWN_KEYWORD = 100;
/** What ONBUILD must not trigger. */
const NO_TRIGGERS: readonly string[] = ["FROM", "MAINTAINER"];
const ONBUILD_PREFIX = /^[\t\n\f\r ]*ONBUILD[\t\n\f\r ]*/i;

/** Parses `line`. Throws DockerfileError at its range, with a hint where a word looks like a typing error. */
export function parseInstruction(line: LogicalLine, escape: EscapeCharacter): Instruction {
  const keyword = line.keyword.toUpperCase();
  if (isKeyword(keyword)) return PARSERS[keyword](line, escape);
  throw new DockerfileError(
    `Cannot parse instruction ${JSON.stringify(line.keyword.slice(0, MAX_SHOWN_KEYWORD))}: unknown instruction`,
    line.range,
    { hint: suggestHint(line.keyword, Object.keys(PARSERS)) },
  );
}

function isKeyword(keyword: string): keyword is Instruction["kind"] {
  return Object.hasOwn(PARSERS, keyword);
}

/** The text of an instruction that takes exactly one argument, blanks and all. */
function singleArgument(line: LogicalLine): string {
  if (line.rest === "") throw syntaxError(line, `${line.keyword.toUpperCase()} requires exactly one argument`);
  return line.rest;
}

function parseWorkdir(line: LogicalLine): WorkdirInstruction {
  parseFlags(line, {});
  return { kind: "WORKDIR", range: line.range, raw: line.raw, path: singleArgument(line) };
}

function parseUser(line: LogicalLine): UserInstruction {
  parseFlags(line, {});
  return { kind: "USER", range: line.range, raw: line.raw, user: singleArgument(line) };
}

/** Its flags are not looked at, as in BuildKit. */
function parseStopSignal(line: LogicalLine): StopSignalInstruction {
  return { kind: "STOPSIGNAL", range: line.range, raw: line.raw, signal: singleArgument(line) };
}

function parseMaintainer(line: LogicalLine): MaintainerInstruction {
  parseFlags(line, {});
  return { kind: "MAINTAINER", range: line.range, raw: line.raw, author: singleArgument(line) };
}

/** The ports come sorted, as BuildKit records them. */
function parseExpose(line: LogicalLine): ExposeInstruction {
  parseFlags(line, {});
  const ports = splitBlanks(line.rest);
  if (ports.length === 0) throw missingArgument(line);
  return { kind: "EXPOSE", range: line.range, raw: line.raw, ports: ports.toSorted() };
}

function parseVolume(line: LogicalLine): VolumeInstruction {
  parseFlags(line, {});
  const paths = parsePathWords(line).map(trimSpace);
  if (paths.length === 0) throw missingArgument(line);
  if (paths.includes("")) throw syntaxError(line, "VOLUME specified can not be an empty string");
  return { kind: "VOLUME", range: line.range, raw: line.raw, paths };
}

/** Keeps the trigger as text: it is parsed when an image is built from this one. */
function parseOnbuild(line: LogicalLine): OnbuildInstruction {
  parseFlags(line, {});
  const keyword = splitOnce(line.rest).first.toUpperCase();
  if (keyword === "") throw missingArgument(line);
  if (keyword === "ONBUILD") throw syntaxError(line, "chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed");
  if (NO_TRIGGERS.includes(keyword)) throw syntaxError(line, `${keyword} isn't allowed as an ONBUILD trigger`);
  const bodies = line.heredocs.map(({ content, name }) => `\n${content}${name}`);
  const trigger = line.raw.replace(ONBUILD_PREFIX, "") + bodies.join("");
  return { kind: "ONBUILD", range: line.range, raw: line.raw, trigger };
}
