/**
 * COPY --parents: a source pattern selects nodes below a root, and what is selected keeps its path from there. The root is
 * the top of the source, or what stands before the first "/./". Source of the rules: BuildKit's file operations.
 */
import { ContextError } from "../context/context_error.ts";
import { hasWildcard } from "../context/glob.ts";
import { compilePathPatterns, type PathPatterns } from "../context/path_patterns.ts";
import { cleanPath, joinPath, pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import type { CopySource, CopySourceNode } from "./copy_source.ts";

/** A source of COPY --parents, split at its pivot. */
export interface ParentsPattern {
  /** The pattern of the directories whose content is selected from. */
  readonly root: string;
  /** Clean, relative to a root; empty selects everything. `**` stands for any number of directories. */
  readonly selected: RawPath;
}

/** One directory to copy from and what is left out of it, by path relative to it. */
export interface ParentsSource {
  readonly directory: CopySourceNode;
  readonly exclude: PathPatterns | undefined;
}

const PIVOT = "/./";

/**
 * Splits a source at its pivot. A leading "./" is none.
 *
 * @example
 * ```ts
 * import { splitParents } from "./copy_parents.ts";
 * import { deepEqual } from "node:assert/strict";
 * deepEqual(splitParents("a/./b/*.c"), { root: "a", selected: "b/*.c" });
 * deepEqual(splitParents("./a/b/"), { root: "/", selected: "a/b" });
 * ```
 */
export function splitParents(pattern: string): ParentsPattern {
  const at = pattern.indexOf(PIVOT);
  const root = at < 0 ? "/" : pattern.slice(0, at) || "/";
  const selected = at < 0 ? pattern : pattern.slice(at + PIVOT.length);
  return { root, selected: cleanPath(rawPath(`/${selected}`)).slice(1) as RawPath };
}

/**
 * The directories of `source` that `pattern` selects from. `exclude` is what the step leaves out anyway. Throws
 * ContextError for a literal path that is not there and for a literal root that is no directory.
 */
export function findParents(
  pattern: string,
  source: CopySource,
  exclude: PathPatterns | undefined,
): readonly ParentsSource[] {
  const { root, selected } = splitParents(pattern);
  const roots = source.find(root);
  const directories = roots.filter(({ node }) => node.type === "directory");
  if (directories.length === 0 && !hasWildcard(root)) {
    throw new ContextError({ action: "copy from", source: root, reason: "not a directory" });
  }
  if (!hasWildcard(selected)) { for (const { path } of directories) requireNode(joinPath(path, selected), source); }
  const others = selected === "" ? undefined : compilePathPatterns([rawPath("**"), `!${selected}` as RawPath]);
  const combined = others === undefined ? exclude : exclude === undefined ? others : either(others, exclude);
  return directories.map((directory) => ({ directory, exclude: combined }));
}

function requireNode(path: RawPath, source: CopySource): void {
  if (source.holds(path)) return;
  throw new ContextError({ action: "copy", source: pathText(path), reason: "not found" });
}

/** What one of two lists of patterns leaves out. */
function either(first: PathPatterns, second: PathPatterns): PathPatterns {
  return {
    matches: (path) => first.matches(path) || second.matches(path),
    canHoldIncluded: (directory) => first.canHoldIncluded(directory) && second.canHoldIncluded(directory),
  };
}
