/** Open files by descriptor: reading and writing bytes without following links. Callers close what they open. */
import { check, libc, SystemError, systemError } from "./libc.ts";
import { pathBuffer } from "./path_buffer.ts";
import type { RawPath } from "./raw_path.ts";

/** Flags of open(2). Those that differ between processors are chosen by {@link openFlags}. */
const O_WRONLY = 0o1;
const O_CREAT = 0o100;
const O_EXCL = 0o200;
const O_NONBLOCK = 0o4000;
const O_CLOEXEC = 0o2000000;
const O_PATH = 0o10000000;

interface ProcessorFlags {
  readonly directory: number;
  readonly noFollow: number;
}

function openFlags(): ProcessorFlags {
  return Deno.build.arch === "aarch64"
    ? { directory: 0o40000, noFollow: 0o100000 }
    : { directory: 0o200000, noFollow: 0o400000 };
}

/** Opens a directory for reading its entries or as the base of `…at` calls. A symlink is refused. */
export function openDirectory(dir: number, path: RawPath): number {
  const { directory, noFollow } = openFlags();
  return check(libc().openat(dir, pathBuffer(path), directory | noFollow | O_CLOEXEC, 0), "openat", path);
}

/** Opens a directory only as the base of `…at` calls; needs no read permission. A symlink is refused. */
export function openDirectoryPath(dir: number, path: RawPath): number {
  const { directory, noFollow } = openFlags();
  return check(libc().openat(dir, pathBuffer(path), O_PATH | directory | noFollow | O_CLOEXEC, 0), "openat", path);
}

/** Opens a file for reading. A symlink is refused; a fifo or device does not block (check its type with `fstat`). */
export function openFileForReading(dir: number, path: RawPath): number {
  const flags = openFlags().noFollow | O_NONBLOCK | O_CLOEXEC;
  return check(libc().openat(dir, pathBuffer(path), flags, 0), "openat", path);
}

/** Makes a new file for writing: what is there already, also a dangling symlink, is EEXIST. */
export function createFile(dir: number, path: RawPath, mode: number): number {
  const flags = O_WRONLY | O_CREAT | O_EXCL | openFlags().noFollow | O_CLOEXEC;
  return check(libc().openat(dir, pathBuffer(path), flags, mode), "openat", path);
}

/** Closes a descriptor. */
export function closeFile(fd: number): void {
  libc().close(fd);
}

/** Reads up to `buffer.length` bytes; 0 at the end of the file. */
export function readFile(fd: number, buffer: Uint8Array, path?: RawPath): number {
  const result = Number(libc().read(fd, buffer as Uint8Array<ArrayBuffer>, BigInt(buffer.length)));
  return check(result, "read", path);
}

/** Writes all of `bytes`. */
export function writeFile(fd: number, bytes: Uint8Array, path?: RawPath): void {
  let rest = bytes;
  while (rest.length > 0) {
    const written = Number(libc().write(fd, rest as Uint8Array<ArrayBuffer>, BigInt(rest.length)));
    if (written < 0) throw systemError("write", path);
    if (written === 0) throw new SystemError("write", "EIO", path, "Cannot write: nothing was taken");
    rest = written === rest.length ? EMPTY : rest.subarray(written);
  }
}

/** Sets owner and then mode of an open file, in the order that keeps setuid and setgid. */
export function setOwnerAndMode(fd: number, uid: number, gid: number, mode: number): void {
  check(libc().fchown(fd, uid, gid), "fchown");
  check(libc().fchmod(fd, mode), "fchmod");
}

/** Sets owner and group of an open file. Clears setuid and setgid, so the mode is set after it. */
export function changeOwnerOfFile(fd: number, uid: number, gid: number, path?: RawPath): void {
  check(libc().fchown(fd, uid, gid), "fchown", path);
}

/** Sets the 12 permission bits of an open file. */
export function changeModeOfFile(fd: number, mode: number, path?: RawPath): void {
  check(libc().fchmod(fd, mode), "fchmod", path);
}

/** Moves the position of an open file forward: what is written next leaves a hole of `sizeBytes` before it. */
export function skipInFile(fd: number, sizeBytes: number, path?: RawPath): void {
  check(Number(libc().lseek(fd, BigInt(sizeBytes), SEEK_CUR)), "lseek", path);
}

/** Cuts or extends an open file to `sizeBytes`; what is new reads as zeros. */
export function setFileSize(fd: number, sizeBytes: number, path?: RawPath): void {
  check(libc().ftruncate(fd, BigInt(sizeBytes)), "ftruncate", path);
}

const SEEK_CUR = 1;
const EMPTY = new Uint8Array();
