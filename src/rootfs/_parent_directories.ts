/**
 * The directories that a layer's members lie in, open and resolved inside the root at the time of writing. Remembered by
 * their name in the archive until a directory or symlink is replaced, so that most members cost no lookup.
 */
import { FormatError } from "../errors.ts";
import { closeFile, openDirectoryPath } from "../sys/file.ts";
import { joinPath, parentPath, pathComponents, pathText, type RawPath } from "../sys/raw_path.ts";
import { AT_CWD } from "../sys/stat.ts";
import { type DirectoryLedger, IMPLIED_OWNER } from "./_directory_ledger.ts";
import { componentFault, isReserved } from "./_entry_path.ts";
import type { Rootfs } from "./rootfs.ts";

/** Where a member lies. `fd` is open until another directory is asked for; -1 when nothing may be written there. */
export interface ParentDirectory {
  readonly inner: RawPath;
  readonly fd: number;
  /** Why nothing is written: a protected place, or a folder of reserved names. */
  readonly refusal: "protected" | "reserved" | undefined;
  /** Whether one of its children may be, or lead to, a protected place. */
  readonly holdsProtected: boolean;
}

/** What making the missing directories needs to know. */
export interface ParentWish {
  /** Whether missing directories are made; when not, a missing one gives undefined. */
  readonly isMade: boolean;
  /** Time that made ones get. */
  readonly mtimeNs: bigint;
}

/** Where the makings are noted. */
interface ParentServices {
  readonly ledger: DirectoryLedger;
  /** Told about each directory made. */
  readonly onMade: (inner: RawPath) => void;
}

const MAX_OPEN = 128;

/** Opens parents; close it at the end. */
export class ParentDirectories {
  readonly #rootfs: Rootfs;
  readonly #services: ParentServices;
  readonly #open = new Map<RawPath, ParentDirectory>();
  #inUse: ParentDirectory | undefined;
  #looseFd = -1;

  constructor(rootfs: Rootfs, services: ParentServices) {
    this.#rootfs = rootfs;
    this.#services = services;
  }

  /** The directory that the archive calls `path`. Throws FormatError for a path that cannot be one. */
  open(path: RawPath, wish: ParentWish): ParentDirectory | undefined {
    this.#closeLoose();
    const parent = this.#open.get(path) ?? this.#find(path, wish);
    this.#inUse = parent;
    return parent;
  }

  /** Forgets what was resolved. The directory opened last stays open until the next is. */
  forget(): void {
    for (const parent of this.#open.values()) {
      if (parent === this.#inUse) this.#looseFd = parent.fd;
      else closeParent(parent);
    }
    this.#open.clear();
  }

  close(): void {
    this.#closeLoose();
    for (const parent of this.#open.values()) closeParent(parent);
    this.#open.clear();
  }

  #find(path: RawPath, wish: ParentWish): ParentDirectory | undefined {
    const parts = pathComponents(path);
    if (isReserved(parts)) return this.#remember(path, refused("/" as RawPath, "reserved"));
    for (const part of parts) {
      const fault = componentFault(part);
      if (fault !== undefined) throw new FormatError(fault);
    }
    const inner = this.#rootfs.resolve(`/${parts.join("/")}` as RawPath, true);
    if (this.#rootfs.isProtected(inner)) return this.#remember(path, refused(inner, "protected"));
    if (!this.#isThere(inner, wish)) return undefined;
    const fd = openDirectoryPath(AT_CWD, this.#rootfs.hostPath(inner));
    const holdsProtected = this.#rootfs.holdsProtected(inner);
    return this.#remember(path, { inner, fd, refusal: undefined, holdsProtected });
  }

  /** Whether the directory is there, made if that is wished; notes the time it has. */
  #isThere(inner: RawPath, { isMade, mtimeNs }: ParentWish): boolean {
    const node = this.#rootfs.lstat(inner);
    if (node?.type === "directory") {
      this.#services.ledger.keep(inner, node.mtimeNs);
      return true;
    }
    if (!isMade) return false;
    if (node !== undefined) throw new FormatError(`"${pathText(inner)}" is not a directory`);
    this.#keepNearest(inner);
    for (const made of this.#rootfs.makeDirectories(inner, IMPLIED_OWNER)) {
      this.#services.ledger.list(made, { mtimeNs, owner: IMPLIED_OWNER });
      this.#services.onMade(made);
    }
    return true;
  }

  #keepNearest(inner: RawPath): void {
    for (let at = parentPath(inner);; at = parentPath(at)) {
      const path = at === "" ? "/" as RawPath : at;
      const node = this.#rootfs.lstat(path);
      if (node !== undefined) this.#services.ledger.keep(path, node.mtimeNs);
      if (node !== undefined || path === "/") return;
    }
  }

  #remember(path: RawPath, parent: ParentDirectory): ParentDirectory {
    if (this.#open.size >= MAX_OPEN) {
      for (const [oldest, old] of this.#open) {
        this.#open.delete(oldest);
        closeParent(old);
        break;
      }
    }
    this.#open.set(path, parent);
    return parent;
  }

  #closeLoose(): void {
    if (this.#looseFd >= 0) closeFile(this.#looseFd);
    this.#looseFd = -1;
  }
}

/** The inner path of the child `name`. */
export function childPath(parent: ParentDirectory, name: RawPath): RawPath {
  return joinPath(parent.inner, name);
}

function refused(inner: RawPath, refusal: "protected" | "reserved"): ParentDirectory {
  return { inner, fd: -1, refusal, holdsProtected: false };
}

function closeParent(parent: ParentDirectory): void {
  if (parent.fd >= 0) closeFile(parent.fd);
}
