/**
 * Changing names and inodes: one function a system call, all relative to a directory descriptor (or AT_CWD with an absolute
 * path), none follows a symlink at the end of the path. Each throws SystemError with the path.
 */
import { check, errno, libc, SystemError, systemError } from "./libc.ts";
import { pathBuffer } from "./path_buffer.ts";
import { type RawPath, rawPathFromBytes } from "./raw_path.ts";

const AT_SYMLINK_NOFOLLOW = 0x100;
const AT_REMOVEDIR = 0x200;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;
const S_IFIFO = 0o010000;
const ENOENT = 2;
const ENODATA = 61;
const CAPABILITY_NAME = new TextEncoder().encode("security.capability\0");
/** Every use fills it and copies out of it within one synchronous call. */
const CAPABILITY_BUFFER = new Uint8Array(64);
const XATTR_LIST_MAX_BYTES = 65536;

/** Makes a directory; the mode is cut by the process's umask. */
export function makeDirectory(dir: number, path: RawPath, mode: number): void {
  check(libc().mkdirat(dir, pathBuffer(path), mode), "mkdirat", path);
}

/** Removes a name that is not a directory. */
export function unlink(dir: number, path: RawPath): void {
  check(libc().unlinkat(dir, pathBuffer(path), 0), "unlinkat", path);
}

/** Removes an empty directory. */
export function removeDirectory(dir: number, path: RawPath): void {
  check(libc().unlinkat(dir, pathBuffer(path), AT_REMOVEDIR), "unlinkat", path);
}

/** Makes a symlink at `path` that says `target`, byte for byte. */
export function symlink(dir: number, path: RawPath, target: RawPath): void {
  check(libc().symlinkat(pathBuffer(target), dir, pathBuffer(path)), "symlinkat", path);
}

/** Makes `path` in `dir` another name of `target` in `targetDir`; a symlink target is linked itself. */
export function hardLink(dir: number, path: RawPath, targetDir: number, target: RawPath): void {
  check(libc().linkat(targetDir, pathBuffer(target), dir, pathBuffer(path), 0), "linkat", path);
}

/** Moves a name, replacing what is there. */
export function rename(fromDir: number, from: RawPath, toDir: number, to: RawPath): void {
  check(libc().renameat(fromDir, pathBuffer(from), toDir, pathBuffer(to)), "renameat", from);
}

/** A special node to make. `mode` is the 12 permission bits. */
export interface NodeSpec {
  readonly type: "char" | "block" | "fifo";
  readonly mode: number;
  readonly rdevMajor: number;
  readonly rdevMinor: number;
}

/** Makes a device node or fifo; the mode is cut by the process's umask. */
export function makeNode(dir: number, path: RawPath, node: NodeSpec): void {
  const typeBits = node.type === "char" ? S_IFCHR : node.type === "block" ? S_IFBLK : S_IFIFO;
  const device = node.type === "fifo" ? 0n : encodeDevice(node.rdevMajor, node.rdevMinor);
  check(libc().mknodat(dir, pathBuffer(path), typeBits | node.mode, device), "mknodat", path);
}

/** What the symlink at `path` says. */
export function readLink(dir: number, path: RawPath): RawPath {
  const buffer = new Uint8Array(4096);
  const length = check(
    Number(libc().readlinkat(dir, pathBuffer(path), buffer, BigInt(buffer.length))),
    "readlinkat",
    path,
  );
  return rawPathFromBytes(buffer.subarray(0, length));
}

/** Sets owner and group of the node itself. Clears setuid and setgid, so the mode is set after it. */
export function changeOwner(dir: number, path: RawPath, uid: number, gid: number): void {
  check(libc().fchownat(dir, pathBuffer(path), uid, gid, AT_SYMLINK_NOFOLLOW), "fchownat", path);
}

/** Sets the 12 permission bits. `path` must not be a symlink: it would be followed. */
export function changeMode(dir: number, path: RawPath, mode: number): void {
  check(libc().fchmodat(dir, pathBuffer(path), mode, 0), "fchmodat", path);
}

/** Sets access and modification time of the node itself to `mtimeNs` (nanoseconds since 1970, may be negative). */
export function setTimes(dir: number, path: RawPath, mtimeNs: bigint): void {
  check(libc().utimensat(dir, pathBuffer(path), timesBuffer(mtimeNs), AT_SYMLINK_NOFOLLOW), "utimensat", path);
}

/** Sets both times of an open file. */
export function setTimesOfFile(fd: number, mtimeNs: bigint, path?: RawPath): void {
  check(libc().futimens(fd, timesBuffer(mtimeNs)), "futimens", path);
}

/** All extended attributes of the node at the absolute `path`, by name; none where the file system has none. */
export function readXattrs(path: RawPath): ReadonlyMap<string, Uint8Array> {
  const names = listXattrs(path);
  if (names.length === 0) return NO_XATTRS;
  const values = new Map<string, Uint8Array>();
  for (const name of names) {
    const value = readXattr(path, name);
    if (value !== undefined) values.set(name, value);
  }
  return values;
}

/** Sets an extended attribute of the node at the absolute `path`. */
export function setXattr(path: RawPath, name: string, value: Uint8Array): void {
  const bytes = value as Uint8Array<ArrayBuffer>;
  const result = libc().lsetxattr(pathBuffer(path), pathBuffer(name as RawPath), bytes, BigInt(bytes.length), 0);
  if (result < 0) throw xattrError("lsetxattr", path, name);
}

/** Sets an extended attribute of an open file. */
export function setXattrOfFile(fd: number, name: string, value: Uint8Array, path?: RawPath): void {
  const bytes = value as Uint8Array<ArrayBuffer>;
  const result = libc().fsetxattr(fd, pathBuffer(name as RawPath), bytes, BigInt(bytes.length), 0);
  if (result < 0) throw xattrError("fsetxattr", path, name);
}

function xattrError(syscall: string, path: RawPath | undefined, name: string): SystemError {
  const cause = systemError(syscall, path);
  const message = cause.message.replace("an extended attribute", `extended attribute "${name}"`);
  return new SystemError(syscall, cause.errnoName, path, message);
}

/** The names of the extended attributes of the node at the absolute `path`. */
export function listXattrs(path: RawPath): readonly string[] {
  const pathBytes = pathBuffer(path);
  const length = Number(libc().llistxattr(pathBytes, null, 0n));
  if (length <= 0) return [];
  const buffer = new Uint8Array(XATTR_LIST_MAX_BYTES);
  const used = Number(libc().llistxattr(pathBytes, buffer, BigInt(buffer.length)));
  if (used <= 0) return [];
  return rawPathFromBytes(buffer.subarray(0, used)).split("\0").filter((name) => name !== "");
}

/** The value of one extended attribute, or undefined when it (or the node) is not there or not readable. */
export function readXattr(path: RawPath, name: string): Uint8Array | undefined {
  const pathBytes = pathBuffer(path);
  const nameBytes = pathBuffer(name as RawPath);
  const buffer = new Uint8Array(XATTR_LIST_MAX_BYTES);
  const length = Number(libc().lgetxattr(pathBytes, nameBytes, buffer, BigInt(buffer.length)));
  if (length >= 0) return buffer.slice(0, length);
  const number = errno();
  if (number === ENODATA || number === ENOENT) return undefined;
  const cause = systemError("lgetxattr", path, number);
  if (cause.errnoName === "EOPNOTSUPP" || cause.errnoName === "EPERM" || cause.errnoName === "EACCES") return undefined;
  throw cause;
}

/** The capability of an open file, as its extended attribute holds it; undefined when it has none. */
export function readCapability(fd: number): Uint8Array | undefined {
  const buffer = CAPABILITY_BUFFER;
  const length = Number(libc().fgetxattr(fd, CAPABILITY_NAME, buffer, BigInt(buffer.length)));
  if (length >= 0) return buffer.slice(0, length);
  const number = errno();
  if (number === ENODATA) return undefined;
  const cause = systemError("fgetxattr", undefined, number);
  if (["EOPNOTSUPP", "EPERM", "EACCES"].includes(cause.errnoName)) return undefined;
  throw cause;
}

/** Runs `action` with the process's umask at 0, so that modes are taken as given. `action` must be synchronous. */
export function withoutUmask<T>(action: () => T): T {
  const previous = libc().umask(0);
  try {
    return action();
  } finally {
    libc().umask(previous);
  }
}

const NO_XATTRS: ReadonlyMap<string, Uint8Array> = new Map();

/** Every use fills it and hands it to one synchronous call. */
const TIMES = new BigInt64Array(4);
const TIMES_BYTES = new Uint8Array(TIMES.buffer);

function timesBuffer(mtimeNs: bigint): Uint8Array<ArrayBuffer> {
  let seconds = mtimeNs / 1_000_000_000n;
  let nanoseconds = mtimeNs - seconds * 1_000_000_000n;
  if (nanoseconds < 0n) {
    nanoseconds += 1_000_000_000n;
    seconds -= 1n;
  }
  TIMES[0] = TIMES[2] = seconds;
  TIMES[1] = TIMES[3] = nanoseconds;
  return TIMES_BYTES;
}

/** The kernel's encoding of a device number (sysmacros.h, makedev). */
function encodeDevice(major: number, minor: number): bigint {
  const high = BigInt(major);
  const low = BigInt(minor);
  return (low & 0xffn) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | ((high & ~0xfffn) << 32n);
}
