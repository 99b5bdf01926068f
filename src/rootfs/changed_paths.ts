/** The paths that a COPY wrote as the entries of a layer: all parents with them, in walk order. Pure. */
import { comparePaths, parentPath, type RawPath } from "../sys/raw_path.ts";

/** A node that the layer holds as it is now on disk. `path` is inner, absolute. */
export interface WrittenPath {
  readonly kind: "write";
  readonly path: RawPath;
}

/**
 * The entries for `paths` (inner, absolute): each once, with every directory above it except the root, parents before
 * children. A layer tells of the directories on the way to each change, too.
 */
export function changesOf(paths: Iterable<RawPath>): readonly WrittenPath[] {
  const all = new Set<RawPath>();
  for (let path of paths) {
    for (; path !== "/" && path !== "" && !all.has(path); path = parentPath(path)) all.add(path);
  }
  return [...all].sort(comparePaths).map((path) => ({ kind: "write", path }));
}
