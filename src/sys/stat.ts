/** Inodes as the kernel tells them, with nanosecond times: Deno's own stat cuts ctime to whole seconds. Source: statx(2). */
import { errno, libc, systemError } from "./libc.ts";
import { pathBuffer } from "./path_buffer.ts";
import type { RawPath } from "./raw_path.ts";

/** What kind of node a name leads to. */
export type FileType = "file" | "directory" | "symlink" | "char" | "block" | "fifo" | "socket";

/** Everything that identifies an inode's state. */
export interface Inode {
  readonly type: FileType;
  /** Permission, setuid, setgid and sticky bits: the low 12 bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
  /** Device the inode lives on: major << 20 | minor. */
  readonly dev: number;
  readonly ino: bigint;
  readonly nlink: number;
  /** For char and block nodes, else 0. */
  readonly rdevMajor: number;
  readonly rdevMinor: number;
}

/** Directory argument of the `…at` calls that means "relative to the working directory"; use it with absolute paths. */
export const AT_CWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_EMPTY_PATH = 0x1000;
const STATX_BASIC_STATS = 0x7ff;
const ENOENT = 2;
const ENOTDIR = 20;
const EMPTY_PATH = new Uint8Array(1);

const TYPES: Readonly<Record<number, FileType>> = {
  0o14: "socket",
  0o12: "symlink",
  0o10: "file",
  0o06: "block",
  0o04: "directory",
  0o02: "char",
  0o01: "fifo",
};

/** A reusable result of statx: one buffer, read in place, for walks that must not allocate per file. */
export class StatBuffer {
  readonly #bytes = new Uint8Array(256);
  readonly #u32 = new Uint32Array(this.#bytes.buffer);
  readonly #u16 = new Uint16Array(this.#bytes.buffer);
  readonly #i64 = new BigInt64Array(this.#bytes.buffer);

  /** Fills the buffer for `path` in directory `dir`, not following a symlink at its end. False when it is not there. */
  read(dir: number, path: Uint8Array, flags = AT_SYMLINK_NOFOLLOW): boolean {
    const name = path as Uint8Array<ArrayBuffer>;
    return this.#isThere(libc().statx(dir, name, flags, STATX_BASIC_STATS, this.#bytes));
  }

  /** Like `read`, for the NUL-terminated name at an address, whose memory the caller keeps alive. */
  readPointer(dir: number, namePointer: bigint): boolean {
    return this.#isThere(libc().statx_pointer(dir, namePointer, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, this.#bytes));
  }

  /** Fills the buffer for an open file. */
  readFile(fd: number): void {
    if (!this.read(fd, EMPTY_PATH, AT_EMPTY_PATH)) throw systemError("statx", undefined, ENOENT);
  }

  #isThere(result: number): boolean {
    if (result === 0) return true;
    const number = errno();
    if (number === ENOENT || number === ENOTDIR) return false;
    throw systemError("statx", undefined, number);
  }

  get type(): FileType {
    return TYPES[this.modeBits >> 12] ?? "socket";
  }
  /** Type and permission bits, as st_mode has them. */
  get modeBits(): number {
    return this.#u16[14] ?? 0;
  }
  get mode(): number {
    return this.modeBits & 0o7777;
  }
  get nlink(): number {
    return this.#u32[4] ?? 0;
  }
  get uid(): number {
    return this.#u32[5] ?? 0;
  }
  get gid(): number {
    return this.#u32[6] ?? 0;
  }
  get ino(): bigint {
    return BigInt.asUintN(64, this.#i64[4] ?? 0n);
  }
  get size(): number {
    return (this.#u32[10] ?? 0) + (this.#u32[11] ?? 0) * 0x1_0000_0000;
  }
  get ctimeNs(): bigint {
    return (this.#i64[12] ?? 0n) * 1_000_000_000n + BigInt(this.#u32[26] ?? 0);
  }
  get mtimeNs(): bigint {
    return (this.#i64[14] ?? 0n) * 1_000_000_000n + BigInt(this.#u32[30] ?? 0);
  }
  get rdevMajor(): number {
    return this.#u32[32] ?? 0;
  }
  get rdevMinor(): number {
    return this.#u32[33] ?? 0;
  }
  get dev(): number {
    return (this.#u32[34] ?? 0) * 0x10_0000 + (this.#u32[35] ?? 0);
  }

  /** A copy that outlives the next read. */
  inode(): Inode {
    const { type, mode, uid, gid, size, mtimeNs, ctimeNs, dev, ino, nlink, rdevMajor, rdevMinor } = this;
    return { type, mode, uid, gid, size, mtimeNs, ctimeNs, dev, ino, nlink, rdevMajor, rdevMinor };
  }
}

/** The inode at `path` in directory `dir`, without following a symlink; undefined when there is none. */
export function lstatAt(dir: number, path: RawPath): Inode | undefined {
  return statPath(dir, path, AT_SYMLINK_NOFOLLOW);
}

/** The inode at the absolute `path`, without following a symlink at its end; undefined when there is none. */
export function lstat(path: RawPath): Inode | undefined {
  return statPath(AT_CWD, path, AT_SYMLINK_NOFOLLOW);
}

/** The inode behind an open file descriptor. */
export function fstat(fd: number): Inode {
  const stat = SHARED_STAT;
  stat.readFile(fd);
  return stat.inode();
}

function statPath(dir: number, path: RawPath, flags: number): Inode | undefined {
  const stat = SHARED_STAT;
  return stat.read(dir, pathBuffer(path), flags) ? stat.inode() : undefined;
}

/** Every use fills it and copies out of it within one synchronous call. */
const SHARED_STAT = new StatBuffer();
