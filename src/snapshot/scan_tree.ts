/**
 * Records the state of a root in one walk. What the previous scan knew of a file is taken over as long as its fingerprint
 * proves that it holds; only files in doubt are read. Synchronous: nothing may change the root meanwhile.
 */
import type { ContentHash, ContentHasher, KnownContents } from "../rootfs/content_hash.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import { CLOCK_TICK_NS, type NodeContent, ROOT_INDEX, type Tree, TreeBuilder } from "../rootfs/tree.ts";
import { readLink } from "../sys/inode.ts";
import { joinPath, type RawPath } from "../sys/raw_path.ts";
import type { StatBuffer } from "../sys/stat.ts";
import { walk, type WalkVisitor } from "../sys/walk.ts";
import { contentAt } from "./content_of.ts";

/** What a scan starts from. */
export interface ScanOptions {
  /** The last scan of this root. */
  readonly previous?: Tree;
  /** What the builder itself wrote or read since the last RUN; empty after the scan. */
  readonly known: KnownContents;
  readonly hasher: ContentHasher;
  /** The time before the scan, nanoseconds since 1970, on the clock that file times come from. */
  readonly nowNs: bigint;
  /** How coarse that clock is: 20 ms, or 2 s where no file's ctime has a fraction, unless given. */
  readonly tickNs?: bigint;
}

const NONE = -1;
const COARSE_TICK_NS = 2_000_000_000n;
const NS_PER_SECOND = 1_000_000_000n;

/**
 * The tree of `rootfs`, protected places and sockets left out. A file's content is known where `known` or the previous
 * tree has it, or where the file looks the same as before but may not be, and was read; elsewhere it is undefined, which
 * to `diffTrees` means changed. Throws SystemError.
 */
export function scanTree(rootfs: Rootfs, options: ScanOptions): Tree {
  const scanner = new Scanner(rootfs, options);
  walk(rootfs.path, scanner);
  options.known.clear();
  return scanner.tree();
}

/** A directory that is being walked, and where the previous tree's walk of it stands. */
interface Level {
  readonly index: number;
  readonly inner: RawPath;
  readonly holdsProtected: boolean;
  /** The next child of the same directory in the previous tree, and one past its last. */
  cursor: number;
  readonly end: number;
}

class Scanner implements WalkVisitor {
  readonly #rootfs: Rootfs;
  readonly #options: ScanOptions;
  readonly #previous: Tree | undefined;
  readonly #builder = new TreeBuilder();
  readonly #levels: Level[] = [];
  #level: Level;
  #hasFractions = false;

  constructor(rootfs: Rootfs, options: ScanOptions) {
    this.#rootfs = rootfs;
    this.#options = options;
    this.#previous = options.previous;
    const inner = "/" as RawPath;
    const end = this.#previous?.length ?? 0;
    this.#level = { index: ROOT_INDEX, inner, holdsProtected: rootfs.holdsProtected(inner), cursor: 0, end };
  }

  enter(name: RawPath, stat: StatBuffer, directory: number): boolean {
    const level = this.#level;
    const match = this.#match(level, name);
    const type = stat.type;
    if (type === "socket") return false;
    if (level.holdsProtected && this.#rootfs.isProtected(joinPath(level.inner, name))) return false;
    if (!this.#hasFractions) this.#hasFractions = stat.ctimeNs % NS_PER_SECOND !== 0n;
    const index = this.#builder.add(level.index, name, stat, this.#content(name, stat, { directory, match }));
    if (type !== "directory") return false;
    this.#descend(index, name, match);
    return true;
  }

  leave(): void {
    this.#builder.leave(this.#level.index);
    const outer = this.#levels.pop();
    if (outer !== undefined) this.#level = outer;
  }

  tree(): Tree {
    const tickNs = this.#options.tickNs ?? (this.#hasFractions ? CLOCK_TICK_NS : COARSE_TICK_NS);
    return this.#builder.finish(this.#options.nowNs, tickNs);
  }

  #descend(index: number, name: RawPath, match: number): void {
    const { inner: outer, holdsProtected } = this.#level;
    const inner = joinPath(outer, name);
    const isSame = match !== NONE && this.#previous?.type(match) === "directory";
    this.#levels.push(this.#level);
    this.#level = {
      index,
      inner,
      holdsProtected: holdsProtected && this.#rootfs.holdsProtected(inner),
      cursor: isSame ? match + 1 : 0,
      end: isSame ? this.#previous?.end(match) ?? 0 : 0,
    };
  }

  /** The node of the same path in the previous tree, or NONE. Both walks go in the same order, so each moves once. */
  #match(level: Level, name: RawPath): number {
    const previous = this.#previous;
    if (previous === undefined) return NONE;
    while (level.cursor < level.end) {
      const index = level.cursor;
      const other = previous.name(index);
      if (other > name) return NONE;
      level.cursor = previous.end(index);
      if (other === name) return index;
    }
    return NONE;
  }

  #content(name: RawPath, stat: StatBuffer, at: { directory: number; match: number }): NodeContent {
    switch (stat.type) {
      case "file":
        return { content: this.#fileContent(name, stat, at) };
      case "symlink":
        return { linkTarget: this.#takenOver(stat, at.match)?.linkTarget ?? readLink(at.directory, name) };
      default:
        return NOTHING;
    }
  }

  #fileContent(
    name: RawPath,
    stat: StatBuffer,
    { directory, match }: { directory: number; match: number },
  ): ContentHash | undefined {
    const known = this.#options.known.get(stat.ino);
    if (known !== undefined) return known;
    const taken = this.#takenOver(stat, match);
    if (taken !== undefined) return taken.content;
    const previous = this.#previous;
    if (previous === undefined || match === NONE || previous.content(match) === undefined) return undefined;
    if (previous.size(match) !== stat.size || !hasSameMetadata(previous, match, stat)) return undefined;
    const content = contentAt(directory, name, this.#options.hasher);
    if (stat.nlink > 1) this.#options.known.set(stat.ino, content);
    return content;
  }

  /** What the previous tree says of a node that cannot have changed since. */
  #takenOver(stat: StatBuffer, match: number): NodeContent | undefined {
    const previous = this.#previous;
    if (previous === undefined || match === NONE || !previous.isSettled(match)) return undefined;
    if (!hasSameFingerprint(previous, match, stat)) return undefined;
    return { content: previous.content(match), linkTarget: previous.linkTarget(match) };
  }
}

const NOTHING: NodeContent = {};

function hasSameFingerprint(tree: Tree, index: number, stat: StatBuffer): boolean {
  return tree.ctimeNs(index) === stat.ctimeNs && tree.ino(index) === stat.ino && tree.dev(index) === stat.dev &&
    tree.size(index) === stat.size && tree.nlink(index) === stat.nlink && hasSameMetadata(tree, index, stat);
}

function hasSameMetadata(tree: Tree, index: number, stat: StatBuffer): boolean {
  const { type, mode, uid, gid, mtimeNs } = tree.metadata(index);
  return type === stat.type && mode === stat.mode && uid === stat.uid && gid === stat.gid && mtimeNs === stat.mtimeNs;
}
