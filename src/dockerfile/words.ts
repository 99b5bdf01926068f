/**
 * The ways in which the text of an instruction falls into words: keyword, flags, JSON form, quoted words, blanks.
 * Nothing is expanded here; quotes are kept where the instruction needs them later.
 */

/** The escape character of a Dockerfile, set by its `escape` directive. */
export type EscapeCharacter = "\\" | "`";

/** The answer of {@link parseJsonForm}. */
export type JsonForm =
  | { readonly kind: "strings"; readonly values: readonly string[] }
  /** A JSON array that holds something other than strings: always an error. */
  | { readonly kind: "mixed" }
  /** Not JSON: the text is meant for the shell, or is a list of words. */
  | { readonly kind: "none" };

/** White space as BuildKit knows it (Unicode White_Space), where words and text ends are concerned. */
const SPACES = "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a" +
  "\u2028\u2029\u202f\u205f\u3000";
/** The narrower class that parts the keyword and the items of whitespace lists. */
const SEPARATOR = /[\t\v\f\r ]+/;

/** Whether `character` separates quoted words and flags. */
export function isSpace(character: string): boolean {
  return character !== "" && SPACES.includes(character);
}

/** `text` without white space at its start. */
export function trimStart(text: string): string {
  let start = 0;
  while (start < text.length && isSpace(text.charAt(start))) start++;
  return text.slice(start);
}

/** `text` without white space at its start and end. */
export function trimSpace(text: string): string {
  let end = text.length;
  while (end > 0 && isSpace(text.charAt(end - 1))) end--;
  return trimStart(text.slice(0, end));
}

/** The items of a list separated by blanks; none for an empty text. */
export function splitBlanks(text: string): readonly string[] {
  return text === "" ? [] : text.split(SEPARATOR);
}

/** The text before the first run of blanks, and the text after it, undefined when there is no blank. */
export function splitOnce(text: string): { readonly first: string; readonly rest?: string } {
  const match = SEPARATOR.exec(text);
  if (match === null) return { first: text };
  return { first: text.slice(0, match.index), rest: text.slice(match.index + match[0].length) };
}

/**
 * Splits the text after the keyword into flags (leading words that begin with `--`, quotes and escapes removed) and the
 * arguments, trimmed. A bare `--` ends the flags and is dropped.
 */
export function splitFlags(
  text: string,
  escape: EscapeCharacter,
): { readonly flags: readonly string[]; readonly rest: string } {
  const flags: string[] = [];
  let position = 0;
  while (true) {
    while (isSpace(text.charAt(position))) position++;
    if (!text.startsWith("--", position)) return { flags, rest: trimSpace(text.slice(position)) };
    const word = readFlag(text, position, escape);
    position = word.end;
    if (word.text === "--") return { flags, rest: trimSpace(text.slice(position)) };
    flags.push(word.text);
  }
}

function readFlag(
  text: string,
  start: number,
  escape: EscapeCharacter,
): { readonly text: string; readonly end: number } {
  let word = "";
  let quote = "";
  let position = start;
  for (; position < text.length; position++) {
    const character = text.charAt(position);
    if (quote === "" && isSpace(character)) break;
    if (character === quote) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    else if (character !== escape) word += character;
    else if (position + 1 < text.length) word += text.charAt(++position);
  }
  return { text: word, end: position };
}

/** Reads `text` as a JSON array of strings, if it is one (Dockerfile reference, exec form). */
export function parseJsonForm(text: string): JsonForm {
  if (!trimStart(text).startsWith("[")) return { kind: "none" };
  let parsed: unknown;
  try {
    parsed = JSON.parse(trimSpace(text));
  } catch {
    // Text that is not JSON is the shell form, as in `RUN [ -f x ] && y`.
    return { kind: "none" };
  }
  if (!Array.isArray(parsed)) return { kind: "none" };
  const values: string[] = [];
  for (const value of parsed) {
    if (typeof value !== "string") return { kind: "mixed" };
    values.push(value.replace(/\p{Surrogate}/gu, "\ufffd"));
  }
  return { kind: "strings", values };
}

/**
 * Splits `text` at white space outside quotes and escapes (ENV, LABEL, ARG); quotes and escapes stay in the words.
 * A lone escape character at the very end is dropped.
 */
export function lexWords(text: string, escape: EscapeCharacter): readonly string[] {
  const words: string[] = [];
  let position = 0;
  while (position < text.length) {
    if (isSpace(text.charAt(position))) {
      position++;
      continue;
    }
    const word = readWord(text, position, escape);
    position = word.end;
    if (word.text !== "") words.push(word.text);
  }
  return words;
}

function readWord(
  text: string,
  start: number,
  escape: EscapeCharacter,
): { readonly text: string; readonly end: number } {
  let word = "";
  let quote = "";
  let position = start;
  for (; position < text.length; position++) {
    const character = text.charAt(position);
    if (quote === "" && isSpace(character)) break;
    if (character === escape && quote !== "'") {
      // The escaped character is taken along unseen, be it a quote or a blank.
      if (position + 1 < text.length) word += character + text.charAt(++position);
      continue;
    }
    if (character === quote) quote = "";
    else if (quote === "" && (character === "'" || character === '"')) quote = character;
    word += character;
  }
  return { text: word, end: position };
}
