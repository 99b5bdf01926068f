/**
 * Changes as members of a layer's tar. Each node is read as it is now, one at a time; a file that does not hold still while
 * it is read is an error, so that a layer never holds half of one state and half of another.
 */
import { BuilderError, FormatError } from "../errors.ts";
import type { ContentHasher, KnownContents } from "../rootfs/content_hash.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { Change } from "../snapshot/diff_trees.ts";
import { closeFile, openFileForReading, readFile } from "../sys/file.ts";
import { readCapability, readLink } from "../sys/inode.ts";
import { SystemError } from "../sys/libc.ts";
import { baseName, joinPath, parentPath, pathText, type RawPath } from "../sys/raw_path.ts";
import { AT_CWD, fstat, type Inode } from "../sys/stat.ts";
import { NO_XATTRS, type TarHeader } from "../tar/header.ts";
import type { TarEntry } from "../tar/write.ts";

/** How nodes are read. */
export interface LayerEntryOptions {
  /** With `known`: hashes the files that are read, into `known`. */
  readonly hasher?: ContentHasher;
  readonly known?: KnownContents;
  /** Latest time a member may have, seconds since 1970. */
  readonly clampToEpochSeconds?: number;
  readonly signal?: AbortSignal;
}

/** A node that vanished or changed while it was read. */
export class FileChangedError extends BuilderError {
  readonly code = "integrity";
  constructor(readonly path: RawPath, what: string) {
    super(`Cannot write "${pathText(path)}" to a layer: ${what}`, {
      hint: "A process that a RUN instruction has left behind may still be writing it",
    });
  }
}

const WHITEOUT_PREFIX = ".wh.";
const NS_PER_SECOND = 1_000_000_000n;
const CHUNK_BYTES = 256 * 1024;
const NO_PATH = "" as RawPath;

/** The members for `changes`, in their order. Closes what it opens, also when it is left early. */
export function* layerEntries(
  changes: Iterable<Change>,
  rootfs: Rootfs,
  options: LayerEntryOptions,
): Generator<TarEntry, void> {
  const entries = new LayerEntries(rootfs, options);
  for (const change of changes) {
    options.signal?.throwIfAborted();
    if (change.kind === "remove") yield { header: whiteout(change.path) };
    else if (change.path !== "/") yield* entries.node(change.path);
  }
}

class LayerEntries {
  readonly #rootfs: Rootfs;
  readonly #options: LayerEntryOptions;
  /** First names of inodes that have several. */
  readonly #firstNames = new Map<bigint, RawPath>();
  readonly #buffer = new Uint8Array(CHUNK_BYTES);

  constructor(rootfs: Rootfs, options: LayerEntryOptions) {
    this.#rootfs = rootfs;
    this.#options = options;
  }

  *node(inner: RawPath): Generator<TarEntry, void> {
    if (baseName(inner).startsWith(WHITEOUT_PREFIX)) {
      throw new FormatError(`Cannot write "${pathText(inner)}" to a layer: names with ".wh." in front mark removals`);
    }
    const node = this.#rootfs.lstat(inner);
    if (node === undefined) throw new FileChangedError(inner, "it is not there any more");
    if (node.type === "socket") return;
    const linkPath = this.#linkPath(inner, node);
    if (linkPath !== undefined) {
      yield { header: { ...this.#header(inner, node), type: "hardlink", size: 0, linkPath } };
    } else if (node.type === "file") yield* this.#file(inner);
    else yield { header: this.#header(inner, node) };
  }

  /** What a further name of an inode that the layer has already refers to. */
  #linkPath(inner: RawPath, node: Inode): RawPath | undefined {
    if (node.nlink < 2 || node.type === "directory") return undefined;
    const key = (BigInt(node.dev) << 64n) | node.ino;
    const first = this.#firstNames.get(key);
    if (first === undefined) this.#firstNames.set(key, memberName(inner));
    return first;
  }

  *#file(inner: RawPath): Generator<TarEntry, void> {
    const fd = this.#open(inner);
    try {
      const node = fstat(fd);
      if (node.type !== "file") throw new FileChangedError(inner, "it is not a file any more");
      const capability = readCapability(fd);
      const xattrs = capability === undefined ? NO_XATTRS : new Map([["security.capability", capability]]);
      yield {
        header: { ...this.#header(inner, node), size: node.size, xattrs },
        body: this.#body({ fd, inner, node, capability }),
      };
    } finally {
      closeFile(fd);
    }
  }

  #open(inner: RawPath): number {
    try {
      return openFileForReading(AT_CWD, this.#rootfs.hostPath(inner));
    } catch (error: unknown) {
      const isGone = error instanceof SystemError && ["ENOENT", "ENOTDIR", "ELOOP"].includes(error.errnoName);
      if (isGone) throw new FileChangedError(inner, "it is not there any more");
      throw error;
    }
  }

  /** Exactly the bytes that the header promises. The buffer is the same for each piece. */
  *#body({ fd, inner, node, capability }: OpenNode): Generator<Uint8Array, void> {
    const { hasher, known, signal } = this.#options;
    const hashing = known?.has(node.ino) === true ? undefined : hasher;
    hashing?.begin(capability);
    for (let rest = node.size; rest > 0;) {
      signal?.throwIfAborted();
      const length = readFile(fd, rest < CHUNK_BYTES ? this.#buffer.subarray(0, rest) : this.#buffer, inner);
      if (length === 0) throw new FileChangedError(inner, "it became shorter while it was read");
      const piece = this.#buffer.subarray(0, length);
      hashing?.update(piece);
      rest -= length;
      yield piece;
    }
    const now = fstat(fd);
    if (now.size !== node.size || now.ctimeNs !== node.ctimeNs || now.mtimeNs !== node.mtimeNs) {
      throw new FileChangedError(inner, "it changed while it was read");
    }
    if (hashing !== undefined) known?.set(node.ino, hashing.end());
  }

  #header(inner: RawPath, node: Inode): TarHeader {
    const { type, mode, uid, gid, rdevMajor, rdevMinor } = node;
    if (type === "socket") throw new FileChangedError(inner, "it became a socket");
    return {
      path: memberName(inner),
      type,
      mode,
      uid,
      gid,
      size: 0,
      mtimeNs: this.#time(node.mtimeNs),
      linkPath: type === "symlink" ? readLink(AT_CWD, this.#rootfs.hostPath(inner)) : NO_PATH,
      devMajor: rdevMajor,
      devMinor: rdevMinor,
      xattrs: NO_XATTRS,
    };
  }

  /** Whole seconds, rounded down, and not past the limit. */
  #time(timeNs: bigint): bigint {
    const limit = this.#options.clampToEpochSeconds;
    const fraction = ((timeNs % NS_PER_SECOND) + NS_PER_SECOND) % NS_PER_SECOND;
    const seconds = (timeNs - fraction) / NS_PER_SECOND;
    const clamped = limit !== undefined && seconds > BigInt(limit) ? BigInt(limit) : seconds;
    return clamped * NS_PER_SECOND;
  }
}

/** A file being read. */
interface OpenNode {
  readonly fd: number;
  readonly inner: RawPath;
  readonly node: Inode;
  readonly capability: Uint8Array | undefined;
}

function memberName(inner: RawPath): RawPath {
  return inner.slice(1) as RawPath;
}

/** The marker that hides `inner`. */
function whiteout(inner: RawPath): TarHeader {
  const path = joinPath(memberName(parentPath(inner)), `${WHITEOUT_PREFIX}${baseName(inner)}` as RawPath);
  return {
    path,
    type: "file",
    mode: 0,
    uid: 0,
    gid: 0,
    size: 0,
    mtimeNs: 0n,
    linkPath: NO_PATH,
    devMajor: 0,
    devMinor: 0,
    xattrs: NO_XATTRS,
  };
}
