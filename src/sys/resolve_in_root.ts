/**
 * Where a path leads inside a root directory that may be hostile: symlinks are followed as if the root were "/", so that no
 * link, absolute or with any number of "..", leads out. Sound while nobody else changes the tree.
 */
import { readLink } from "./inode.ts";
import { SystemError } from "./libc.ts";
import { baseName, joinPath, pathComponents, pathText, type RawPath } from "./raw_path.ts";
import { AT_CWD, type Inode, lstat } from "./stat.ts";

const MAX_SYMLINKS = 40;

/** What a path leads to. */
export interface ResolvedPath {
  /** The place inside the root, without symlinks: absolute, the root being "/". */
  readonly inside: RawPath;
  /** The same place as the builder sees it: `inside` below the root directory. */
  readonly outside: RawPath;
  /** What is there; undefined when it, or a directory on the way to it, is missing. Never a symlink. */
  readonly inode: Inode | undefined;
}

/**
 * Resolves `path` (taken from the root, absolute or not) inside the directory `root`. Components that are missing stay as
 * they are. Throws SystemError ELOOP after 40 symlinks and ENOTDIR when a file is used as a directory.
 */
export function resolveInRoot(root: RawPath, path: RawPath): ResolvedPath {
  const pending = pathComponents(path).reverse();
  let inside = "/" as RawPath;
  let inode = lstat(root);
  for (let links = 0, name = pending.pop(); name !== undefined; name = pending.pop()) {
    if (name === "..") {
      inside = parentInside(inside);
      inode = lstat(outsidePath(root, inside));
      continue;
    }
    if (inode !== undefined && inode.type !== "directory") throw notADirectory(path, inside);
    const next = joinPath(inside, name);
    const found = inode === undefined ? undefined : lstat(outsidePath(root, next));
    if (found?.type !== "symlink") {
      inside = next;
      inode = found;
      continue;
    }
    if (++links > MAX_SYMLINKS) throw tooManyLinks(path);
    const target = readLink(AT_CWD, outsidePath(root, next));
    pending.push(...pathComponents(target).reverse());
    if (target.startsWith("/")) {
      inside = "/" as RawPath;
      inode = lstat(root);
    }
  }
  return { inside, outside: outsidePath(root, inside), inode };
}

function outsidePath(root: RawPath, inside: RawPath): RawPath {
  if (inside === "/") return root;
  return (root === "/" ? inside : root + inside) as RawPath;
}

function parentInside(inside: RawPath): RawPath {
  return inside.slice(0, Math.max(1, inside.length - baseName(inside).length - 1)) as RawPath;
}

function notADirectory(path: RawPath, at: RawPath): SystemError {
  const message = `Cannot look up "${pathText(path)}": "${pathText(at)}" is not a directory`;
  return new SystemError("openat", "ENOTDIR", path, message);
}

function tooManyLinks(path: RawPath): SystemError {
  return new SystemError("openat", "ELOOP", path, `Cannot look up "${pathText(path)}": too many symlinks on the way`);
}
