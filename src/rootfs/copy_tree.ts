/**
 * Copies one source node of COPY into the rootfs: a file, or all that a directory holds. Symlinks inside directories stay
 * links, hard links stay linked, devices and fifos are made anew, and what is in the way is unlinked, never written through.
 */
import { ContextError } from "../context/context_error.ts";
import type { PathPatterns } from "../context/path_patterns.ts";
import { closeFile, openDirectory, openDirectoryPath, openFileForReading } from "../sys/file.ts";
import { readLink, unlink } from "../sys/inode.ts";
import { baseName, joinPath, parentPath, pathComponents, pathText, type RawPath } from "../sys/raw_path.ts";
import { AT_CWD, fstat, type Inode, lstat, lstatAt } from "../sys/stat.ts";
import { directoryNames } from "../sys/walk.ts";
import type { CopySource, CopySourceNode } from "./copy_source.ts";
import { isSameNode } from "./_same_node.ts";
import { copiedXattrs, type CopyWriter, NO_NODE_XATTRS, type NodeMetadata, type NodePlace } from "./copy_writer.ts";
import type { Owner } from "./owner.ts";
import type { ModeChange } from "./symbolic_mode.ts";

/** Deeper trees would exhaust the descriptors and the stack that a copy needs for each level. */
const MAX_LEVELS = 400;

/** What COPY's flags say about every node. */
export interface CopyRules {
  /** The owner of everything; undefined keeps the source's. */
  readonly owner: Owner | undefined;
  readonly mode: ModeChange | undefined;
  /** --exclude: paths relative to each copied directory. */
  readonly exclude: PathPatterns | undefined;
}

/** A node of the source, in its open directory. */
interface SourcePlace {
  readonly directory: number;
  readonly name: RawPath;
  /** Inner path in the source tree. */
  readonly inner: RawPath;
}

/** A directory that is being copied into another; `relative` is its path below the source named by the user. */
interface DirectoryPair {
  readonly source: number;
  readonly sourceInner: RawPath;
  readonly relative: RawPath;
  readonly target: number;
  readonly targetInner: RawPath;
  /** Whether the target was made just now, so that no name in it is taken. */
  readonly isNew: boolean;
  readonly mayMeetProtected: boolean;
}

/** Copies nodes of one source tree for one instruction. Hard links are kept among all that one copier copies. */
export class TreeCopier {
  readonly #source: CopySource;
  readonly #writer: CopyWriter;
  readonly #rules: CopyRules;
  #targetRoot: Inode | undefined;

  constructor(source: CopySource, writer: CopyWriter, rules: CopyRules) {
    this.#source = source;
    this.#writer = writer;
    this.#rules = rules;
  }

  /** Copies a node that is no directory to the resolved inner path, whose parent is there. */
  copyNode(source: CopySourceNode, targetInner: RawPath): void {
    const from = openDirectoryPath(AT_CWD, this.#source.tree.hostPath(parentPath(source.path)));
    try {
      const to = openDirectoryPath(AT_CWD, this.#writer.rootfs.hostPath(parentPath(targetInner)));
      try {
        const sourcePlace = { directory: from, name: baseName(source.path), inner: source.path };
        const place = { directory: to, name: baseName(targetInner), inner: targetInner };
        this.#copyLeaf(sourcePlace, source.node, place, false);
      } finally {
        closeFile(to);
      }
    } finally {
      closeFile(from);
    }
  }

  /**
   * Copies all that the directory holds into the directory at the resolved inner path. Yields after each node, so that
   * the caller may stop or rest.
   */
  *copyContents(source: CopySourceNode, targetInner: RawPath): Generator<void> {
    const targetHost = this.#writer.rootfs.hostPath(targetInner);
    this.#targetRoot = lstat(targetHost);
    const from = openDirectory(AT_CWD, this.#source.tree.hostPath(source.path));
    try {
      const to = openDirectoryPath(AT_CWD, targetHost);
      try {
        yield* this.#copyEntries({
          source: from,
          sourceInner: source.path,
          relative: "" as RawPath,
          target: to,
          targetInner,
          isNew: false,
          mayMeetProtected: this.#writer.rootfs.holdsProtected(targetInner),
        });
      } finally {
        closeFile(to);
      }
    } finally {
      closeFile(from);
    }
  }

  *#copyEntries(pair: DirectoryPair): Generator<void> {
    for (const name of directoryNames(pair.source)) {
      const source = { directory: pair.source, name, inner: joinPath(pair.sourceInner, name) };
      const relative = joinPath(pair.relative, name);
      const node = lstatAt(pair.source, name);
      if (node === undefined || !this.#isIncluded(source, relative, node)) continue;
      const place = { directory: pair.target, name, inner: joinPath(pair.targetInner, name) };
      if (pair.mayMeetProtected && this.#writer.rootfs.isProtected(place.inner)) {
        if (!isEmptyDirectory(source, node)) this.#writer.warnProtected(place.inner);
        continue;
      }
      if (node.type === "directory") yield* this.#copyDirectory({ ...pair, relative }, source, node, place);
      else this.#copyLeaf(source, node, place, pair.isNew);
      yield;
    }
  }

  *#copyDirectory(parent: DirectoryPair, source: SourcePlace, node: Inode, place: NodePlace): Generator<void> {
    const existing = parent.isNew ? undefined : lstatAt(place.directory, place.name);
    if (existing !== undefined && existing.type !== "directory") {
      throw blocked("copy a directory to", place.inner, "not a directory");
    }
    // Copying a tree into itself: what is being written is not read again.
    if (isSameInode(node, this.#targetRoot) && !isSameInode(node, existing)) return;
    if (pathComponents(source.inner).length > MAX_LEVELS) {
      throw blocked("copy", source.inner, `folders are more than ${MAX_LEVELS} levels deep`);
    }
    if (existing === undefined) this.#writer.startDirectory(place);
    const xattrs = this.#xattrsOf(source);
    const metadata = this.#metadataOf(node, xattrs);
    if (existing !== undefined && !hasSameOwnership(existing, metadata)) this.#writer.note(place.inner);
    const from = openDirectory(source.directory, source.name);
    try {
      const to = openDirectoryPath(place.directory, place.name);
      try {
        yield* this.#copyEntries({
          source: from,
          sourceInner: source.inner,
          relative: parent.relative,
          target: to,
          targetInner: place.inner,
          isNew: existing === undefined,
          mayMeetProtected: parent.mayMeetProtected && this.#writer.rootfs.holdsProtected(place.inner),
        });
      } finally {
        closeFile(to);
      }
    } finally {
      closeFile(from);
    }
    if (!isSameInode(node, existing)) this.#writer.finishDirectory(place, metadata);
  }

  /** `isFree` says that the name is known not to be taken. */
  #copyLeaf(source: SourcePlace, node: Inode, place: NodePlace, isFree: boolean): void {
    const existing = isFree ? undefined : lstatAt(place.directory, place.name);
    if (existing !== undefined) {
      if (existing.type === "directory") throw blocked("copy a file to", place.inner, "a directory is there");
      if (isSameInode(node, existing)) return this.#writer.note(place.inner);
      if (this.#isThereAlready(source, node, place, existing)) return;
      unlink(place.directory, place.name);
    }
    if (node.type === "file") this.#copyFile(source, node, place);
    else if (node.type === "symlink") {
      const target = readLink(source.directory, source.name);
      this.#writer.writeSymlink(place, target, this.#metadataOf(node, NO_NODE_XATTRS));
    } else this.#writer.writeSpecial(place, node, this.#metadataOf(node, NO_NODE_XATTRS));
  }

  /** Like BuildKit's layers, ours do not repeat what is the same below. Names of one inode are always written: they are one file. */
  #isThereAlready(source: SourcePlace, node: Inode, place: NodePlace, existing: Inode): boolean {
    if (node.nlink > 1 || node.type !== existing.type || node.size !== existing.size) return false;
    const metadata = this.#metadataOf(node, this.#xattrsOf(source));
    const from = { ...source, node, hostPath: this.#source.tree.hostPath(source.inner) };
    return isSameNode(
      from,
      { ...place, node: existing, hostPath: this.#writer.rootfs.hostPath(place.inner) },
      metadata,
    );
  }

  #copyFile(source: SourcePlace, node: Inode, place: NodePlace): void {
    const key = node.nlink > 1 ? inodeKey(node) : undefined;
    const copy = key === undefined ? undefined : this.#writer.copyOf(key);
    if (copy !== undefined) return this.#writer.writeHardLink(place, this.#writer.rootfs.hostPath(copy));
    const metadata = this.#metadataOf(node, this.#xattrsOf(source));
    const fd = openFileForReading(source.directory, source.name);
    try {
      if (fstat(fd).type !== "file") throw blocked("copy", source.inner, "it changed while it was copied");
      this.#writer.copyFile(place, fd, metadata);
    } finally {
      closeFile(fd);
    }
    if (key !== undefined) this.#writer.rememberCopy(key, place.inner);
  }

  #isIncluded(source: SourcePlace, relative: RawPath, node: Inode): boolean {
    if (this.#source.tree.protectedPaths.length > 0 && this.#source.tree.isProtected(source.inner)) return false;
    const exclude = this.#rules.exclude;
    const isHidden = this.#source.hides(source.inner) || exclude?.matches(relative) === true;
    if (!isHidden) return true;
    if (node.type !== "directory") return false;
    if (!this.#source.canHoldVisible(source.inner)) return false;
    if (exclude?.canHoldIncluded(relative) === false) return false;
    return this.#holdsIncluded(source, relative);
  }

  /** Whether anything below a hidden directory is copied: then the directory is, too. */
  #holdsIncluded(source: SourcePlace, relative: RawPath): boolean {
    const fd = openDirectory(source.directory, source.name);
    try {
      return directoryNames(fd).some((name) => {
        const node = lstatAt(fd, name);
        const child = { directory: fd, name, inner: joinPath(source.inner, name) };
        return node !== undefined && this.#isIncluded(child, joinPath(relative, name), node);
      });
    } finally {
      closeFile(fd);
    }
  }

  #xattrsOf(source: SourcePlace): ReadonlyMap<string, Uint8Array> {
    return copiedXattrs(this.#source.tree.hostPath(source.inner));
  }

  #metadataOf(node: Inode, xattrs: ReadonlyMap<string, Uint8Array>): NodeMetadata {
    const { uid, gid } = this.#rules.owner ?? node;
    const mode = this.#rules.mode?.apply(node.mode, node.type === "directory") ?? node.mode;
    return { uid, gid, mode, mtimeNs: node.mtimeNs, xattrs };
  }
}

/** Images have empty directories where mounts go: leaving those out loses nothing. */
function isEmptyDirectory(place: SourcePlace, node: Inode): boolean {
  if (node.type !== "directory") return false;
  const fd = openDirectory(place.directory, place.name);
  try {
    return directoryNames(fd).length === 0;
  } finally {
    closeFile(fd);
  }
}

function hasSameOwnership(a: NodeMetadata | Inode, b: NodeMetadata | Inode): boolean {
  return a.uid === b.uid && a.gid === b.gid && a.mode === b.mode;
}

function isSameInode(a: Inode, b: Inode | undefined): boolean {
  return b !== undefined && a.ino === b.ino && a.dev === b.dev;
}

function inodeKey(node: Inode): string {
  return `${node.dev}:${node.ino}`;
}

function blocked(action: string, inner: RawPath, reason: string): ContextError {
  return new ContextError({ action, source: pathText(inner), reason });
}
