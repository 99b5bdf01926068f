/**
 * The one root that is `/` of the container we run in. A stage that ends is wiped or, when its files are still wanted,
 * moved aside by renaming: nothing is copied, and what may not be moved (mounts, our own folder) stays where it is.
 */
import { UnsupportedError } from "../errors.ts";
import { changeMode, changeOwner, makeDirectory, rename, setTimes } from "../sys/inode.ts";
import { SystemError } from "../sys/libc.ts";
import { joinPath, type RawPath, rawPath } from "../sys/raw_path.ts";
import { AT_CWD, type Inode } from "../sys/stat.ts";
import { listDirectory } from "../sys/walk.ts";
import { Rootfs } from "./rootfs.ts";
import type { Roots } from "./roots.ts";

const TOP = rawPath("/");

/** Which folder is the root ("/", but for tests), where its protected places are, and where kept stages go: a protected folder on the file system of `/`. */
export interface InplaceOptions {
  readonly root: RawPath;
  readonly protectedPaths: readonly RawPath[];
  readonly keepFolder: RawPath;
  /** Whether what is there now is removed before the first stage too. */
  readonly wipeFirst: boolean;
}

/** Hands out `/`, to one stage after the other. */
export class InplaceRoots implements Roots {
  readonly #options: InplaceOptions;
  #isFirst = true;

  constructor(options: InplaceOptions) {
    this.#options = options;
  }

  open(_stageIndex: number): Rootfs {
    const rootfs = new Rootfs(this.#options.root, this.#options.protectedPaths);
    if (this.#isFirst && this.#options.wipeFirst) rootfs.wipe();
    this.#isFirst = false;
    return rootfs;
  }

  keep(rootfs: Rootfs, stageIndex: number): Rootfs {
    const kept = joinPath(this.#options.keepFolder, rawPath(String(stageIndex)));
    makeDirectory(AT_CWD, kept, 0o755);
    moveChildren(rootfs, TOP, kept);
    return new Rootfs(kept, []);
  }

  drop(rootfs: Rootfs): void {
    rootfs.wipe();
  }
}

/** Moves what is in the inner directory to the folder `target`, but for protected places. */
function moveChildren(rootfs: Rootfs, inner: RawPath, target: RawPath): void {
  for (const name of listDirectory(rootfs.hostPath(inner))) {
    const child = joinPath(inner, name);
    const node = rootfs.lstat(child);
    if (node === undefined || rootfs.isProtected(child)) continue;
    const destination = joinPath(target, name);
    const mustStay = node.type === "directory" && rootfs.holdsProtected(child);
    if (mustStay || !renamed(rootfs.hostPath(child), destination, node)) moveInside(rootfs, child, node, destination);
  }
}

/** Renames; false for a directory that the file system refuses to rename (a lower layer's, on overlayfs). */
function renamed(from: RawPath, to: RawPath, node: Inode): boolean {
  try {
    rename(AT_CWD, from, AT_CWD, to);
    return true;
  } catch (error: unknown) {
    if (error instanceof SystemError && error.errnoName === "EXDEV") {
      if (node.type === "directory") return false;
      throw new UnsupportedError("Cannot keep a stage's files: the work folder is on another file system than /", {
        cause: error,
      });
    }
    throw error;
  }
}

/** Makes a directory like `node` at `destination` and moves the children of `inner` there; `inner` itself stays. */
function moveInside(rootfs: Rootfs, inner: RawPath, node: Inode, destination: RawPath): void {
  makeDirectory(AT_CWD, destination, 0o700);
  moveChildren(rootfs, inner, destination);
  changeOwner(AT_CWD, destination, node.uid, node.gid);
  changeMode(AT_CWD, destination, node.mode);
  setTimes(AT_CWD, destination, node.mtimeNs);
}
