/**
 * A list of ignore patterns compiled once: the last pattern that matches a path or one of its parents decides. Used for
 * .dockerignore and for COPY --exclude. Pure. Source of the rules: moby's patternmatcher.
 */
import { FormatError } from "../errors.ts";
import { pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import { compileGlob, type GlobToken, globTokens, matchableText, tokenSource } from "./glob.ts";

/** Directories are asked about again and again: by everything in them. */
const MAX_REMEMBERED_DIRECTORIES = 10_000;
const SLASH_CODE = 0x2f;

/** Answers for relative, clean paths ("a/b"), whose parents need not be asked before. */
export interface PathPatterns {
  /** Whether the path is ignored. */
  matches(path: RawPath): boolean;
  /** Whether a path below the directory can be not ignored. When false, it need not be walked. */
  canHoldIncluded(directory: RawPath): boolean;
  /** Whether some pattern makes an exception; absent for none. */
  readonly hasExceptions?: boolean;
}

/**
 * Compiles patterns: blank ones are skipped, `!` makes an exception. Throws FormatError for `!` alone and for wildcards
 * that make no sense.
 *
 * @example
 * ```ts
 * import { compilePathPatterns } from "./path_patterns.ts";
 * import { rawPath } from "../sys/raw_path.ts";
 * import { equal } from "node:assert/strict";
 * const patterns = compilePathPatterns(["**\/*.log", "!keep"].map(rawPath));
 * equal(patterns.matches(rawPath("a/b.log")), true);
 * equal(patterns.matches(rawPath("keep/b.log")), false);
 * ```
 */
export function compilePathPatterns(patterns: readonly RawPath[]): PathPatterns {
  const compiled = patterns.map(trimBlanks).filter((text) => text !== "").map(compilePattern);
  const hasExceptions = compiled.some((pattern) => pattern.isException);
  const directories = new Map<string, number>();
  const lastMatchOfDirectory = (directory: RawPath): number => {
    const known = directories.get(directory);
    if (known !== undefined) return known;
    const found = lastMatch(directory);
    if (directories.size >= MAX_REMEMBERED_DIRECTORIES) directories.clear();
    directories.set(directory, found);
    return found;
  };
  /** The last pattern that matches the path or one of its parents, -1 for none. */
  const lastMatch = (path: RawPath): number => {
    const slash = path.lastIndexOf("/");
    const inherited = slash < 0 ? -1 : lastMatchOfDirectory(path.slice(0, slash) as RawPath);
    const subject: Subject = { path, name: path.slice(slash + 1) as RawPath, text: undefined, nameText: undefined };
    for (let index = compiled.length - 1; index > inherited; index--) {
      if (compiled[index]?.matches(subject)) return index;
    }
    return inherited;
  };
  return {
    hasExceptions,
    matches: (path) => {
      const pattern = compiled[lastMatch(path)];
      return pattern !== undefined && !pattern.isException;
    },
    canHoldIncluded: (directory) => {
      const index = lastMatch(directory);
      if (index < 0 || compiled[index]?.isException) return true;
      if (!hasExceptions) return false;
      return compiled.slice(index + 1).some((pattern) => pattern.isException && pattern.reachesBelow(directory));
    },
  };
}

/**
 * Go's filepath.Clean: no ".", no inner "..", no double or trailing slash; a relative path keeps leading "..", and an
 * empty one is ".".
 */
export function cleanPattern(pattern: RawPath): RawPath {
  const isRooted = pattern.startsWith("/");
  const clean: string[] = [];
  for (const part of pattern.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") clean.push(part);
    else if (clean.length > 0 && clean.at(-1) !== "..") clean.pop();
    else if (!isRooted) clean.push("..");
  }
  const joined = (isRooted ? "/" : "") + clean.join("/");
  return (joined === "" ? "." : joined) as RawPath;
}

/** `text` without ASCII blanks around it. */
export function trimBlanks(text: RawPath): RawPath {
  return text.replace(/^[\t-\r ]+|[\t-\r ]+$/g, "") as RawPath;
}

/** A path that is asked about, and the texts that expressions see, made when the first one needs them. */
interface Subject {
  readonly path: RawPath;
  readonly name: RawPath;
  text: string | undefined;
  nameText: string | undefined;
}

interface CompiledPattern {
  readonly isException: boolean;
  /** Whether the path itself matches; its parents are asked about by themselves. */
  matches(subject: Subject): boolean;
  /** Whether something below the directory may match that does not match already as the directory. */
  reachesBelow(directory: RawPath): boolean;
}

function compilePattern(text: RawPath): CompiledPattern {
  const clean = cleanPattern(text);
  const isException = clean.startsWith("!");
  const pattern = (isException ? clean.slice(1) : clean) as RawPath;
  if (pattern === "") throw new FormatError(`Cannot use pattern "${pathText(text)}": illegal exclusion pattern: "!"`);
  const tokens = globTokens(pattern);
  return { isException, matches: matcherOf(pattern, tokens), reachesBelow: reachOf(pattern, tokens) };
}

/** Plain comparisons for the three common shapes (`a/b`, `a/**`, `**` before plain text), an expression for the rest. */
function matcherOf(pattern: RawPath, tokens: readonly GlobToken[]): (subject: Subject) => boolean {
  const literal = literalText(tokens);
  if (literal !== undefined) {
    const wanted = pattern.includes("\\") ? rawPath(literal) : pattern;
    return ({ path }) => path === wanted;
  }
  if (tokens.at(-1)?.kind === "many" && tokens.at(-2)?.kind === "many") {
    const prefix = literalText(tokens.slice(0, -2));
    if (prefix !== undefined && prefix !== "") {
      const start = rawPath(prefix);
      return ({ path }) => path.startsWith(start);
    }
  }
  if (pattern.startsWith("**")) {
    const suffix = literalText(tokens.slice(2));
    if (suffix !== undefined) return suffixMatcher(rawPath(suffix));
  }
  return expressionMatcher(tokens);
}

/** What is cheap is tried first: a text that must be somewhere in the path, and the name alone. Most paths end there. */
function expressionMatcher(tokens: readonly GlobToken[]): (subject: Subject) => boolean {
  const expression = new RegExp(`^(?:${patternSource(tokens)})$`, "su");
  const needed = rawPath(longestLiteral(tokens));
  const name = nameTokens(tokens);
  const nameExpression = name && new RegExp(`^(?:${patternSource(name)})$`, "su");
  return (subject) =>
    subject.path.includes(needed) &&
    nameExpression?.test(subject.nameText ??= matchableText(subject.name)) !== false &&
    expression.test(subject.text ??= matchableText(subject.path));
}

/** The longest text that every match contains. A slash after `**` may be missing from it. */
function longestLiteral(tokens: readonly GlobToken[]): string {
  let longest = "";
  let run = "";
  for (const [at, token] of tokens.entries()) {
    const isOptional = isSlash(token) && tokens[at - 1]?.kind === "many";
    run = token.kind === "literal" && !isOptional ? run + token.text : "";
    if (run.length > longest.length) longest = run;
  }
  return longest;
}

/** What the last component of a path must match; undefined where the pattern does not tell. */
function nameTokens(tokens: readonly GlobToken[]): readonly GlobToken[] | undefined {
  const slash = tokens.findLastIndex(isSlash);
  const last = tokens.slice(slash + 1);
  const isDeep = last.some((token, at) => token.kind === "many" && last[at + 1]?.kind === "many");
  return isDeep || !beginsSegment(tokens, slash) || tokens.some(mayMatchSlash) ? undefined : last;
}

/** Whether a component begins behind the slash at `slash`: not so where a `**` takes the slash along, as in `a**\/b`. */
function beginsSegment(tokens: readonly GlobToken[], slash: number): boolean {
  for (let at = slash; at > 0;) {
    const isTaken = tokens[at - 1]?.kind === "many" && tokens[at - 2]?.kind === "many";
    if (!isTaken || at === 2) return true;
    at -= 3;
    if (!isSlash(tokens[at])) return false;
  }
  return true;
}

function mayMatchSlash(token: GlobToken): boolean {
  if (token.kind !== "class") return false;
  return token.isNegated || token.ranges.some(([low, high]) => low <= SLASH_CODE && SLASH_CODE <= high);
}

/** `**` and `/name`, or `**` and a bare ending, which any name may end in. */
function suffixMatcher(suffix: RawPath): (subject: Subject) => boolean {
  if (suffix === "") return () => true;
  if (!suffix.startsWith("/")) return ({ path }) => path.endsWith(suffix);
  const name = suffix.slice(1);
  return ({ path }) => path === name || path.endsWith(suffix);
}

/** `**` stands for any number of segments, and takes the slash after it along. */
function patternSource(tokens: readonly GlobToken[]): string {
  let source = "";
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === undefined) break;
    if (token.kind !== "many" || tokens[at + 1]?.kind !== "many") {
      source += tokenSource(token);
      continue;
    }
    at += isSlash(tokens[at + 2]) ? 2 : 1;
    source += at + 1 < tokens.length ? "(?:.*/)?" : ".*";
  }
  return source;
}

/** A class may match a slash, and so tells nothing about depths; neither does anything from a `**` on. */
function reachOf(pattern: RawPath, tokens: readonly GlobToken[]): (directory: RawPath) => boolean {
  if (tokens.some((token) => token.kind === "class")) return () => true;
  const segments = pattern.split("/") as RawPath[];
  const deepAt = segments.findIndex((segment) => segment.includes("**"));
  const fixed = (deepAt < 0 ? segments : segments.slice(0, deepAt)).map(compileGlob);
  return (directory) => {
    const parts = directory.split("/") as RawPath[];
    if (deepAt < 0 && parts.length >= segments.length) return false;
    return parts.every((part, depth) => fixed[depth]?.(part) ?? true);
  };
}

function literalText(tokens: readonly GlobToken[]): string | undefined {
  let text = "";
  for (const token of tokens) {
    if (token.kind !== "literal") return undefined;
    text += token.text;
  }
  return text;
}

function isSlash(token: GlobToken | undefined): boolean {
  return token?.kind === "literal" && token.text === "/";
}
