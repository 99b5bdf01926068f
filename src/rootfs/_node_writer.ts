/**
 * Makes the nodes of a layer, one at a time, with owner, then mode, then attributes, then times. Nothing is written
 * through what was there before: it is removed first, so running programs and other names of it keep the old one.
 */
import {
  changeModeOfFile,
  changeOwnerOfFile,
  closeFile,
  createFile,
  setFileSize,
  skipInFile,
  writeFile,
} from "../sys/file.ts";
import {
  changeMode,
  changeOwner,
  hardLink,
  makeNode,
  setTimes,
  setTimesOfFile,
  setXattr,
  setXattrOfFile,
  symlink,
} from "../sys/inode.ts";
import { pathBuffer } from "../sys/path_buffer.ts";
import type { RawPath } from "../sys/raw_path.ts";
import { AT_CWD, StatBuffer } from "../sys/stat.ts";
import type { TarHeader } from "../tar/header.ts";
import type { ExtractNotices } from "./_extract_notices.ts";
import type { ContentHasher, KnownContents } from "./content_hash.ts";
import type { Rootfs } from "./rootfs.ts";

/** The name to make: in an open directory, and as an inner path. */
export interface Place {
  readonly fd: number;
  readonly name: RawPath;
  readonly inner: RawPath;
}

const CAPABILITY = "security.capability";
/** Larger holes are not hashed: the file's content is then simply not known. */
const MAX_HASHED_HOLE_BYTES = 1 << 28;
const ZEROS_BYTES = 1 << 16;
const SET_ID_BITS = 0o6000;

/** Where contents go, and what is told. */
export interface NodeServices {
  readonly hasher: ContentHasher;
  readonly known: KnownContents;
  readonly notices: ExtractNotices;
}

/** A regular file that is being written. */
interface OpenFile {
  readonly fd: number;
  readonly header: TarHeader;
  readonly inner: RawPath;
  isHashed: boolean;
  hasHole: boolean;
}

/** Writes into one root. A file is begun, written and finished before the next; `close` drops an unfinished one. */
export class NodeWriter {
  readonly #rootfs: Rootfs;
  readonly #services: NodeServices;
  readonly #stat = new StatBuffer();
  #file: OpenFile | undefined;
  #zeros: Uint8Array | undefined;

  constructor(rootfs: Rootfs, services: NodeServices) {
    this.#rootfs = rootfs;
    this.#services = services;
  }

  /** Makes an empty file, whose body comes next. Throws EEXIST when the name is taken, as all of these do. */
  beginFile(place: Place, header: TarHeader): void {
    const fd = createFile(place.fd, place.name, header.mode & 0o777);
    this.#file = { fd, header, inner: place.inner, isHashed: true, hasHole: false };
    this.#services.hasher.begin(header.xattrs.get(CAPABILITY));
  }

  /** A piece of the body; dropped when no file was begun. */
  writeBody(chunk: Uint8Array): void {
    if (this.#file === undefined) return;
    writeFile(this.#file.fd, chunk, this.#file.inner);
    if (this.#file.isHashed) this.#services.hasher.update(chunk);
  }

  /** A hole in the body. */
  writeHole(sizeBytes: number): void {
    const file = this.#file;
    if (file === undefined) return;
    skipInFile(file.fd, sizeBytes, file.inner);
    file.hasHole = true;
    if (sizeBytes > MAX_HASHED_HOLE_BYTES) file.isHashed = false;
    if (!file.isHashed) return;
    const zeros = this.#zeros ??= new Uint8Array(ZEROS_BYTES);
    for (let rest = sizeBytes; rest > 0; rest -= zeros.length) {
      this.#services.hasher.update(rest < zeros.length ? zeros.subarray(0, rest) : zeros);
    }
  }

  /** Completes the file begun, if any. */
  finishFile(): void {
    const file = this.#file;
    if (file === undefined) return;
    const { fd, header, inner } = file;
    if (file.hasHole) setFileSize(fd, header.size, inner);
    this.#stat.readFile(fd);
    const ino = this.#stat.ino;
    const hasOtherOwner = this.#stat.uid !== header.uid || this.#stat.gid !== header.gid;
    if (hasOtherOwner) changeOwnerOfFile(fd, header.uid, header.gid, inner);
    if (this.#needsMode(header.mode, hasOtherOwner)) changeModeOfFile(fd, header.mode, inner);
    const isComplete = this.#setXattrs(header.xattrs, (name, value) => setXattrOfFile(fd, name, value, inner));
    setTimesOfFile(fd, header.mtimeNs, inner);
    this.close();
    if (file.isHashed && isComplete) this.#services.known.set(ino, this.#services.hasher.end());
    else this.#services.known.delete(ino);
  }

  /** Makes a symlink with its own owner and time. */
  makeSymlink(place: Place, header: TarHeader): void {
    symlink(place.fd, place.name, header.linkPath);
    this.#describe(place, header);
  }

  /** Makes a device node or fifo. */
  makeNode(place: Place, header: TarHeader, type: "char" | "block" | "fifo"): void {
    const { mode, devMajor, devMinor } = header;
    makeNode(place.fd, place.name, { type, mode, rdevMajor: devMajor, rdevMinor: devMinor });
    this.#describe(place, header);
  }

  /** Makes another name of the node at the resolved inner path `target`. */
  makeHardLink(place: Place, target: RawPath): void {
    hardLink(place.fd, place.name, AT_CWD, this.#rootfs.hostPath(target));
  }

  /** Sets attributes of a node that is no open file. */
  setXattrs(inner: RawPath, xattrs: ReadonlyMap<string, Uint8Array>): void {
    const host = this.#rootfs.hostPath(inner);
    this.#setXattrs(xattrs, (name, value) => setXattr(host, name, value));
  }

  close(): void {
    if (this.#file !== undefined) closeFile(this.#file.fd);
    this.#file = undefined;
  }

  #describe({ fd, name, inner }: Place, header: TarHeader): void {
    if (!this.#stat.read(fd, pathBuffer(name))) return;
    const hasOtherOwner = this.#stat.uid !== header.uid || this.#stat.gid !== header.gid;
    if (hasOtherOwner) changeOwner(fd, name, header.uid, header.gid);
    const needsMode = header.type !== "symlink" && this.#needsMode(header.mode, hasOtherOwner);
    if (needsMode) changeMode(fd, name, header.mode);
    if (header.xattrs.size > 0) this.setXattrs(inner, header.xattrs);
    setTimes(fd, name, header.mtimeNs);
  }

  /** A new node's mode is cut by the umask, set by its directory's default ACL, and loses set-id bits to chown. */
  #needsMode(mode: number, hasOtherOwner: boolean): boolean {
    return this.#stat.mode !== mode || (hasOtherOwner && (mode & SET_ID_BITS) !== 0);
  }

  /** Sets all that are accepted, the capability last. Gives whether the capability, if any, was. */
  #setXattrs(
    xattrs: ReadonlyMap<string, Uint8Array>,
    set: (name: string, value: Uint8Array) => void,
  ): boolean {
    if (xattrs.size === 0) return true;
    const names = [...xattrs.keys()].sort((a, b) => Number(a === CAPABILITY) - Number(b === CAPABILITY));
    let isComplete = true;
    for (const name of names) {
      try {
        set(name, xattrs.get(name) ?? new Uint8Array());
      } catch (error: unknown) {
        if (!this.#services.notices.isXattrRefusal(name, error)) throw error;
        if (name === CAPABILITY) isComplete = false;
      }
    }
    return isComplete;
  }
}
