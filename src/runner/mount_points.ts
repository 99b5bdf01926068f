/**
 * Places that a sandbox needs in a rootfs and that the image does not have: made before a command, removed after it, with
 * their parents' times as they were, so that no trace reaches a layer. The parents are held open, so that a command which
 * moves them or puts symlinks in their place cannot lead the removal anywhere else.
 */
import { BuilderError, UnsupportedError } from "../errors.ts";
import { closeFile, createFile, openDirectory, writeFile } from "../sys/file.ts";
import { makeDirectory, makeNode, removeDirectory, setTimesOfFile, unlink, withoutUmask } from "../sys/inode.ts";
import { SystemError } from "../sys/libc.ts";
import { baseName, joinPath, parentPath, pathComponents, pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import { type ResolvedPath, resolveInRoot } from "../sys/resolve_in_root.ts";
import { AT_CWD, fstat, type Inode, lstat, lstatAt } from "../sys/stat.ts";

/** A node to have at a path. */
export type WantedNode =
  | { readonly kind: "directory" }
  | { readonly kind: "file"; readonly content: Uint8Array }
  | { readonly kind: "char"; readonly rdevMajor: number; readonly rdevMinor: number };

interface Parent {
  readonly fd: number;
  /** Before the first of our changes. */
  readonly mtimeNs: bigint;
  /** Before our last ones: what the command has made of it. */
  mtimeFinalNs: bigint | undefined;
}

/** A name in a directory that is held open. */
export interface Spot {
  /** A path that leads to the name through the open directory, whatever becomes of the names on the way to that. */
  readonly path: RawPath;
  /** The place inside the root, without symlinks. */
  readonly inside: RawPath;
  /** What is there now. */
  readonly inode: Inode | undefined;
  /** To be called when something of ours has been put there: the directory gets back its time. */
  settle(): void;
}

interface Stub {
  readonly parent: Parent;
  readonly name: RawPath;
  readonly inode: Inode | undefined;
}

/** A target that a mount of a RUN cannot be put at; the step that asks for it knows the line. */
export class MountTargetError extends BuilderError {
  readonly code = "dockerfile";
}

/** The stubs of one run. Disposing removes them; what the command has put in their place or into them stays. */
export class MountPoints implements Disposable {
  readonly #root: RawPath;
  readonly #parents = new Map<string, Parent>();
  readonly #stubs: Stub[] = [];

  /** `root` is the rootfs folder, which nobody else changes now. */
  constructor(root: RawPath) {
    this.#root = root;
  }

  /**
   * Sees to a directory directly below the root, such as "/proc", and gives it as the builder sees it. Throws
   * UnsupportedError when a symlink or a file is in its place.
   */
  directory(path: RawPath): RawPath {
    const outside = (this.#root + path) as RawPath;
    const inode = lstat(outside);
    if (inode !== undefined && inode.type !== "directory") {
      const message = `Cannot run a command in "${pathText(this.#root)}": its "${pathText(path)}" is a ${inode.type}`;
      throw new UnsupportedError(message, {
        hint: "A mount on it could lead out of the image: it must be a directory",
      });
    }
    if (inode === undefined) this.#make(path, { kind: "directory" });
    return outside;
  }

  /**
   * Sees to a file, through symlinks that stay inside the root, and gives its place as the builder sees it. Undefined when
   * there can be none: something else than a file is there, or it leads into /proc, /sys or /dev.
   */
  file(path: RawPath, wanted: WantedNode): RawPath | undefined {
    const resolved = this.#resolve(path);
    if (resolved === undefined || /^\/(proc|sys|dev)(\/|$)/.test(resolved.inside)) return undefined;
    if (resolved.inode === undefined) this.#make(resolved.inside, wanted);
    else if (resolved.inode.type !== "file") return undefined;
    return resolved.outside;
  }

  /**
   * Sees to a place to mount a folder or a file at, through symlinks that stay inside the root. Throws MountTargetError when
   * something of the other kind is there.
   */
  point(path: RawPath, kind: "directory" | "file"): void {
    const resolved = this.#resolveTarget(path);
    checkFit(path, resolved.inode, kind);
    if (resolved.inode !== undefined) return;
    this.#make(resolved.inside, kind === "file" ? emptyFile() : { kind });
  }

  /** The name that `path` leads to, through symlinks that stay inside the root; its parent is seen to. Throws as `point`. */
  spot(path: RawPath, kind: "directory" | "file"): Spot {
    const { inside, inode } = this.#resolveTarget(path);
    checkFit(path, inode, kind);
    const directory = this.#makeParents(inside);
    const parent = this.#openParent(directory);
    return {
      path: `/proc/self/fd/${parent.fd}/./${baseName(inside)}` as RawPath,
      inside,
      inode,
      settle: () => {
        setTimesOfFile(parent.fd, parent.mtimeNs);
      },
    };
  }

  /**
   * Says that the command has ended, before anything is removed: what the directories' times are now is its doing, as they
   * were put back before it started.
   */
  noteTimes(): void {
    for (const parent of this.#parents.values()) parent.mtimeFinalNs ??= fstat(parent.fd).mtimeNs;
  }

  /** Sees to a node in a directory that `directory` has seen to; what is there already stays. */
  node(path: RawPath, wanted: WantedNode): void {
    if (lstat((this.#root + path) as RawPath) === undefined) this.#make(path, wanted);
  }

  [Symbol.dispose](): void {
    this.noteTimes();
    const parents = [...this.#parents.values()];
    this.#parents.clear();
    for (const stub of this.#stubs.splice(0).reverse()) removeStub(stub);
    for (const { fd, mtimeFinalNs, mtimeNs } of parents) {
      setTimesOfFile(fd, mtimeFinalNs ?? mtimeNs);
      closeFile(fd);
    }
  }

  #resolveTarget(path: RawPath): ResolvedPath {
    const resolved = this.#resolve(path);
    if (resolved !== undefined) return resolved;
    throw new MountTargetError(`Cannot mount at "${pathText(path)}": a file or a loop of symlinks is on the way`);
  }

  #resolve(path: RawPath): ResolvedPath | undefined {
    try {
      return resolveInRoot(this.#root, path);
    } catch (error: unknown) {
      if (error instanceof SystemError && (error.errnoName === "ENOTDIR" || error.errnoName === "ELOOP")) {
        return undefined;
      }
      throw error;
    }
  }

  /** Makes the node at `inside`, which has no symlinks on its way, and the directories on the way that are missing. */
  #make(inside: RawPath, wanted: WantedNode): void {
    this.#makeIn(this.#makeParents(inside), baseName(inside), wanted);
  }

  #makeParents(inside: RawPath): RawPath {
    let outside = this.#root;
    for (const name of pathComponents(parentPath(inside))) {
      const next = joinPath(outside, name);
      if (lstat(next) === undefined) this.#makeIn(outside, name, { kind: "directory" });
      outside = next;
    }
    return outside;
  }

  #makeIn(directory: RawPath, name: RawPath, wanted: WantedNode): void {
    const parent = this.#openParent(directory);
    withoutUmask(() => makeWanted(parent.fd, name, wanted));
    this.#stubs.push({ parent, name, inode: lstatAt(parent.fd, name) });
    setTimesOfFile(parent.fd, parent.mtimeNs); // A command that looks must not see it either.
  }

  #openParent(directory: RawPath): Parent {
    const known = this.#parents.get(directory);
    if (known !== undefined) return known;
    const fd = openDirectory(AT_CWD, directory);
    const parent = { fd, mtimeNs: fstat(fd).mtimeNs, mtimeFinalNs: undefined };
    this.#parents.set(directory, parent);
    return parent;
  }
}

function checkFit(path: RawPath, inode: Inode | undefined, kind: "directory" | "file"): void {
  if (inode === undefined || (inode.type === "directory") === (kind === "directory")) return;
  const [what, there] = kind === "directory" ? ["folder", `${inode.type}`] : ["file", "directory"];
  throw new MountTargetError(`Cannot mount a ${what} at "${pathText(path)}": a ${there} is there`);
}

/** A file of `text`. */
export function textFile(text: string): WantedNode {
  return { kind: "file", content: new TextEncoder().encode(text) };
}

/** An empty file, to be mounted over. */
export function emptyFile(): WantedNode {
  return { kind: "file", content: new Uint8Array() };
}

function makeWanted(dir: number, name: RawPath, wanted: WantedNode): void {
  if (wanted.kind === "directory") return makeDirectory(dir, name, 0o755);
  if (wanted.kind === "char") return makeNode(dir, name, { ...wanted, type: "char", mode: 0o666 });
  const fd = createFile(dir, name, 0o644);
  try {
    writeFile(fd, wanted.content, name);
  } finally {
    closeFile(fd);
  }
}

/** Removes only what we made ourselves; a directory that the command put something into stays. */
function removeStub({ parent, name, inode }: Stub): void {
  const now = lstatAt(parent.fd, name);
  if (now === undefined || now.ino !== inode?.ino || now.dev !== inode.dev) return;
  try {
    if (now.type === "directory") removeDirectory(parent.fd, name);
    else unlink(parent.fd, name);
  } catch (error: unknown) {
    if (!(error instanceof SystemError) || error.errnoName !== "ENOTEMPTY") throw error;
  }
}

/** The root of the image, for callers that name places in it. */
export const IMAGE_PLACES = {
  proc: rawPath("/proc"),
  sys: rawPath("/sys"),
  dev: rawPath("/dev"),
  resolvConf: rawPath("/etc/resolv.conf"),
  hosts: rawPath("/etc/hosts"),
} as const;
