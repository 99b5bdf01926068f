/** The .dockerignore file: which lines are patterns. What patterns mean is in `path_patterns.ts`. Pure. */
import { FormatError } from "../errors.ts";
import { type RawPath, rawPathFromBytes } from "../sys/raw_path.ts";
import { cleanPattern, compilePathPatterns, type PathPatterns, trimBlanks } from "./path_patterns.ts";

/** The patterns that ignore nothing. */
export const IGNORE_NOTHING: PathPatterns = { matches: () => false, canHoldIncluded: () => true };

/**
 * Compiles the file's content; `name` is for messages. A line is a comment only when `#` is its first character. Throws
 * FormatError with the line for a pattern that makes no sense.
 */
export function parseDockerignore(bytes: Uint8Array, name = ".dockerignore"): PathPatterns {
  const patterns = dockerignorePatterns(bytes);
  for (const { pattern, line } of patterns) checkPattern(pattern, `${name}:${line}`);
  return compilePathPatterns(patterns.map(({ pattern }) => pattern));
}

/** One pattern, `!` in front when it is an exception, and its line from 1. */
export interface DockerignoreLine {
  readonly pattern: RawPath;
  readonly line: number;
}

/** The lines that are patterns: trimmed, cleaned, one leading slash dropped. */
export function dockerignorePatterns(bytes: Uint8Array): readonly DockerignoreLine[] {
  const lines = rawPathFromBytes(bytes).replace(/^\xef\xbb\xbf/, "").split("\n") as RawPath[];
  return lines.flatMap((text, index) => {
    if (text.startsWith("#")) return [];
    const trimmed = trimBlanks(text);
    return trimmed === "" ? [] : [{ pattern: normalize(trimmed), line: index + 1 }];
  });
}

function normalize(text: RawPath): RawPath {
  const isException = text.startsWith("!");
  const rest = isException ? trimBlanks(text.slice(1) as RawPath) : text;
  const clean = rest === "" ? rest : cleanPattern(rest);
  const relative = clean.length > 1 && clean.startsWith("/") ? clean.slice(1) : clean;
  return (isException ? `!${relative}` : relative) as RawPath;
}

function checkPattern(pattern: RawPath, place: string): void {
  try {
    compilePathPatterns([pattern]);
  } catch (error: unknown) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(error.message.replace("Cannot use pattern", `Cannot use pattern of ${place},`), {
      cause: error,
    });
  }
}
