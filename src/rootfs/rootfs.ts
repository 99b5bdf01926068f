/**
 * A rootfs: the folder that becomes an image's file tree, `/` itself in place. All paths here are absolute within it
 * ("inner"); symlinks are resolved as if chrooted, and protected places (mounts, our own folder) are never entered,
 * replaced or removed. Source of the resolution rules: BuildKit's RootPath; symlink(7).
 */
import { closeFile, openDirectory } from "../sys/file.ts";
import { changeMode, changeOwner, makeDirectory, readLink, removeDirectory, unlink } from "../sys/inode.ts";
import { SystemError } from "../sys/libc.ts";
import {
  baseName,
  cleanPath,
  isWithin,
  joinPath,
  parentPath,
  pathComponents,
  pathText,
  type RawPath,
} from "../sys/raw_path.ts";
import { AT_CWD, type Inode, lstat, lstatAt } from "../sys/stat.ts";
import { directoryNames } from "../sys/walk.ts";

const MAX_LINKS = 255;

/** Owner and permission bits of a node to make. */
export interface Ownership {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** The tree of files that a stage works on. Owns nothing but knowledge of the folder; removing it is the maker's duty. */
export class Rootfs {
  /** The folder on the machine, absolute and clean; "/" in place. */
  readonly path: RawPath;
  /** Inner paths that are not part of the image: mount points, the builder's own folder. */
  readonly protectedPaths: readonly RawPath[];

  constructor(path: RawPath, protectedPaths: readonly RawPath[]) {
    this.path = path;
    this.protectedPaths = protectedPaths;
  }

  /** Where the inner path is on the machine. The inner path's parents must be resolved. */
  hostPath(inner: RawPath): RawPath {
    return this.path === "/" ? inner : inner === "/" ? this.path : (this.path + inner) as RawPath;
  }

  /** Whether the inner path is a protected place or lies below one. */
  isProtected(inner: RawPath): boolean {
    return this.protectedPaths.some((place) => isWithin(inner, place));
  }

  /** Whether a protected place lies below the inner path, so that it cannot be removed whole. */
  holdsProtected(inner: RawPath): boolean {
    return this.protectedPaths.some((place) => place !== inner && isWithin(place, inner));
  }

  /** The inode at the inner path, whose parents are resolved; undefined when there is none. */
  lstat(inner: RawPath): Inode | undefined {
    return lstat(this.hostPath(inner));
  }

  /**
   * The inner path with every symlink of its parents followed inside the root, that of its last component too when
   * `followLast`. What does not exist is kept as written. Throws SystemError ELOOP after 255 links.
   */
  resolve(inner: RawPath, followLast: boolean): RawPath {
    const pending = pathComponents(inner);
    let resolved = "/" as RawPath;
    let links = 0;
    for (let part = pending.shift(); part !== undefined; part = pending.shift()) {
      if (part === "..") {
        resolved = parentPath(resolved) === "" ? "/" as RawPath : parentPath(resolved);
        continue;
      }
      const next = joinPath(resolved, part);
      const target = pending.length > 0 || followLast ? this.#linkTarget(next) : undefined;
      if (target === undefined) {
        resolved = next;
        continue;
      }
      if (++links > MAX_LINKS) {
        throw new SystemError("openat", "ELOOP", inner, `Cannot resolve "${pathText(inner)}": too many symbolic links`);
      }
      if (target.startsWith("/")) resolved = "/" as RawPath;
      pending.unshift(...pathComponents(target));
    }
    return resolved;
  }

  /**
   * Makes the directory at the resolved inner path and those of its parents that are missing, with `ownership`. Gives
   * the inner paths it made, outermost first. Throws SystemError ENOTDIR where something else is in the way.
   */
  makeDirectories(inner: RawPath, ownership: Ownership): RawPath[] {
    const made: RawPath[] = [];
    let current = "/" as RawPath;
    for (const part of pathComponents(cleanPath(inner))) {
      current = joinPath(current, part);
      const existing = this.lstat(current);
      if (existing?.type === "directory") continue;
      if (existing !== undefined) {
        throw new SystemError(
          "mkdirat",
          "ENOTDIR",
          current,
          `Cannot make directory "${pathText(current)}": not a directory`,
        );
      }
      this.makeDirectory(current, ownership);
      made.push(current);
    }
    return made;
  }

  /** Makes one directory at the resolved inner path. */
  makeDirectory(inner: RawPath, { uid, gid, mode }: Ownership): void {
    const host = this.hostPath(inner);
    makeDirectory(AT_CWD, host, 0o700);
    if (uid !== 0 || gid !== 0) changeOwner(AT_CWD, host, uid, gid);
    changeMode(AT_CWD, host, mode);
  }

  /**
   * Removes the node at the resolved inner path, a directory with all it holds, links not followed. Protected places,
   * what `keeps` names, and the directories that lead to either stay. Gives whether nothing is left; true when nothing
   * was there.
   */
  remove(inner: RawPath, keeps: (inner: RawPath) => boolean = keepsNothing): boolean {
    const node = this.lstat(inner);
    if (node === undefined) return true;
    if (this.isProtected(inner)) return false;
    const directory = openDirectory(AT_CWD, this.hostPath(parentPath(inner)));
    try {
      return this.#removeAt(directory, baseName(inner), { inner, isDirectory: node.type === "directory", keeps });
    } finally {
      closeFile(directory);
    }
  }

  /** Removes what the directory at the resolved inner path holds, as `remove` does. Gives whether it is empty now. */
  removeChildren(inner: RawPath, keeps: (inner: RawPath) => boolean = keepsNothing): boolean {
    if (this.isProtected(inner)) return false;
    const directory = openDirectory(AT_CWD, this.hostPath(inner));
    try {
      return this.#removeChildren(directory, inner, keeps);
    } finally {
      closeFile(directory);
    }
  }

  /** Removes everything but protected places and the directories that lead to them. */
  wipe(): void {
    this.removeChildren("/" as RawPath);
  }

  #removeAt(directory: number, name: RawPath, { inner, isDirectory, keeps }: Removal): boolean {
    if (this.isProtected(inner)) return false;
    if (!isDirectory) {
      if (keeps(inner)) return false;
      unlink(directory, name);
      return true;
    }
    const child = openDirectory(directory, name);
    try {
      if (!this.#removeChildren(child, inner, keeps)) return false;
    } finally {
      closeFile(child);
    }
    if (keeps(inner)) return false;
    removeDirectory(directory, name);
    return true;
  }

  #removeChildren(directory: number, inner: RawPath, keeps: (inner: RawPath) => boolean): boolean {
    let isEmpty = true;
    for (const name of directoryNames(directory)) {
      const isDirectory = lstatAt(directory, name)?.type === "directory";
      const isGone = this.#removeAt(directory, name, { inner: joinPath(inner, name), isDirectory, keeps });
      isEmpty = isGone && isEmpty;
    }
    return isEmpty;
  }

  #linkTarget(inner: RawPath): RawPath | undefined {
    const host = this.hostPath(inner);
    return lstat(host)?.type === "symlink" ? readLink(AT_CWD, host) : undefined;
  }
}

/** A node to remove, and what must stay. */
interface Removal {
  readonly inner: RawPath;
  readonly isDirectory: boolean;
  readonly keeps: (inner: RawPath) => boolean;
}

function keepsNothing(): boolean {
  return false;
}
