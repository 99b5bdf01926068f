/**
 * Where COPY and ADD find their files: source patterns become nodes of a source tree. Everything is resolved inside the
 * tree's root, and what the ignore filter hides does not exist. Source of the rules: BuildKit's file operations.
 */
import { ContextError } from "../context/context_error.ts";
import { compileGlob, hasWildcard } from "../context/glob.ts";
import type { PathPatterns } from "../context/path_patterns.ts";
import { baseName, cleanPath, joinPath, pathComponents, pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import type { Inode } from "../sys/stat.ts";
import { listDirectory } from "../sys/walk.ts";
import { Rootfs } from "./rootfs.ts";

/** A tree of files to copy from: the build context, or the root of another stage or image. */
export interface CopyTree {
  /** The folder on the machine, absolute and clean. */
  readonly root: RawPath;
  /** What is hidden, by path relative to the root (.dockerignore); absent for stages and images. */
  readonly filter?: PathPatterns | undefined;
  /** Inner paths that are not part of the tree, such as mounts when the tree is the running container's own. */
  readonly protectedPaths?: readonly RawPath[] | undefined;
  /** Whether copies keep their owner (stages and images) or belong to root (context). */
  readonly keepsOwner: boolean;
}

/** One node that a source pattern means. */
export interface CopySourceNode {
  /** Inner path in the tree, all symlinks followed. */
  readonly path: RawPath;
  /** Last component of the path as named or matched: the name that a file gets in a destination directory. */
  readonly name: RawPath;
  readonly node: Inode;
}

/** A {@link CopyTree} to ask. */
export class CopySource {
  readonly tree: Rootfs;
  readonly keepsOwner: boolean;
  readonly #filter: PathPatterns | undefined;

  constructor(tree: CopyTree) {
    this.tree = new Rootfs(tree.root, tree.protectedPaths ?? []);
    this.keepsOwner = tree.keepsOwner;
    this.#filter = tree.filter;
  }

  /**
   * The nodes that `pattern` means, in walk order: one for a literal path, any number for wildcards. Symlinks named or
   * matched are followed. Throws ContextError for a literal path or a followed link that leads to nothing.
   */
  find(pattern: string): readonly CopySourceNode[] {
    const path = cleanPath(rawPath(pattern));
    const parts = pathComponents(path);
    const first = parts.findIndex(hasWildcard);
    if (first < 0) return [this.#follow(path)];
    const start = this.tree.resolve(`/${parts.slice(0, first).join("/")}` as RawPath, true);
    return this.#match(start, parts.slice(first).map(compileGlob)).map((found) => this.#follow(found));
  }

  /** The node at `path`, which is taken literally. Throws ContextError when there is none. */
  at(path: RawPath): CopySourceNode {
    return this.#follow(cleanPath(path));
  }

  /** Whether something visible is at `path`, taken literally, a symlink there not followed. */
  holds(path: RawPath): boolean {
    const resolved = this.tree.resolve(path, false);
    const node = this.tree.isProtected(resolved) ? undefined : this.tree.lstat(resolved);
    return node !== undefined && this.#isVisible(resolved, node.type === "directory");
  }

  /** Whether the filter hides the inner path itself; a directory may be hidden and yet hold what is not. */
  hides(path: RawPath): boolean {
    return path !== "/" && this.#filter?.matches(path.slice(1) as RawPath) === true;
  }

  /** Whether something below the hidden directory may not be hidden. */
  canHoldVisible(path: RawPath): boolean {
    return this.#filter?.canHoldIncluded(path.slice(1) as RawPath) ?? true;
  }

  #follow(path: RawPath): CopySourceNode {
    const resolved = this.tree.resolve(path, true);
    const node = this.tree.isProtected(resolved) ? undefined : this.tree.lstat(resolved);
    if (node === undefined) throw notFound(path);
    if (path !== resolved && this.hides(path)) throw ignored(path);
    if (!this.#isVisible(resolved, node.type === "directory")) throw ignored(path);
    return { path: resolved, name: baseName(path), node };
  }

  #match(directory: RawPath, segments: readonly ((name: RawPath) => boolean)[]): RawPath[] {
    const [segment, ...rest] = segments;
    if (segment === undefined || this.tree.lstat(directory)?.type !== "directory") return [];
    return listDirectory(this.tree.hostPath(directory)).filter(segment).flatMap((name) => {
      const path = joinPath(directory, name);
      if (this.tree.isProtected(path)) return [];
      const isDirectory = this.tree.lstat(path)?.type === "directory";
      if (rest.length > 0) return isDirectory ? this.#match(path, rest) : [];
      return this.#isVisible(path, isDirectory) ? [path] : [];
    });
  }

  #isVisible(path: RawPath, isDirectory: boolean): boolean {
    if (!this.hides(path)) return true;
    return isDirectory && this.#holdsVisible(path);
  }

  #holdsVisible(directory: RawPath): boolean {
    if (!this.canHoldVisible(directory)) return false;
    return listDirectory(this.tree.hostPath(directory)).some((name) => {
      const path = joinPath(directory, name);
      return this.#isVisible(path, this.tree.lstat(path)?.type === "directory");
    });
  }
}

function notFound(path: RawPath): ContextError {
  return new ContextError({ action: "copy", source: pathText(path), reason: "not found" });
}

function ignored(path: RawPath): ContextError {
  return new ContextError({ action: "copy", source: pathText(path), reason: "not found" }, {
    hint: "The .dockerignore file excludes it",
  });
}
