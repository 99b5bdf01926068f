/**
 * "Did you mean": the nearest word of a closed set, for instructions, flags, stages, mount keys and command line flags.
 */

/** Words this far apart or more are no longer taken for typing errors (BuildKit uses the same limit). */
const MAX_DISTANCE = 3;

/**
 * Finds the candidate nearest to `word`, ignoring case, when fewer than three edits lie between them. The answer takes
 * the case of `word` when that is all lower or all upper; an exact match or no near one gives undefined.
 * @example
 * ```ts
 * import { suggest } from "./suggest.ts";
 * suggest("FORM", ["FROM", "RUN"]); // "FROM"
 * ```
 */
export function suggest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let bestDistance = MAX_DISTANCE;
  for (const candidate of candidates) {
    if (candidate === word) return undefined;
    const distance = levenshtein(wanted, candidate.toLowerCase());
    if (distance < bestDistance && distance < candidate.length) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best === undefined ? undefined : matchCase(best, word);
}

/** The hint of an error about `word`: `Did you mean "FROM"?`, or undefined when nothing is near. */
export function suggestHint(word: string, candidates: Iterable<string>): string | undefined {
  const found = suggest(word, candidates);
  return found === undefined ? undefined : `Did you mean "${found}"?`;
}

/** Counts the insertions, deletions and replacements that turn `a` into `b`; at least 3 when their lengths differ so. */
export function levenshtein(a: string, b: string): number {
  if (Math.abs(a.length - b.length) >= MAX_DISTANCE) return Math.abs(a.length - b.length);
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const edited = Math.min(previous[column] ?? 0, current[column - 1] ?? 0) + 1;
      current.push(Math.min(replaced, edited));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

function matchCase(found: string, model: string): string {
  if (model === model.toLowerCase()) return found.toLowerCase();
  return model === model.toUpperCase() ? found.toUpperCase() : found;
}
