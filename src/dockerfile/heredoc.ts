/**
 * Heredoc words: finding `<<NAME` in an instruction, and what they say about the bodies that follow.
 * Source: Dockerfile reference, here-documents; the lexing is BuildKit's, always with the backslash as escape.
 */
import { DockerfileError, type Heredoc } from "./instruction.ts";
import { lex, type LexerMode } from "./_shell_lexer.ts";

/** A heredoc as its word announces it, before its body is read. */
export type HeredocWord = Omit<Heredoc, "content">;

const HEREDOC_WORD = /^([0-9]*)<<(-?)([\t ]*)([^<]*)$/;
/** A heredoc as the last word of a line, its delimiter's quote without an end. */
const OPEN_QUOTE = /(?:^|[\t ])([0-9]*<<-?[\t ]*(?:"[^"]*|'[^']*))$/;
const NO_VARIABLES: ReadonlyMap<string, string> = new Map();
/** For errors that are caught and never shown. */
const NOWHERE = { startLine: 0, endLine: 0 };
const QUOTES = /['"]/g;
/** Longest descriptor number that is taken seriously. */
const MAX_FD_DIGITS = 6;

/** Finds the heredocs announced in `line`, in order; none when its quotes do not balance, as such text is for the shell. */
export function findHeredocs(line: string): readonly HeredocWord[] {
  if (!line.includes("<<")) return [];
  const words = tryLex(line, {
    escape: "\\",
    rawQuotes: true,
    rawEscapes: true,
    keepUnset: true,
    heredocOperators: true,
  });
  return (words ?? []).map(parseHeredocWord).filter((heredoc) => heredoc !== undefined);
}

/** The heredoc at the end of `line` whose delimiter's quote is not closed, as in `RUN <<'EOF`; undefined where there is none. */
export function findOpenQuote(line: string): string | undefined {
  const open = OPEN_QUOTE.exec(line)?.[1];
  return open === undefined || tryLex(line, { escape: "\\", keepUnset: true }) !== undefined ? undefined : open;
}

/**
 * Reads one word as a heredoc: optional descriptor, `<<`, optional `-`, delimiter. Undefined for any other word, so it
 * also tells whether RUN consists of a heredoc alone.
 */
export function parseHeredocWord(word: string): HeredocWord | undefined {
  const match = HEREDOC_WORD.exec(word);
  if (match === null) return undefined;
  const [, fd = "", dash = "", blanks = "", delimiter = ""] = match;
  // `$((1 << 2))` is arithmetic: nobody ends a delimiter so. BuildKit takes it for a heredoc.
  if (blanks !== "" && delimiter.endsWith("))")) return undefined;
  const plain = tryLex(delimiter, { escape: "\\", keepUnset: true });
  const raw = tryLex(delimiter, { escape: "\\", keepUnset: true, rawQuotes: true });
  const name = plain?.[0];
  if (name === undefined || plain?.length !== 1) return undefined;
  return {
    name,
    expand: countQuotes(name) === countQuotes(raw?.[0] ?? ""),
    stripTabs: dash === "-",
    fd: fd.length > MAX_FD_DIGITS ? 0 : Number(fd),
  };
}

/** Drops the tabs at the start of every line, as `<<-` asks for. */
export function stripLeadingTabs(content: string): string {
  return content.replace(/(^|\n)\t+/g, "$1");
}

/** The words of `text`; undefined when it cannot be lexed. */
function tryLex(text: string, mode: Omit<LexerMode, "range">): readonly string[] | undefined {
  try {
    return lex(text, NO_VARIABLES, { ...mode, splitWords: true, range: NOWHERE }).words;
  } catch (error: unknown) {
    if (error instanceof DockerfileError) return undefined;
    throw error;
  }
}

function countQuotes(text: string): number {
  return text.match(QUOTES)?.length ?? 0;
}
