/**
 * COPY and ADD: flags, sources, heredocs that stand for files, destination.
 */
import { parseHeredocWord } from "./heredoc.ts";
import type { CopyInstruction, Heredoc } from "./instruction.ts";
import { notOnlyStrings } from "./parse_command.ts";
import { type FlagTable, type FlagValues, parseFlags } from "./parse_flags.ts";
import type { LogicalLine } from "./scan_lines.ts";
import { parseJsonForm, splitBlanks } from "./words.ts";
import { syntaxError } from "./_syntax_error.ts";

const SHARED_FLAGS: FlagTable = { chown: "text", chmod: "text", link: "boolean", exclude: "list" };
const FLAGS: Readonly<Record<CopyInstruction["kind"], FlagTable>> = {
  COPY: { ...SHARED_FLAGS, from: "text", parents: "boolean" },
  ADD: { ...SHARED_FLAGS, "checksum": "text", "keep-git-dir": "boolean", "unpack": "boolean" },
};

/** Parses COPY or ADD. Throws DockerfileError. */
export function parseCopy(line: LogicalLine, kind: CopyInstruction["kind"]): CopyInstruction {
  const words = parsePathWords(line);
  const destination = words.at(-1);
  if (destination === undefined || words.length < 2) {
    throw syntaxError(
      line,
      `${kind} requires at least two arguments, but ${words.length === 0 ? "none" : "only one"} was provided. ` +
        "Destination could not be determined",
    );
  }
  const options = copyOptions(line, parseFlags(line, FLAGS[kind]));
  const bodies = new Map(line.heredocs.map(({ name, content }) => [name, content]));
  if (findHeredoc(bodies, destination) !== undefined) {
    throw syntaxError(line, `${kind} cannot accept a heredoc as a destination`);
  }
  const sources = words.slice(0, -1).map((word) => ({ word, heredoc: findHeredoc(bodies, word) }));
  return {
    kind,
    range: line.range,
    raw: line.raw,
    sources: sources.filter(({ heredoc }) => heredoc === undefined).map(({ word }) => word),
    heredocs: sources.map(({ heredoc }) => heredoc).filter((heredoc) => heredoc !== undefined),
    destination,
    ...options,
  };
}

/** The words of a list of paths: JSON form, else split at blanks, before any quote is looked at. Throws DockerfileError. */
export function parsePathWords(line: LogicalLine): readonly string[] {
  const json = parseJsonForm(line.rest);
  if (json.kind === "mixed") throw notOnlyStrings(line);
  return json.kind === "strings" ? json.values : splitBlanks(line.rest);
}

/** The heredoc that `word` stands for, with the last body of that name; undefined when it is a path. */
function findHeredoc(bodies: ReadonlyMap<string, string>, word: string): Heredoc | undefined {
  const announced = parseHeredocWord(word);
  const content = bodies.get(announced?.name ?? "");
  return announced === undefined || content === undefined ? undefined : { ...announced, content };
}

function copyOptions(
  line: LogicalLine,
  flags: FlagValues,
): Omit<CopyInstruction, "kind" | "range" | "raw" | "sources" | "heredocs" | "destination"> {
  const from = flags.text("from");
  if (from?.includes("$")) {
    throw syntaxError(
      line,
      "variable expansion is not supported for --from",
      "Define a stage with FROM using an ARG from before the first FROM, and copy from that stage",
    );
  }
  const chown = flags.text("chown");
  const chmod = flags.text("chmod");
  const checksum = flags.text("checksum");
  const keepGitDir = flags.boolean("keep-git-dir");
  const unpack = flags.boolean("unpack");
  return {
    ...(from === undefined ? {} : { from }),
    ...(chown === undefined ? {} : { chown }),
    ...(chmod === undefined ? {} : { chmod }),
    link: flags.boolean("link") ?? false,
    parents: flags.boolean("parents") ?? false,
    exclude: flags.list("exclude"),
    ...(checksum === undefined ? {} : { checksum }),
    ...(keepGitDir === undefined ? {} : { keepGitDir }),
    ...(unpack === undefined ? {} : { unpack }),
  };
}
