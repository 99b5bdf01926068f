/**
 * The wildcards of Go's filepath.Match, which COPY sources and ignore patterns share: `*` and `?` within one path segment,
 * `[a-z]`, `[^a-z]` and `\` escapes. Characters are code points. Pure.
 */
import { FormatError } from "../errors.ts";
import { pathText, type RawPath } from "../sys/raw_path.ts";

/** One element of a pattern. A class's ranges are inclusive code points. */
export type GlobToken =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "one" }
  | { readonly kind: "many" }
  | { readonly kind: "class"; readonly isNegated: boolean; readonly ranges: readonly (readonly [number, number])[] };

/** Whether `pattern` has a wildcard that no backslash escapes. */
export function hasWildcard(pattern: string): boolean {
  for (let i = 0; i < pattern.length; i++) {
    const char = pattern[i];
    if (char === "\\") i++;
    else if (char === "*" || char === "?" || char === "[") return true;
  }
  return false;
}

/**
 * The elements of `pattern`, one a character. Throws FormatError for an open or empty class, a class that begins with or
 * ends in "-", and a backslash at the end.
 */
export function globTokens(pattern: RawPath): readonly GlobToken[] {
  const chars = [...pathText(pattern)];
  const tokens: GlobToken[] = [];
  for (let at = 0; at < chars.length;) {
    const char = chars[at] ?? "";
    if (char === "[") {
      const { token, end } = readClass(chars, at, pattern);
      tokens.push(token);
      at = end;
      continue;
    }
    if (char === "*") tokens.push({ kind: "many" });
    else if (char === "?") tokens.push({ kind: "one" });
    else if (char === "\\") tokens.push({ kind: "literal", text: chars[++at] ?? badPattern(pattern) });
    else tokens.push({ kind: "literal", text: char });
    at++;
  }
  return tokens;
}

/** The source of a regular expression (flags "su") for one element; `*` and `?` never match a slash. */
export function tokenSource(token: GlobToken): string {
  switch (token.kind) {
    case "literal":
      return [...token.text].map((char) => codePointSource(char.codePointAt(0) ?? 0)).join("");
    case "one":
      return "[^/]";
    case "many":
      return "[^/]*";
    case "class": {
      const ranges = token.ranges.filter(([low, high]) => low <= high);
      const source = ranges.map(([low, high]) => `${codePointSource(low)}-${codePointSource(high)}`).join("");
      if (source === "") return token.isNegated ? "." : "(?!)";
      return `[${token.isNegated ? "^" : ""}${source}]`;
    }
  }
}

/**
 * A matcher of whole names for one path segment. `**` is the same as `*`.
 *
 * @example
 * ```ts
 * import { compileGlob } from "./glob.ts";
 * import { rawPath } from "../sys/raw_path.ts";
 * import { equal } from "node:assert/strict";
 * equal(compileGlob(rawPath("*.t[xy]t"))(rawPath("a.txt")), true);
 * ```
 */
export function compileGlob(segment: RawPath): (name: RawPath) => boolean {
  const expression = new RegExp(`^${globSource(globTokens(segment))}$`, "su");
  return (name) => expression.test(matchableText(name));
}

/**
 * The regular expression's source. What stands between two `*` is taken at its first place and never tried elsewhere (a
 * look-ahead keeps its match), as a later `*` can take up the rest: no pattern takes exponential time.
 */
function globSource(tokens: readonly GlobToken[]): string {
  const parts: string[] = [""];
  for (const token of tokens) {
    if (token.kind === "many") parts.push("");
    else parts.push((parts.pop() ?? "") + tokenSource(token));
  }
  const [first = "", ...others] = parts;
  const last = others.pop();
  if (last === undefined) return first;
  const between = others.filter((part) => part !== "").map((part, index) => `(?=([^/]*?${part}))\\${index + 1}`);
  return `${first}${between.join("")}[^/]*${last}`;
}

/** `path` as the text that the regular expressions of patterns are tested on. */
export function matchableText(path: RawPath): string {
  for (let i = 0; i < path.length; i++) if (path.charCodeAt(i) > 0x7f) return pathText(path);
  return path;
}

interface ReadClass {
  readonly token: GlobToken;
  readonly end: number;
}

function readClass(chars: readonly string[], start: number, pattern: RawPath): ReadClass {
  const isNegated = chars[start + 1] === "^";
  const ranges: [number, number][] = [];
  let at = start + (isNegated ? 2 : 1);
  const readCharacter = (): number => {
    const char = chars[at];
    if (char === undefined || char === "-" || char === "]") badPattern(pattern);
    if (char === "\\") at++;
    const code = chars[at++]?.codePointAt(0) ?? badPattern(pattern);
    if (at >= chars.length) badPattern(pattern);
    return code;
  };
  while (ranges.length === 0 || chars[at] !== "]") {
    const low = readCharacter();
    if (chars[at] !== "-") {
      ranges.push([low, low]);
      continue;
    }
    at++;
    ranges.push([low, readCharacter()]);
  }
  return { token: { kind: "class", isNegated, ranges }, end: at + 1 };
}

function badPattern(pattern: RawPath): never {
  throw new FormatError(`Cannot use pattern "${pathText(pattern)}": syntax error in pattern`);
}

function codePointSource(code: number): string {
  return `\\u{${code.toString(16)}}`;
}
