/**
 * The shell-like lexer behind every expansion: quotes, escapes, `$name`, word splitting. `${...}` is in
 * `_substitution.ts`. Keeps BuildKit's rules (its ProcessWord), with limits on nesting, size and matching time.
 */
import { DockerfileError, type SourceRange } from "./instruction.ts";
import { substitute } from "./_substitution.ts";
import { type EscapeCharacter, isSpace } from "./words.ts";

/** Where values of variables come from; a ReadonlyMap is one. */
export interface VariableLookup {
  get(name: string): string | undefined;
}

/** How text is read. Everything is off in plain expansion. */
export interface LexerMode {
  readonly escape: EscapeCharacter;
  /** The lines that an error is about. */
  readonly range: SourceRange;
  /** Told of each variable that has no value and no default. */
  readonly onUndefined?: ((name: string) => void) | undefined;
  /** Keep quotes in the result. */
  readonly rawQuotes?: boolean;
  /** Keep escape characters in the result. */
  readonly rawEscapes?: boolean;
  /** Quotes are ordinary characters. */
  readonly ignoreQuotes?: boolean;
  /** Leave references to unset variables as they are written. */
  readonly keepUnset?: boolean;
  /** Cut the result into words; without it there are none. */
  readonly splitWords?: boolean;
  /** Blanks after `<<` and `<<-` belong to the word. */
  readonly heredocOperators?: boolean;
}

/** What was read: the whole text, and the same cut at blanks that were not quoted. */
export interface LexResult {
  readonly text: string;
  readonly words: readonly string[];
}

/** The state of one expansion; owned by {@link lex}. */
export interface Lexer {
  readonly source: string;
  readonly characters: readonly string[];
  readonly lookup: VariableLookup;
  readonly mode: LexerMode;
  position: number;
  rawEscapes: boolean;
  /** `${` that are open. */
  depth: number;
  /** Characters that may still come out of variables. */
  remaining: number;
}

/** Longest result of one expansion, so that `ENV a=$a$a` repeated cannot fill the memory. */
const MAX_EXPANDED_CHARACTERS = 16 * 1024 * 1024;
/** How much of the text an error shows. */
const MAX_SHOWN_CHARACTERS = 200;
const NAME_CHARACTER = /[\p{L}\p{Nd}_]/u;
const DIGIT = /\p{Nd}/u;
/** Special parameters of the shell: names of one character that are never set. */
const SPECIAL_PARAMETERS = "@*#?-$!0";

/** Reads and expands `source`. Throws DockerfileError at `mode.range`. */
export function lex(source: string, lookup: VariableLookup, mode: LexerMode): LexResult {
  const lexer: Lexer = {
    source,
    characters: Array.from(source),
    lookup,
    mode,
    position: 0,
    rawEscapes: mode.rawEscapes ?? false,
    depth: 0,
    remaining: MAX_EXPANDED_CHARACTERS,
  };
  return readUntil(lexer, undefined, lexer.rawEscapes);
}

/** The character to be read next, empty at the end. */
export function peek(lexer: Lexer): string {
  return lexer.characters[lexer.position] ?? "";
}

/** Reads one character, empty at the end. */
export function next(lexer: Lexer): string {
  const character = peek(lexer);
  if (character !== "") lexer.position++;
  return character;
}

/** Throws the error of this expansion, naming `cause`. */
export function fail(lexer: Lexer, cause: string): never {
  const { source } = lexer;
  const shown = source.length > MAX_SHOWN_CHARACTERS ? `${source.slice(0, MAX_SHOWN_CHARACTERS)}...` : source;
  throw new DockerfileError(`Cannot expand ${JSON.stringify(shown)}: ${cause}`, lexer.mode.range);
}

/** Reads up to `stop`, which is read too, or to the end when `stop` is undefined. */
export function readUntil(lexer: Lexer, stop: string | undefined, rawEscapes: boolean): LexResult {
  const outerRawEscapes = lexer.rawEscapes;
  lexer.rawEscapes = rawEscapes;
  const words = new WordCollector(stop === undefined && lexer.mode.splitWords === true);
  let closed = stop === undefined;
  for (let character = peek(lexer); character !== ""; character = peek(lexer)) {
    if (character === stop) {
      next(lexer);
      closed = true;
      break;
    }
    readOne(lexer, character, words);
  }
  if (!closed) fail(lexer, stop === "}" ? "syntax error: missing '}'" : "syntax error: missing '/' in ${}");
  lexer.rawEscapes = outerRawEscapes;
  return words.finish();
}

function readOne(lexer: Lexer, character: string, words: WordCollector): void {
  const { mode } = lexer;
  if (character === "$") return words.addSplit(readDollar(lexer));
  if (character === "'" && mode.ignoreQuotes !== true) return words.addWhole(readSingleQuoted(lexer));
  if (character === '"' && mode.ignoreQuotes !== true) return words.addWhole(readDoubleQuoted(lexer));
  if (character === "<" && mode.heredocOperators === true) return words.addWhole(readOperator(lexer));
  next(lexer);
  if (character !== mode.escape) return words.addSplit(character);
  if (lexer.rawEscapes) words.addWhole(character);
  const escaped = next(lexer);
  if (escaped !== "") words.addWhole(escaped);
}

function readSingleQuoted(lexer: Lexer): string {
  const quote = lexer.mode.rawQuotes === true ? "'" : "";
  next(lexer);
  const start = lexer.position;
  const end = lexer.characters.indexOf("'", start);
  if (end < 0) fail(lexer, "unexpected end of statement while looking for matching single-quote");
  lexer.position = end + 1;
  return quote + lexer.characters.slice(start, end).join("") + quote;
}

function readDoubleQuoted(lexer: Lexer): string {
  const quote = lexer.mode.rawQuotes === true ? '"' : "";
  next(lexer);
  let text = quote;
  while (true) {
    const character = peek(lexer);
    if (character === "") fail(lexer, "unexpected end of statement while looking for matching double-quote");
    if (character === "$") {
      text += readDollar(lexer);
      continue;
    }
    next(lexer);
    if (character === '"') return text + quote;
    if (character !== lexer.mode.escape) text += character;
    else text += readEscapeInQuotes(lexer);
  }
}

/** In double quotes the escape character works before `"`, `$` and itself; elsewhere it is text. */
function readEscapeInQuotes(lexer: Lexer): string {
  const { escape } = lexer.mode;
  const kept = lexer.rawEscapes ? escape : "";
  const escaped = peek(lexer);
  if (escaped === "") return kept;
  return kept + (escaped === '"' || escaped === "$" || escaped === escape ? next(lexer) : escape);
}

/** `<<`, an optional dash and the blanks after it, which a heredoc may have before its delimiter. */
function readOperator(lexer: Lexer): string {
  next(lexer);
  if (peek(lexer) !== "<") return "<";
  next(lexer);
  let operator = "<<";
  if (peek(lexer) === "-") operator += next(lexer);
  while (peek(lexer) === " " || peek(lexer) === "\t") operator += next(lexer);
  return operator;
}

function readDollar(lexer: Lexer): string {
  next(lexer);
  if (peek(lexer) === "{") {
    next(lexer);
    return spend(lexer, substitute(lexer));
  }
  const name = readName(lexer);
  if (name === "") return "$";
  const value = lexer.lookup.get(name);
  if (value !== undefined) return spend(lexer, value);
  if (lexer.mode.keepUnset === true) return `$${name}`;
  lexer.mode.onUndefined?.(name);
  return "";
}

/** Reads the name of a variable: letters, digits and underscores, digits alone, or one special parameter. */
export function readName(lexer: Lexer): string {
  const first = peek(lexer);
  const allowed = DIGIT.test(first) ? DIGIT : NAME_CHARACTER;
  if (first !== "" && first !== "0" && SPECIAL_PARAMETERS.includes(first)) return next(lexer);
  let name = "";
  while (peek(lexer) !== "" && allowed.test(peek(lexer))) name += next(lexer);
  return name;
}

function spend(lexer: Lexer, value: string): string {
  lexer.remaining -= value.length;
  if (lexer.remaining < 0) fail(lexer, `the result is longer than ${MAX_EXPANDED_CHARACTERS} characters`);
  return value;
}

/** Gathers the text and, beside it, the words it falls into. Owned by one call of {@link readUntil}. */
class WordCollector {
  readonly #splits: boolean;
  readonly #words: string[] = [];
  #text = "";
  #word = "";

  constructor(splits: boolean) {
    this.#splits = splits;
  }

  /** Adds text whose blanks end words. */
  addSplit(text: string): void {
    this.#text += text;
    if (!this.#splits) return;
    for (const character of text) {
      if (!isSpace(character)) this.#word += character;
      else this.#endWord();
    }
  }

  /** Adds text that belongs to one word, blanks and all. */
  addWhole(text: string): void {
    this.#text += text;
    if (this.#splits) this.#word += text;
  }

  finish(): LexResult {
    this.#endWord();
    return { text: this.#text, words: this.#words };
  }

  #endWord(): void {
    if (this.#word !== "") this.#words.push(this.#word);
    this.#word = "";
  }
}
