/**
 * What a command sees at places of its root besides the root's own files. A runner mounts it where the kernel permits, and
 * otherwise puts it in place for the time of the command; in neither case is a byte of it left in the root.
 */
import type { RawPath } from "../sys/raw_path.ts";

interface CommandMountBase {
  /** Absolute and clean, inside the root; not "/". Symlinks on the way are followed inside the root. */
  readonly target: RawPath;
}

/** Files of another tree: a folder with all it holds, or one file. What the command writes there is lost. */
export interface TreeMount extends CommandMountBase {
  readonly kind: "tree";
  readonly isFolder: boolean;
  /** Not enforced where nothing can be mounted: there the command writes to a copy. */
  readonly isReadOnly: boolean;
  /** A folder or file on the machine that may be shown as it is, read-only; absent where only a copy is right. */
  readonly shareable?: RawPath | undefined;
  /** Writes the files to `place`, which is not there yet; its parent is. */
  copyTo(place: RawPath): Promise<void>;
}

/** A folder that outlives the build. */
export interface CacheFolderMount extends CommandMountBase {
  readonly kind: "cache";
  readonly isReadOnly: boolean;
  /** Where it is on the machine. */
  readonly folder: RawPath;
  /** Puts the folder, or a copy, at `place`, which is not there yet, for a command that cannot have it mounted. */
  lend(place: RawPath): Promise<void>;
  /** Ends the loan: what is at `place` is kept or dropped as the mount asks, and nothing is there afterwards. */
  takeBack(place: RawPath): Promise<void>;
}

/** An empty folder in memory; an empty folder without a limit where nothing can be mounted. */
export interface TmpfsMount extends CommandMountBase {
  readonly kind: "tmpfs";
  /** undefined: the kernel's default. */
  readonly sizeBytes?: number | undefined;
}

/** A file that only the builder's memory holds: a secret, or a script. Mounted from memory, read-only, where that can be. */
export interface ContentMount extends CommandMountBase {
  readonly kind: "content";
  readonly content: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A socket that the builder answers. */
export interface SocketMount extends CommandMountBase {
  readonly kind: "socket";
  /** Listens at `place`, which is not there yet; disposing stops it and removes the socket. */
  listen(place: RawPath): AsyncDisposable;
}

export type CommandMount = TreeMount | CacheFolderMount | TmpfsMount | ContentMount | SocketMount;

/** Outer mounts before those inside them; of several with one target the last. */
export function orderMounts(mounts: readonly CommandMount[]): readonly CommandMount[] {
  const byTarget = new Map(mounts.map((mount) => [mount.target, mount]));
  return [...byTarget.values()].sort((a, b) => a.target < b.target ? -1 : 1);
}

/** Whether the mount shows a folder. */
export function isFolderMount(mount: CommandMount): boolean {
  switch (mount.kind) {
    case "tree":
      return mount.isFolder;
    case "cache":
    case "tmpfs":
      return true;
    case "content":
    case "socket":
      return false;
  }
}
