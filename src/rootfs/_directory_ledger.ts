/**
 * What directories must look like once a layer is applied: its own entries, and the times that others had before. Set at
 * the end, deepest first, since writing into a directory changes its time and may need more than its mode grants.
 */
import { changeMode, changeOwner, setTimes } from "../sys/inode.ts";
import { comparePaths, isWithin, parentPath, type RawPath } from "../sys/raw_path.ts";
import { AT_CWD } from "../sys/stat.ts";
import { type Ownership, type Rootfs } from "./rootfs.ts";

/** The final state of a directory. Without an owner only its time is put back. */
export interface DirectoryState {
  readonly mtimeNs: bigint;
  readonly owner?: Ownership;
  readonly xattrs?: ReadonlyMap<string, Uint8Array>;
}

/** Owner and mode of a directory that a layer needs but does not list. */
export const IMPLIED_OWNER: Ownership = { uid: 0, gid: 0, mode: 0o755 };

/** Sets extended attributes and tells about refused ones. */
export type SetXattrs = (inner: RawPath, xattrs: ReadonlyMap<string, Uint8Array>) => void;

/** One layer's directories, by inner path. */
export class DirectoryLedger {
  readonly #states = new Map<RawPath, DirectoryState>();

  /** Notes the time that a directory has before anything in it changes; later calls, and listed ones, prevail. */
  keep(inner: RawPath, mtimeNs: bigint): void {
    if (!this.#states.has(inner)) this.#states.set(inner, { mtimeNs });
  }

  /** Whether anything is noted for the directory. */
  has(inner: RawPath): boolean {
    return this.#states.has(inner);
  }

  /** Notes what a directory shall look like. */
  list(inner: RawPath, state: DirectoryState): void {
    this.#states.set(inner, state);
  }

  /** Makes the directories below `inner` that are only kept look as if this layer had made them. */
  implyBelow(inner: RawPath, mtimeNs: bigint): void {
    for (const [path] of [...this.#states]) {
      for (let at = path; at !== inner && isWithin(at, inner); at = parentPath(at)) {
        this.imply(at, mtimeNs);
      }
    }
  }

  /** Makes the directory `inner` itself look so, unless it is listed. */
  imply(inner: RawPath, mtimeNs: bigint): void {
    if (this.#states.get(inner)?.owner === undefined) this.#states.set(inner, { mtimeNs, owner: IMPLIED_OWNER });
  }

  /** Sets everything noted. What is no longer a directory is passed over. */
  apply(rootfs: Rootfs, setXattrs: SetXattrs): void {
    const entries = [...this.#states].sort(([a], [b]) => comparePaths(b, a));
    for (const [inner, state] of entries) applyState(rootfs, inner, state, setXattrs);
  }
}

function applyState(rootfs: Rootfs, inner: RawPath, state: DirectoryState, setXattrs: SetXattrs): void {
  const host = rootfs.hostPath(inner);
  const node = rootfs.lstat(inner);
  if (node?.type !== "directory") return;
  const { owner, xattrs, mtimeNs } = state;
  if (owner !== undefined) {
    const hasOtherOwner = node.uid !== owner.uid || node.gid !== owner.gid;
    if (hasOtherOwner) changeOwner(AT_CWD, host, owner.uid, owner.gid);
    if (hasOtherOwner || node.mode !== owner.mode) changeMode(AT_CWD, host, owner.mode);
  }
  if (xattrs !== undefined && xattrs.size > 0) setXattrs(inner, xattrs);
  if (node.mtimeNs !== mtimeNs) setTimes(AT_CWD, host, mtimeNs);
}
