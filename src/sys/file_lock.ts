/**
 * Locks between processes, on files. They end with the descriptor: a process that is killed holds none. Source: flock(2).
 */
import { closeFile } from "./file.ts";
import { check, errno, libc, systemError } from "./libc.ts";
import { pathBuffer } from "./path_buffer.ts";
import type { RawPath } from "./raw_path.ts";
import { AT_CWD } from "./stat.ts";

const LOCK_SHARED = 1n;
const LOCK_EXCLUSIVE = 2n;
const LOCK_NO_WAIT = 4n;
const EWOULDBLOCK = 11;
const O_RDWR_CREAT_CLOEXEC = 0o2000102;

/** Any number of holders of a shared lock, or one of an exclusive one. */
export type LockKind = "shared" | "exclusive";

/** A lock that is held. */
export interface FileLock extends Disposable {
  /** Becomes a lock of another kind without waiting; false when others are in the way, and then nothing is held. */
  convert(kind: LockKind): boolean;
}

/** Locks the file at the absolute `path`, which is made when it is missing; undefined when others are in the way. */
export function tryLockFile(path: RawPath, kind: LockKind): FileLock | undefined {
  const fd = check(libc().openat(AT_CWD, pathBuffer(path), O_RDWR_CREAT_CLOEXEC, 0o600), "openat", path);
  if (!tryLock(fd, kind, path)) {
    closeFile(fd);
    return undefined;
  }
  let isHeld = true;
  return {
    convert: (wanted) => tryLock(fd, wanted, path),
    [Symbol.dispose]: () => {
      if (isHeld) closeFile(fd);
      isHeld = false;
    },
  };
}

function tryLock(fd: number, kind: LockKind, path: RawPath): boolean {
  const operation = LOCK_NO_WAIT | (kind === "shared" ? LOCK_SHARED : LOCK_EXCLUSIVE);
  const number = Deno.build.arch === "aarch64" ? 32n : 73n;
  if (Number(libc().syscall(number, BigInt(fd), operation, 0n)) === 0) return true;
  const reason = errno();
  if (reason === EWOULDBLOCK) return false;
  throw systemError("flock", path, reason);
}
