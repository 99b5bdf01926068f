/**
 * The patterns of `${v#p}`, `${v%p}` and `${v/p/r}`: only `*` and `?` are special, neither matches a line feed.
 * Matching is done here instead of by RegExp so that a hostile pattern cannot take exponential time.
 */

/** One unit of a pattern: a character, any character but a line feed, or any run of those. */
type PatternToken = { readonly kind: "literal"; readonly text: string } | { readonly kind: "any" | "star" };

/** A compiled pattern: the pieces between its stars; a star lies between each two neighbours. */
export interface ShellPattern {
  readonly pieces: readonly (readonly PatternToken[])[];
}

/** Compiles `source`; undefined together with the offending escape when it holds one that is not allowed. */
export type CompiledPattern =
  | { readonly ok: true; readonly pattern: ShellPattern }
  | { readonly ok: false; readonly escape: string };

/** A matched span, `end` exclusive, in code points. */
export interface Match {
  readonly start: number;
  readonly end: number;
}

/**
 * Compiles a pattern: `\*`, `\?` and `\\` are literal, `\}` and `\/` stand for the delimiter they protect, any other
 * escape is refused.
 */
export function compilePattern(source: readonly string[]): CompiledPattern {
  const pieces: PatternToken[][] = [[]];
  for (let index = 0; index < source.length; index++) {
    const character = source[index] ?? "";
    if (character === "*") {
      pieces.push([]);
      continue;
    }
    const piece = pieces[pieces.length - 1] ?? [];
    if (character === "?") piece.push({ kind: "any" });
    else if (character !== "\\") piece.push({ kind: "literal", text: character });
    else {
      const escaped = source[++index] ?? "";
      if (escaped === "" || !"*?\\}/".includes(escaped)) return { ok: false, escape: `\\${escaped}` };
      piece.push({ kind: "literal", text: escaped });
    }
  }
  return { ok: true, pattern: { pieces } };
}

/** The pattern that matches reversed text. */
export function reversePattern(pattern: ShellPattern): ShellPattern {
  return { pieces: pattern.pieces.map((piece) => piece.toReversed()).toReversed() };
}

/** What a matcher may spend before it gives up; counts down, shared by all matches of one expansion. */
export interface MatchBudget {
  steps: number;
}

/**
 * Finds the match that begins at `start`: the shortest, or the longest when `greedy`. Undefined when there is none, or
 * when the budget is used up (its `steps` are then negative).
 */
export function matchAt(
  pattern: ShellPattern,
  text: readonly string[],
  start: number,
  options: { readonly greedy: boolean; readonly budget: MatchBudget },
): Match | undefined {
  const { budget } = options;
  const last = pattern.pieces.length - 1;
  let position = start;
  for (const [index, piece] of pattern.pieces.entries()) {
    const found = index === 0
      ? (pieceMatches(piece, text, position, budget) ? position : undefined)
      : index === last && options.greedy
      ? findLast(piece, text, position, budget)
      : findFirst(piece, text, position, budget);
    if (found === undefined) return undefined;
    position = found + piece.length;
  }
  return { start, end: position };
}

/** Finds the first match anywhere at or after `from`, its stars as long as possible. */
export function findMatch(
  pattern: ShellPattern,
  text: readonly string[],
  from: number,
  budget: MatchBudget,
): Match | undefined {
  for (let start = from; start <= text.length && budget.steps >= 0; start++) {
    const match = matchAt(pattern, text, start, { greedy: true, budget });
    if (match !== undefined) return match;
  }
  return undefined;
}

/** Where `piece` first occurs at or after `from`, with no line feed before it. */
function findFirst(
  piece: readonly PatternToken[],
  text: readonly string[],
  from: number,
  budget: MatchBudget,
): number | undefined {
  for (let at = from; at + piece.length <= text.length; at++) {
    if (pieceMatches(piece, text, at, budget)) return at;
    if (text[at] === "\n" || budget.steps < 0) return undefined;
  }
  return undefined;
}

/** Where `piece` last occurs at or after `from`, with no line feed between `from` and it. */
function findLast(
  piece: readonly PatternToken[],
  text: readonly string[],
  from: number,
  budget: MatchBudget,
): number | undefined {
  let end = from;
  while (end < text.length && text[end] !== "\n") end++;
  budget.steps -= end - from;
  for (let at = Math.min(end, text.length - piece.length); at >= from; at--) {
    if (pieceMatches(piece, text, at, budget)) return at;
    if (budget.steps < 0) return undefined;
  }
  return undefined;
}

function pieceMatches(
  piece: readonly PatternToken[],
  text: readonly string[],
  at: number,
  budget: MatchBudget,
): boolean {
  budget.steps--;
  for (const [offset, token] of piece.entries()) {
    const character = text[at + offset];
    budget.steps--;
    if (character === undefined || budget.steps < 0) return false;
    if (token.kind === "literal" ? token.text !== character : character === "\n") return false;
  }
  return budget.steps >= 0;
}
