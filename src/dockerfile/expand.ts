/**
 * Variable expansion of words and heredoc bodies, per the Dockerfile reference (environment replacement) as BuildKit
 * does it. Which words of which instruction are expanded, and with which variables, is the planner's business.
 */
import type { Heredoc, SourceRange } from "./instruction.ts";
import { stripLeadingTabs } from "./heredoc.ts";
import { lex, type VariableLookup } from "./_shell_lexer.ts";
import type { EscapeCharacter } from "./words.ts";

export type { VariableLookup } from "./_shell_lexer.ts";

/** Options of every expansion. */
export interface ExpandOptions {
  /** The escape character of the file. */
  readonly escape: EscapeCharacter;
  /** The lines that an error is about. */
  readonly range: SourceRange;
  /**
   * Called with each variable that is referred to but not set, for the UndefinedVar check; not for `${v:-w}`, `${v+w}` and
   * their kin, which provide for that (BuildKit reports those too).
   */
  readonly onUndefined?: ((name: string) => void) | undefined;
}

/**
 * Expands `text` to one word: variables replaced, quotes and escapes removed, blanks kept. Unset variables are empty.
 * Throws DockerfileError for bad substitutions, unbalanced quotes and `${v:?message}`.
 * @example
 * ```ts
 * import { expandWord } from "./expand.ts";
 * const range = { startLine: 1, endLine: 1 };
 * expandWord("${name:-nobody}-1", new Map([["name", "x"]]), { escape: "\\", range }); // "x-1"
 * ```
 */
export function expandWord(text: string, variables: VariableLookup, options: ExpandOptions): string {
  return lex(text, variables, options).text;
}

/** Expands `text` and splits the result at blanks that were not quoted (EXPOSE). Throws as {@link expandWord} does. */
export function expandWords(text: string, variables: VariableLookup, options: ExpandOptions): readonly string[] {
  return lex(text, variables, { ...options, splitWords: true }).words;
}

/**
 * Gives the content of the file that a heredoc of COPY or ADD stands for: leading tabs stripped for `<<-`, and variables
 * expanded unless the delimiter was quoted. Quotes are text, the escape character is always the backslash, and a
 * backslash goes away in favour of the character after it.
 */
export function expandHeredoc(
  heredoc: Heredoc,
  variables: VariableLookup,
  options: Omit<ExpandOptions, "escape">,
): string {
  const content = heredoc.stripTabs ? stripLeadingTabs(heredoc.content) : heredoc.content;
  if (!heredoc.expand) return content;
  return lex(content, variables, { ...options, escape: "\\", ignoreQuotes: true }).text;
}
