/**
 * The digest of the files that a COPY or ADD takes, as its layer would hold them: names, types, modes and owners after
 * --chmod and --chown, contents, link targets, hard links and attributes. Times are left out: a checkout's mean nothing.
 */
import { compilePathPatterns, type PathPatterns } from "../context/path_patterns.ts";
import { type Digest, Sha256Hasher } from "../oci/digest.ts";
import { FramedHasher } from "../oci/framed_hash.ts";
import { closeFile, openFileForReading, readFile } from "../sys/file.ts";
import { readLink } from "../sys/inode.ts";
import { joinPath, type RawPath, rawPath } from "../sys/raw_path.ts";
import { AT_CWD, type Inode, lstat } from "../sys/stat.ts";
import { listDirectory } from "../sys/walk.ts";
import type { CopyRequest } from "./copy_into.ts";
import { findParents } from "./copy_parents.ts";
import { CopySource, type CopySourceNode, type CopyTree } from "./copy_source.ts";
import { copiedXattrs } from "./copy_writer.ts";
import { type ModeChange, parseModeChange } from "./symbolic_mode.ts";

/** The parts of a COPY or ADD that decide which files it takes and what becomes of their owners and modes. */
export type CopySelection = Pick<CopyRequest, "patterns" | "chown" | "chmod" | "exclude" | "parents">;

const BUFFER_BYTES = 1 << 20;
/** How long hashing may keep the program from attending to other things. */
const TURN_MS = 50;

/** Contents of files that were read once, while their inodes stay as they were. Shared by all digests of one build. */
export class FileDigests {
  readonly #known = new Map<string, Digest>();
  readonly #buffer = new Uint8Array(BUFFER_BYTES);

  /** The digest of the file at the absolute host `path`, whose inode is `node`. Yields after each megabyte. */
  *digestOf(path: RawPath, node: Inode): Generator<void, Digest> {
    const state = [node.dev, node.ino, node.size, node.mtimeNs, node.ctimeNs].join(":");
    const known = this.#known.get(state);
    if (known !== undefined) return known;
    const hasher = new Sha256Hasher();
    const fd = openFileForReading(AT_CWD, path);
    try {
      for (let count = -1; count !== 0;) {
        count = readFile(fd, this.#buffer, path);
        hasher.update(this.#buffer.subarray(0, count));
        if (count === BUFFER_BYTES) yield;
      }
    } finally {
      closeFile(fd);
    }
    const digest = hasher.digest();
    this.#known.set(state, digest);
    return digest;
  }
}

/**
 * The digest of what `step` takes from `tree`. Throws ContextError, as copying would, for sources that are not there, and
 * SystemError for files that cannot be read.
 */
export async function copyDigest(
  step: CopySelection,
  tree: CopyTree,
  files: FileDigests,
  signal: AbortSignal,
): Promise<Digest> {
  const digesting = new Digesting(step, new CopySource(tree), files);
  let turnStart = performance.now();
  for (const _ of digesting.addAll()) {
    if (performance.now() - turnStart < TURN_MS) continue;
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal.throwIfAborted();
    turnStart = performance.now();
  }
  return digesting.digest();
}

/** One digest in the making. */
class Digesting {
  readonly #step: CopySelection;
  readonly #source: CopySource;
  readonly #files: FileDigests;
  readonly #mode: ModeChange | undefined;
  readonly #keepsOwner: boolean;
  readonly #hasher = new FramedHasher();
  /** Inodes with several names -> how many such were met before, in the source at hand. */
  readonly #linked = new Map<string, number>();

  constructor(step: CopySelection, source: CopySource, files: FileDigests) {
    this.#step = step;
    this.#source = source;
    this.#files = files;
    this.#mode = step.chmod ? parseModeChange(step.chmod) : undefined;
    this.#keepsOwner = source.keepsOwner && !step.chown;
  }

  digest(): Digest {
    return this.#hasher.digest();
  }

  *addAll(): Generator<void> {
    const { patterns, exclude, parents } = this.#step;
    const excluded = exclude.length > 0 ? compilePathPatterns(exclude.map(rawPath)) : undefined;
    for (const pattern of patterns) {
      this.#hasher.add(["source", pattern]);
      if (parents) {
        for (const part of findParents(pattern, this.#source, excluded)) {
          this.#hasher.add("parents");
          this.#linked.clear();
          yield* this.#addContents(part.directory.path, "" as RawPath, part.exclude);
        }
        continue;
      }
      for (const node of this.#source.find(pattern)) yield* this.#addSource(node, excluded);
    }
  }

  /** A file is copied under its name, of a directory what it holds. */
  *#addSource({ path, name, node }: CopySourceNode, exclude: PathPatterns | undefined): Generator<void> {
    this.#linked.clear();
    if (node.type !== "directory") return yield* this.#addNode(path, name, node);
    this.#hasher.add("directory");
    yield* this.#addContents(path, "" as RawPath, exclude);
    this.#hasher.add("end");
  }

  *#addContents(directory: RawPath, relative: RawPath, exclude: PathPatterns | undefined): Generator<void> {
    for (const name of listDirectory(this.#source.tree.hostPath(directory))) {
      const path = joinPath(directory, name);
      const inner = joinPath(relative, name);
      const node = lstat(this.#source.tree.hostPath(path));
      if (node === undefined || !this.#isIncluded(path, inner, node, exclude)) continue;
      yield* this.#addNode(path, name, node);
      if (node.type !== "directory") continue;
      yield* this.#addContents(path, inner, exclude);
      this.#hasher.add("end");
    }
  }

  *#addNode(path: RawPath, name: RawPath, node: Inode): Generator<void> {
    const host = this.#source.tree.hostPath(path);
    const isDirectory = node.type === "directory";
    const hasAttributes = node.type === "file" || isDirectory;
    this.#hasher.add({
      name,
      type: node.type,
      mode: node.type === "symlink" ? undefined : this.#mode?.apply(node.mode, isDirectory) ?? node.mode,
      owner: this.#keepsOwner ? [node.uid, node.gid] : undefined,
      device: node.type === "char" || node.type === "block" ? [node.rdevMajor, node.rdevMinor] : undefined,
      xattrs: hasAttributes ? Object.fromEntries(copiedXattrs(host)) : undefined,
      linkTarget: node.type === "symlink" ? readLink(AT_CWD, host) : undefined,
      linked: node.type === "file" && node.nlink > 1 ? this.#ordinalOf(node) : undefined,
      content: node.type === "file" ? yield* this.#files.digestOf(host, node) : undefined,
    });
    yield;
  }

  /** Files that are one in the source are one in the layer. */
  #ordinalOf({ dev, ino }: Inode): number {
    const inode = `${dev}:${ino}`;
    const ordinal = this.#linked.get(inode) ?? this.#linked.size;
    this.#linked.set(inode, ordinal);
    return ordinal;
  }

  #isIncluded(path: RawPath, relative: RawPath, node: Inode, exclude: PathPatterns | undefined): boolean {
    if (this.#source.tree.isProtected(path)) return false;
    if (!this.#source.hides(path) && exclude?.matches(relative) !== true) return true;
    if (node.type !== "directory" || !this.#source.canHoldVisible(path)) return false;
    if (exclude?.canHoldIncluded(relative) === false) return false;
    const host = this.#source.tree.hostPath(path);
    return listDirectory(host).some((name) => {
      const inner = joinPath(path, name);
      const child = lstat(this.#source.tree.hostPath(inner));
      return child !== undefined && this.#isIncluded(inner, joinPath(relative, name), child, exclude);
    });
  }
}
