/**
 * `${...}`: defaults, alternatives, required values, prefix and suffix removal, replacement (Dockerfile reference,
 * environment replacement; the order of checks and the quirks are BuildKit's).
 */
import { fail, type Lexer, next, peek, readName, readUntil } from "./_shell_lexer.ts";
import {
  compilePattern,
  findMatch,
  type Match,
  matchAt,
  type MatchBudget,
  reversePattern,
  type ShellPattern,
} from "./_shell_pattern.ts";

/** Deepest nesting of `${`; far beyond any real file, and far from the end of the stack. */
const MAX_DEPTH = 100;
/** Steps one pattern may take: less than a second. */
const MAX_MATCH_STEPS = 20_000_000;
const OPERATORS = "-+?";

/** Reads a substitution whose `${` was just read, up to and with its `}`, and gives its value. */
export function substitute(lexer: Lexer): string {
  if (++lexer.depth > MAX_DEPTH) fail(lexer, `substitutions are nested more than ${MAX_DEPTH} deep`);
  const value = readSubstitution(lexer);
  lexer.depth--;
  return value;
}

function readSubstitution(lexer: Lexer): string {
  const first = peek(lexer);
  if (first === "") fail(lexer, "syntax error: missing '}'");
  if ("{}:".includes(first)) fail(lexer, "syntax error: bad substitution");
  const name = readName(lexer);
  const operator = next(lexer);
  if (operator === "") fail(lexer, "syntax error: missing '}'");
  if (operator === "}") return plainValue(lexer, name);
  if (OPERATORS.includes(operator)) return applyOperator(lexer, { name, operator, emptyIsUnset: false });
  if (operator === "#" || operator === "%") return trimValue(lexer, name, operator);
  if (operator === "/") return replaceInValue(lexer, name);
  if (operator !== ":") fail(lexer, `unsupported modifier (${operator}) in substitution`);
  const second = next(lexer);
  if (second === "") fail(lexer, "syntax error: missing '}'");
  if (!OPERATORS.includes(second)) fail(lexer, `unsupported modifier (:${second}) in substitution`);
  return applyOperator(lexer, { name, operator: second, emptyIsUnset: true });
}

function plainValue(lexer: Lexer, name: string): string {
  const value = lexer.lookup.get(name);
  if (value !== undefined) return value;
  if (lexer.mode.keepUnset === true) return `\${${name}}`;
  lexer.mode.onUndefined?.(name);
  return "";
}

interface Operation {
  readonly name: string;
  readonly operator: string;
  /** The colon form: an empty value counts as none. */
  readonly emptyIsUnset: boolean;
}

function applyOperator(lexer: Lexer, { name, operator, emptyIsUnset }: Operation): string {
  const word = readUntil(lexer, "}", false).text;
  const value = lexer.lookup.get(name);
  if (value === undefined && lexer.mode.keepUnset === true) {
    return `\${${name}${emptyIsUnset ? ":" : ""}${operator}${word}}`;
  }
  const isMissing = value === undefined || (emptyIsUnset && value === "");
  if (operator === "-") return isMissing ? word : value;
  if (operator === "+") return isMissing ? "" : word;
  if (!isMissing) return value;
  const state = value === undefined ? "unset" : "empty";
  return fail(lexer, `${name}: ${word === "" ? `is not allowed to be ${state}` : word}`);
}

function trimValue(lexer: Lexer, name: string, operator: "#" | "%"): string {
  const word = readUntil(lexer, "}", true).text;
  const value = lexer.lookup.get(name);
  if (value === undefined && lexer.mode.keepUnset === true) return `\${${name}${operator}${word}}`;
  if (value === undefined) lexer.mode.onUndefined?.(name);
  const greedy = word.startsWith(operator);
  const forward = compile(lexer, greedy ? word.slice(1) : word);
  const characters = Array.from(value ?? "");
  const isSuffix = operator === "%";
  const text = isSuffix ? characters.toReversed() : characters;
  const match = within(
    lexer,
    (budget) => matchAt(isSuffix ? reversePattern(forward) : forward, text, 0, { greedy, budget }),
  );
  const rest = text.slice(match?.end ?? 0);
  return (isSuffix ? rest.toReversed() : rest).join("");
}

function replaceInValue(lexer: Lexer, name: string): string {
  const isAll = peek(lexer) === "/";
  if (isAll) next(lexer);
  const source = readUntil(lexer, "/", true).text;
  const replacement = readUntil(lexer, "}", true).text;
  const value = lexer.lookup.get(name);
  if (value === undefined && lexer.mode.keepUnset === true) {
    return `\${${name}/${isAll ? "/" : ""}${source}/${replacement}}`;
  }
  if (value === undefined) lexer.mode.onUndefined?.(name);
  const pattern = compile(lexer, source);
  const text = Array.from(value ?? "");
  return isAll
    ? replaceAll(lexer, { pattern, text, replacement })
    : replaceFirst(lexer, { pattern, text, replacement });
}

interface Replacement {
  readonly pattern: ShellPattern;
  readonly text: readonly string[];
  readonly replacement: string;
}

function replaceFirst(lexer: Lexer, { pattern, text, replacement }: Replacement): string {
  const match = within(lexer, (budget) => findMatch(pattern, text, 0, budget));
  if (match === undefined) return text.join("");
  return text.slice(0, match.start).join("") + replacement + text.slice(match.end).join("");
}

/** Replaces all matches; an empty match right after another match does not count, as in Go's regexp. */
function replaceAll(lexer: Lexer, { pattern, text, replacement }: Replacement): string {
  const budget: MatchBudget = { steps: MAX_MATCH_STEPS };
  const parts: string[] = [];
  let copied = 0;
  let from = 0;
  while (from <= text.length) {
    const match = within(lexer, () => findMatch(pattern, text, from, budget), budget);
    if (match === undefined) break;
    if (match.end > copied || match.start === 0) {
      const inserted = expandTemplate(replacement, text.slice(match.start, match.end).join(""));
      lexer.remaining -= inserted.length;
      if (lexer.remaining < 0) fail(lexer, "the result is too long");
      parts.push(text.slice(copied, match.start).join(""), inserted);
      copied = match.end;
    }
    from = match.end > from ? match.end : from + 1;
  }
  return parts.join("") + text.slice(copied).join("");
}

/**
 * In the replacement of `//`, a `$0` that came from a value is the matched text, another `$name` is empty and `$$` is a
 * dollar: a quirk of BuildKit, which hands the text to Go's regexp templates.
 */
function expandTemplate(template: string, matched: string): string {
  return template.replace(
    /\$(?:\$|\{([\p{L}\p{Nd}_]+)\}|([\p{L}\p{Nd}_]+))/gu,
    (whole, braced?: string, bare?: string) => {
      if (whole === "$$") return "$";
      return (braced ?? bare) === "0" ? matched : "";
    },
  );
}

function compile(lexer: Lexer, source: string): ShellPattern {
  const compiled = compilePattern(Array.from(source));
  if (compiled.ok) return compiled.pattern;
  return fail(lexer, `invalid pattern (${source}) in substitution: invalid escape '${compiled.escape}'`);
}

function within(
  lexer: Lexer,
  find: (budget: MatchBudget) => Match | undefined,
  budget: MatchBudget = { steps: MAX_MATCH_STEPS },
): Match | undefined {
  const match = find(budget);
  if (budget.steps < 0) fail(lexer, "the pattern takes too long to match");
  return match;
}
