/**
 * The scanned state of a rootfs: one record a node, in walk order (parents before children, siblings by their bytes), held
 * in columns so that half a million nodes fit in memory. Made by `snapshot/scan_tree.ts`, compared by `snapshot/diff_trees.ts`.
 */
import { joinPath, type RawPath } from "../sys/raw_path.ts";
import type { FileType, Inode } from "../sys/stat.ts";
import type { ContentHash } from "./content_hash.ts";

/** What an image records of a node, apart from its content. */
export interface RecordedMetadata {
  readonly type: FileType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeNs: bigint;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
}

const INITIAL_CAPACITY = 4096;
/** More than the kernel's clock for file times may lag behind the real one, or stand still. */
export const CLOCK_TICK_NS = 20_000_000n;
/** Index of the root's children's parent: the root itself is not a node of the tree. */
export const ROOT_INDEX = -1;

const TYPES: readonly FileType[] = ["file", "directory", "symlink", "char", "block", "fifo", "socket"];

/** Nodes by index, from 0 in walk order. Complete once {@link TreeBuilder.finish} has returned it. */
export class Tree {
  /** When the scan began, nanoseconds since 1970: nodes changed about then may have changed after it unseen. */
  readonly scannedAtNs: bigint;
  /** How long before that a change may be told from a later one by its ctime. */
  readonly tickNs: bigint;
  readonly #columns: Columns;

  constructor(columns: Columns, scannedAtNs: bigint, tickNs: bigint = CLOCK_TICK_NS) {
    this.#columns = columns;
    this.scannedAtNs = scannedAtNs;
    this.tickNs = tickNs;
  }

  get length(): number {
    return this.#columns.length;
  }

  /** Bytes of all files, each inode once. */
  sizeBytes(): number {
    let sizeBytes = 0;
    for (let index = 0; index < this.length; index++) {
      if (this.type(index) === "file") sizeBytes += this.size(index) / Math.max(1, this.nlink(index));
    }
    return Math.round(sizeBytes);
  }

  name(index: number): RawPath {
    return this.#columns.names[index] ?? ("" as RawPath);
  }

  /** Index of the directory that holds the node, or ROOT_INDEX. */
  parent(index: number): number {
    return this.#columns.parent[index] ?? ROOT_INDEX;
  }

  /** One past the last node below `index`; `index + 1` for a node without children. The next sibling starts here. */
  end(index: number): number {
    return index === ROOT_INDEX ? this.length : this.#columns.end[index] ?? 0;
  }

  /** Absolute path within the rootfs. */
  path(index: number): RawPath {
    if (index === ROOT_INDEX) return "/" as RawPath;
    return joinPath(this.path(this.parent(index)), this.name(index));
  }

  type(index: number): FileType {
    return TYPES[this.#columns.type[index] ?? 0] ?? "file";
  }

  ino(index: number): bigint {
    return this.#columns.ino[index] ?? 0n;
  }

  dev(index: number): number {
    return this.#columns.dev[index] ?? 0;
  }

  nlink(index: number): number {
    return this.#columns.nlink[index] ?? 0;
  }

  size(index: number): number {
    return this.#columns.size[index] ?? 0;
  }

  ctimeNs(index: number): bigint {
    return this.#columns.ctimeNs[index] ?? 0n;
  }

  /** What an image records of the node. */
  metadata(index: number): RecordedMetadata {
    const columns = this.#columns;
    return {
      type: this.type(index),
      mode: columns.mode[index] ?? 0,
      uid: columns.uid[index] ?? 0,
      gid: columns.gid[index] ?? 0,
      mtimeNs: columns.mtimeNs[index] ?? 0n,
      rdevMajor: columns.rdevMajor.get(index) ?? 0,
      rdevMinor: columns.rdevMinor.get(index) ?? 0,
    };
  }

  /** What a symlink says. */
  linkTarget(index: number): RawPath | undefined {
    return this.#columns.linkTargets.get(index);
  }

  /** The content of a regular file, where the builder knows it. */
  content(index: number): ContentHash | undefined {
    return this.#columns.contents[index];
  }

  /** Whether any change after the scan must show in the ctime: the last one before it was long enough ago. */
  isSettled(index: number): boolean {
    return this.ctimeNs(index) < this.scannedAtNs - this.tickNs;
  }

  /** Whether the inode of `index` is in the same state as that of `otherIndex` in `other`, as far as the kernel tells. */
  hasSameFingerprint(index: number, other: Tree, otherIndex: number): boolean {
    const a = this.#columns;
    const b = other.#columns;
    return a.ino[index] === b.ino[otherIndex] && a.ctimeNs[index] === b.ctimeNs[otherIndex] &&
      a.mtimeNs[index] === b.mtimeNs[otherIndex] && a.size[index] === b.size[otherIndex] &&
      a.type[index] === b.type[otherIndex] && a.mode[index] === b.mode[otherIndex] &&
      a.uid[index] === b.uid[otherIndex] && a.gid[index] === b.gid[otherIndex] &&
      a.nlink[index] === b.nlink[otherIndex] && a.dev[index] === b.dev[otherIndex];
  }

  /** Whether an image would record the same metadata for both nodes; content and link target are not compared. */
  hasSameMetadata(index: number, other: Tree, otherIndex: number): boolean {
    const a = this.#columns;
    const b = other.#columns;
    return a.type[index] === b.type[otherIndex] && a.mode[index] === b.mode[otherIndex] &&
      a.uid[index] === b.uid[otherIndex] && a.gid[index] === b.gid[otherIndex] &&
      a.mtimeNs[index] === b.mtimeNs[otherIndex] &&
      a.rdevMajor.get(index) === b.rdevMajor.get(otherIndex) &&
      a.rdevMinor.get(index) === b.rdevMinor.get(otherIndex);
  }

  /** A tree of the same nodes whose files take their contents from `known`, where it has their inode. */
  withContents(known: ReadonlyMap<bigint, ContentHash>): Tree {
    if (known.size === 0) return this;
    const contents = this.#columns.contents.slice();
    for (let index = 0; index < this.length; index++) {
      const content = this.type(index) === "file" ? known.get(this.ino(index)) : undefined;
      if (content !== undefined) contents[index] = content;
    }
    return new Tree({ ...this.#columns, contents }, this.scannedAtNs, this.tickNs);
  }
}

/** Columns of a tree, one element a node; sparse facts in maps. */
interface Columns {
  readonly length: number;
  readonly names: readonly RawPath[];
  readonly contents: readonly (ContentHash | undefined)[];
  readonly linkTargets: ReadonlyMap<number, RawPath>;
  readonly rdevMajor: ReadonlyMap<number, number>;
  readonly rdevMinor: ReadonlyMap<number, number>;
  readonly parent: Int32Array;
  readonly end: Int32Array;
  readonly type: Uint8Array;
  readonly mode: Uint16Array;
  readonly uid: Uint32Array;
  readonly gid: Uint32Array;
  readonly nlink: Uint32Array;
  readonly dev: Float64Array;
  readonly size: Float64Array;
  readonly ino: BigUint64Array;
  readonly mtimeNs: BigInt64Array;
  readonly ctimeNs: BigInt64Array;
}

/** What a node holds besides its inode. */
export interface NodeContent {
  readonly content?: ContentHash | undefined;
  readonly linkTarget?: RawPath | undefined;
}

/** Collects nodes in walk order: `add`, and for a directory `leave` once its last descendant was added. */
export class TreeBuilder {
  readonly #names: RawPath[] = [];
  readonly #contents: (ContentHash | undefined)[] = [];
  readonly #linkTargets = new Map<number, RawPath>();
  readonly #rdevMajor = new Map<number, number>();
  readonly #rdevMinor = new Map<number, number>();
  #numbers = allocate(INITIAL_CAPACITY);

  get length(): number {
    return this.#names.length;
  }

  /** Adds the node that `stat` describes, below `parent`; gives its index. */
  add(parent: number, name: RawPath, stat: Inode, content: NodeContent): number {
    const index = this.#names.length;
    if (index === this.#numbers.parent.length) this.#numbers = grow(this.#numbers);
    const numbers = this.#numbers;
    const type = stat.type;
    numbers.parent[index] = parent;
    numbers.end[index] = index + 1;
    numbers.type[index] = TYPES.indexOf(type);
    numbers.mode[index] = stat.mode;
    numbers.uid[index] = stat.uid;
    numbers.gid[index] = stat.gid;
    numbers.nlink[index] = stat.nlink;
    numbers.dev[index] = stat.dev;
    numbers.size[index] = stat.size;
    numbers.ino[index] = stat.ino;
    numbers.mtimeNs[index] = stat.mtimeNs;
    numbers.ctimeNs[index] = stat.ctimeNs;
    this.#names.push(name);
    this.#contents.push(content.content);
    if (content.linkTarget !== undefined) this.#linkTargets.set(index, content.linkTarget);
    if (type === "char" || type === "block") {
      this.#rdevMajor.set(index, stat.rdevMajor);
      this.#rdevMinor.set(index, stat.rdevMinor);
    }
    return index;
  }

  /** Says that the directory `index` is complete. */
  leave(index: number): void {
    this.#numbers.end[index] = this.#names.length;
  }

  /** The tree; the builder is used up. */
  finish(scannedAtNs: bigint, tickNs: bigint = CLOCK_TICK_NS): Tree {
    return new Tree(this.#columns(), scannedAtNs, tickNs);
  }

  #columns(): Columns {
    return {
      length: this.#names.length,
      names: this.#names,
      contents: this.#contents,
      linkTargets: this.#linkTargets,
      rdevMajor: this.#rdevMajor,
      rdevMinor: this.#rdevMinor,
      ...this.#numbers,
    };
  }
}

type NumberColumns = Pick<
  Columns,
  "parent" | "end" | "type" | "mode" | "uid" | "gid" | "nlink" | "dev" | "size" | "ino" | "mtimeNs" | "ctimeNs"
>;

function allocate(capacity: number): NumberColumns {
  return {
    parent: new Int32Array(capacity),
    end: new Int32Array(capacity),
    type: new Uint8Array(capacity),
    mode: new Uint16Array(capacity),
    uid: new Uint32Array(capacity),
    gid: new Uint32Array(capacity),
    nlink: new Uint32Array(capacity),
    dev: new Float64Array(capacity),
    size: new Float64Array(capacity),
    ino: new BigUint64Array(capacity),
    mtimeNs: new BigInt64Array(capacity),
    ctimeNs: new BigInt64Array(capacity),
  };
}

function grow(old: NumberColumns): NumberColumns {
  const larger = allocate(old.parent.length * 2);
  larger.parent.set(old.parent);
  larger.end.set(old.end);
  larger.type.set(old.type);
  larger.mode.set(old.mode);
  larger.uid.set(old.uid);
  larger.gid.set(old.gid);
  larger.nlink.set(old.nlink);
  larger.dev.set(old.dev);
  larger.size.set(old.size);
  larger.ino.set(old.ino);
  larger.mtimeNs.set(old.mtimeNs);
  larger.ctimeNs.set(old.ctimeNs);
  return larger;
}
