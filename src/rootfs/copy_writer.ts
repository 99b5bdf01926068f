/**
 * Makes single nodes in a rootfs: a new inode each, never written through an old name, with exactly the owner, mode, times
 * and attributes asked for, whatever the umask. Remembers what it wrote, in order, and the hashes of the contents.
 */
import type { Logger } from "../log/logger.ts";
import { changeModeOfFile, changeOwnerOfFile, closeFile, createFile, readFile, writeFile } from "../sys/file.ts";
import {
  changeMode,
  changeOwner,
  hardLink,
  listXattrs,
  makeDirectory,
  makeNode,
  readXattr,
  setTimes,
  setTimesOfFile,
  setXattr,
  symlink,
} from "../sys/inode.ts";
import { SystemError } from "../sys/libc.ts";
import { isWithin, pathText, type RawPath } from "../sys/raw_path.ts";
import { AT_CWD, fstat, type Inode } from "../sys/stat.ts";
import type { ContentHash, ContentHasher, KnownContents } from "./content_hash.ts";
import { ImplicitDirectories } from "./implicit_directories.ts";
import type { Rootfs } from "./rootfs.ts";

/** What a node shall be like. */
export interface NodeMetadata {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
  readonly mtimeNs: bigint;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
}

/** A name to make: in the open directory `directory`, which is the inner path's parent. */
export interface NodePlace {
  readonly directory: number;
  readonly name: RawPath;
  readonly inner: RawPath;
}

/** What the writer needs of its surroundings. */
export interface CopyWriterServices {
  readonly hasher: ContentHasher;
  readonly known: KnownContents;
  readonly log: Logger;
  /** Time of what a step makes without naming its time, nanoseconds since 1970. */
  readonly implicitTimeNs: bigint;
}

const CAPABILITY = "security.capability";
const BUFFER_BYTES = 1 << 20;
const PATH_MAX_BYTES = 4096;
/** Attributes that belong to the machine a file lies on, not to the file. */
const MACHINE_XATTRS = /^(?:security\.(?!capability$)|system\.|trusted\.overlay\.)/;

/** No extended attributes. */
export const NO_NODE_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();

/** The place of the absolute inner path, whose parents are resolved, without a directory descriptor. */
export function placeOf(rootfs: Rootfs, inner: RawPath): NodePlace {
  return { directory: AT_CWD, name: rootfs.hostPath(inner), inner };
}

/** The attributes of the node at the absolute host `path` that a copy takes along. */
export function copiedXattrs(path: RawPath): ReadonlyMap<string, Uint8Array> {
  if (path.length >= PATH_MAX_BYTES) return NO_NODE_XATTRS;
  const names = listXattrs(path);
  if (names.length === 0) return NO_NODE_XATTRS;
  const values = new Map<string, Uint8Array>();
  for (const name of names) {
    const value = MACHINE_XATTRS.test(name) ? undefined : readXattr(path, name);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

/** Writes nodes into one rootfs. Owns a buffer, nothing that must be closed. */
export class CopyWriter {
  readonly rootfs: Rootfs;
  readonly #services: CopyWriterServices;
  readonly #directories: ImplicitDirectories;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  readonly #written = new Set<RawPath>();
  readonly #warned = new Set<RawPath>();
  /** Key of a source with several names -> where its copy is; and back. */
  readonly #copies = new Map<string, RawPath>();
  readonly #copyKeys = new Map<RawPath, string>();

  constructor(rootfs: Rootfs, services: CopyWriterServices) {
    this.rootfs = rootfs;
    this.#services = services;
    this.#directories = new ImplicitDirectories(rootfs, services.implicitTimeNs);
  }

  /** Inner paths noted so far, each once, in the order they were first noted. */
  get written(): readonly RawPath[] {
    return [...this.#written];
  }

  /** Says that the inner path was made or changed: it is no longer the copy that it may have been. */
  note(inner: RawPath): void {
    this.#written.add(inner);
    const key = this.#copyKeys.get(inner);
    if (key === undefined) return;
    this.#copyKeys.delete(inner);
    this.#copies.delete(key);
  }

  /** Says that the inner path is the copy of the source that `key` names. */
  rememberCopy(key: string, inner: RawPath): void {
    this.#copies.set(key, inner);
    this.#copyKeys.set(inner, key);
  }

  /** The inner path of the copy of the source that `key` names, if it is still what was written. */
  copyOf(key: string): RawPath | undefined {
    return this.#copies.get(key);
  }

  /** Ends the sharing of copies: what is copied from now on gets inodes of its own. */
  forgetCopies(): void {
    this.#copies.clear();
    this.#copyKeys.clear();
  }

  /** Whether this writer has noted the inner path. */
  hasWritten(inner: RawPath): boolean {
    return this.#written.has(inner);
  }

  /** Says, once for each such place, that something was left out because it is no part of the image. */
  warnProtected(inner: RawPath): void {
    const place = this.rootfs.protectedPaths.find((candidate) => isWithin(inner, candidate)) ?? inner;
    if (this.#warned.has(place)) return;
    this.#warned.add(place);
    this.#services.log.warn(`Not copied to "${pathText(place)}": a mount or kiln's own folder is there`);
  }

  /** Makes a regular file with the rest of the open file `source` as its content. */
  copyFile(place: NodePlace, source: number, metadata: NodeMetadata): void {
    const write = this.beginFile(place, metadata);
    try {
      for (let count = readFile(source, this.#buffer); count > 0; count = readFile(source, this.#buffer)) {
        write.body(count === BUFFER_BYTES ? this.#buffer : this.#buffer.subarray(0, count));
      }
      write.end();
    } finally {
      write.close();
    }
  }

  /** Makes a regular file that holds `content`. */
  writeFile(place: NodePlace, content: Uint8Array, metadata: NodeMetadata): void {
    const write = this.beginFile(place, metadata);
    try {
      if (content.length > 0) write.body(content);
      write.end();
    } finally {
      write.close();
    }
  }

  /** Makes a regular file whose content comes in pieces. Only one may be open at a time; the caller closes it. */
  beginFile(place: NodePlace, metadata: NodeMetadata): FileWrite {
    const fd = createFile(place.directory, place.name, metadata.mode & 0o777);
    const { hasher } = this.#services;
    this.note(place.inner);
    hasher.begin(metadata.xattrs.get(CAPABILITY));
    let isOpen = true;
    return {
      body: (chunk) => {
        writeFile(fd, chunk, place.inner);
        hasher.update(chunk);
      },
      end: () => this.#finishFile(fd, place.inner, metadata, hasher.end()),
      close: () => {
        if (isOpen) closeFile(fd);
        isOpen = false;
      },
    };
  }

  /** Makes a symlink that says `target`. */
  writeSymlink(place: NodePlace, target: RawPath, metadata: NodeMetadata): void {
    symlink(place.directory, place.name, target);
    this.note(place.inner);
    this.#finish(place, metadata, "symlink");
  }

  /** Makes another name of the file at the absolute host path `target`. */
  writeHardLink(place: NodePlace, target: RawPath): void {
    hardLink(place.directory, place.name, AT_CWD, target);
    this.note(place.inner);
  }

  /** Makes a device or fifo; a socket becomes an empty file. */
  writeSpecial(
    place: NodePlace,
    node: Pick<Inode, "type" | "rdevMajor" | "rdevMinor">,
    metadata: NodeMetadata,
  ): void {
    const { type, rdevMajor, rdevMinor } = node;
    if (type !== "char" && type !== "block" && type !== "fifo") {
      return this.writeFile(place, new Uint8Array(), metadata);
    }
    makeNode(place.directory, place.name, { type, mode: metadata.mode, rdevMajor, rdevMinor });
    this.note(place.inner);
    this.#finish(place, metadata, type);
  }

  /** Makes an empty directory; its metadata is for {@link finishDirectory}, once it is full. */
  startDirectory(place: NodePlace): void {
    makeDirectory(place.directory, place.name, 0o700);
    this.note(place.inner);
  }

  /** Gives a directory its metadata. */
  finishDirectory(place: NodePlace, metadata: NodeMetadata): void {
    this.#directories.setTime(place.inner, metadata.mtimeNs);
    this.#finish(place, metadata, "directory");
  }

  /** Makes the directory at the resolved inner path and its missing parents. */
  makeDirectories(inner: RawPath, metadata: { uid: number; gid: number; mode: number }): void {
    for (const made of this.#directories.make(inner, metadata)) this.note(made);
  }

  /** Gives a directory the time that the step says it has. */
  setDirectoryTime(inner: RawPath, mtimeNs: bigint): void {
    setTimes(AT_CWD, this.rootfs.hostPath(inner), mtimeNs);
    this.#directories.setTime(inner, mtimeNs);
  }

  /** Gives the directories that the step does not name their times; to be called once, when all is written. */
  finishDirectories(): void {
    this.#directories.finish();
  }

  /** Like `#finish`, by descriptor and only what differs: of all nodes, files are the many. */
  #finishFile(fd: number, inner: RawPath, metadata: NodeMetadata, content: ContentHash): void {
    const { ino, uid, gid, mode } = fstat(fd);
    if (uid !== metadata.uid || gid !== metadata.gid) changeOwnerOfFile(fd, metadata.uid, metadata.gid, inner);
    if (mode !== metadata.mode) changeModeOfFile(fd, metadata.mode, inner);
    const isComplete = metadata.xattrs.size === 0 || this.#setXattrs(inner, metadata.xattrs);
    setTimesOfFile(fd, metadata.mtimeNs, inner);
    if (isComplete) this.#services.known.set(ino, content);
    else this.#services.known.delete(ino);
  }

  /** Owner first: changing it clears set-id bits and capabilities. */
  #finish(place: NodePlace, metadata: NodeMetadata, type: Inode["type"]): void {
    changeOwner(place.directory, place.name, metadata.uid, metadata.gid);
    if (type !== "symlink") changeMode(place.directory, place.name, metadata.mode);
    if (metadata.xattrs.size > 0) this.#setXattrs(place.inner, metadata.xattrs);
    setTimes(place.directory, place.name, metadata.mtimeNs);
  }

  /** Gives whether the capability is as asked. */
  #setXattrs(inner: RawPath, xattrs: ReadonlyMap<string, Uint8Array>): boolean {
    let isComplete = true;
    for (const [name, value] of xattrs) {
      try {
        setXattr(this.rootfs.hostPath(inner), name, value);
      } catch (error: unknown) {
        if (!(error instanceof SystemError)) throw error;
        isComplete = isComplete && name !== CAPABILITY;
        // Attributes are best effort, but a program that lost its capability will not work.
        if (name === CAPABILITY) this.#services.log.warn(error.message);
        else this.#services.log.debug(error.message);
      }
    }
    return isComplete;
  }
}

/** A file being written: `body` any number of times, `end` once all went well, `close` always. */
export interface FileWrite {
  body(chunk: Uint8Array): void;
  end(): void;
  close(): void;
}
