/**
 * User, group and supplementary groups of one thread. The raw system calls act on the calling thread only (the C library's
 * wrappers change all threads), so a child can be spawned as somebody else while the rest of the program stays what it is.
 */
import { InternalError } from "../errors.ts";
import { CAPABILITY, readCapabilities, writeCapabilities } from "./capabilities.ts";
import { check, libc } from "./libc.ts";

/** Who a process runs as. */
export interface Credentials {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups; the kernel takes up to 65536. */
  readonly groups: readonly number[];
}

const MAX_GROUPS = 65536;

/**
 * Runs `action` with the calling thread's credentials changed, and changes them back in every case. `action` must be
 * synchronous: an await inside would let other code run as somebody else. Needs SETUID and SETGID unless nothing changes.
 * Throws SystemError when the kernel refuses.
 */
export function withThreadCredentials<T>(credentials: Credentials, action: () => T): T {
  const ownGroups = readGroups();
  const ownUid = libc().getuid();
  const ownGid = libc().getgid();
  try {
    setGroups(credentials.groups, ownGroups);
    setGid(credentials.gid, ownGid, ownGid);
    setUid(credentials.uid, ownUid, ownUid);
    return action();
  } finally {
    restore(ownUid, ownGid, ownGroups);
  }
}

/** Gives the calling thread these credentials for good, saved ids included: the last step before execve. */
export function becomeUser(credentials: Credentials): void {
  setGroups(credentials.groups, undefined);
  setGid(credentials.gid, credentials.gid, undefined);
  setUid(credentials.uid, credentials.uid, undefined);
}

/**
 * Inside `withThreadCredentials`: lets the thread, and a child until it executes its command, pass directories that the
 * user may not enter. The saved root identity is what keeps the capability permitted.
 */
export function overrideFilePermissions(): void {
  const sets = readCapabilities();
  const bit = (1n << BigInt(CAPABILITY.DAC_OVERRIDE)) & sets.permitted;
  writeCapabilities({ ...sets, effective: sets.effective | bit });
}

/** The supplementary groups of the calling thread. */
export function readGroups(): readonly number[] {
  const buffer = new Uint32Array(MAX_GROUPS);
  const count = check(libc().getgroups(MAX_GROUPS, new Uint8Array(buffer.buffer)), "getgroups");
  return [...buffer.subarray(0, count)];
}

function restore(uid: number, gid: number, groups: readonly number[]): void {
  try {
    setUid(uid, uid, undefined);
    setGid(gid, gid, undefined);
    setGroups(groups, readGroups());
  } catch (cause: unknown) {
    throw new InternalError("Cannot take back the credentials of a thread", { cause });
  }
}

/** Leaves the groups alone where they are already `current`, so that nothing is asked of a process without privileges. */
function setGroups(groups: readonly number[], current: readonly number[] | undefined): void {
  if (current !== undefined && current.join() === groups.join()) return;
  const list = new Uint32Array(groups.length === 0 ? [0] : groups);
  const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(list));
  const result = libc().syscall(systemCallNumbers().setgroups, BigInt(groups.length), address, 0n);
  check(Number(result), "setgroups");
}

function setGid(gid: number, saved: number, current: number | undefined): void {
  if (gid === current) return;
  check(Number(libc().syscall(systemCallNumbers().setresgid, BigInt(gid), BigInt(gid), BigInt(saved))), "setresgid");
}

function setUid(uid: number, saved: number, current: number | undefined): void {
  if (uid === current) return;
  check(Number(libc().syscall(systemCallNumbers().setresuid, BigInt(uid), BigInt(uid), BigInt(saved))), "setresuid");
}

function systemCallNumbers(): { readonly setgroups: bigint; readonly setresgid: bigint; readonly setresuid: bigint } {
  return Deno.build.arch === "aarch64"
    ? { setgroups: 159n, setresgid: 149n, setresuid: 147n }
    : { setgroups: 116n, setresgid: 119n, setresuid: 117n };
}
