/**
 * Namespaces, mounts and the root directory. All of it changes the calling thread (a thread that leaves a namespace gets a
 * root and working directory of its own), so it is for a process that is about to execute a command; the one exception
 * is `withNewPidNamespace`, which changes back. Source: unshare(2), mount(2), pivot_root(2).
 */
import { InternalError } from "../errors.ts";
import { closeFile } from "./file.ts";
import { check, errno, libc, SystemError, systemError } from "./libc.ts";
import { pathBuffer } from "./path_buffer.ts";
import { type RawPath, rawPath } from "./raw_path.ts";
import { AT_CWD } from "./stat.ts";

/** Namespaces by name, as unshare(2) takes them. */
export const NAMESPACE = {
  mount: 0x20000,
  uts: 0x4000000,
  ipc: 0x8000000,
  pid: 0x20000000,
  network: 0x40000000,
} as const;

/** Options of mount(2). */
export const MOUNT = {
  readOnly: 0x1,
  noSuid: 0x2,
  noDevices: 0x4,
  noExec: 0x8,
  remount: 0x20,
  bind: 0x1000,
  recursive: 0x4000,
  private: 0x40000,
} as const;

const MNT_DETACH = 2;
const O_CLOEXEC = 0o2000000;

/** Puts the calling thread into a new namespace of the kind. Throws SystemError, EPERM where that is not permitted. */
export function unshare(kind: keyof typeof NAMESPACE): void {
  check(libc().unshare(NAMESPACE[kind]), "unshare");
}

/** Whether the kernel let us do what `action` does; false for EPERM, EINVAL (not built in), ENOSPC (a limit of 0). */
export function isPermitted(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error: unknown) {
    if (error instanceof SystemError && REFUSALS.includes(error.errnoName)) return false;
    throw error;
  }
}

/**
 * Runs `action` so that the first process it spawns is the first of a new PID namespace: when that process ends, the kernel
 * ends all others in it. `action` must be synchronous. It is told whether there is such a namespace (it needs SYS_ADMIN).
 */
export function withNewPidNamespace<T>(action: (isNew: boolean) => T): T {
  const own = check(libc().openat(AT_CWD, pathBuffer(rawPath("/proc/self/ns/pid")), O_CLOEXEC, 0), "openat");
  try {
    if (!isPermitted(() => unshare("pid"))) return action(false);
    try {
      return action(true);
    } finally {
      leavePidNamespace(own);
    }
  } finally {
    closeFile(own);
  }
}

/**
 * Runs `action` so that what it spawns has a network of its own, without anything in it but a loopback that is down until
 * `prepare` has run; undefined where that is not permitted (it needs SYS_ADMIN). Both must be synchronous.
 */
export function withNewNetwork<T>(prepare: () => void, action: () => T): T | undefined {
  const own = check(libc().openat(AT_CWD, pathBuffer(rawPath("/proc/thread-self/ns/net")), O_CLOEXEC, 0), "openat");
  try {
    if (!isPermitted(() => unshare("network"))) return undefined;
    try {
      prepare();
      return action();
    } finally {
      if (libc().setns(own, NAMESPACE.network) < 0) {
        leftBehind("network", systemError("setns", undefined));
      }
    }
  } finally {
    closeFile(own);
  }
}

function leftBehind(kind: string, cause: SystemError): never {
  throw new InternalError(`Cannot leave a ${kind} namespace`, { cause });
}

/** From here on every child would be lost in the wrong namespace: nothing can go on when this fails. */
function leavePidNamespace(own: number): void {
  if (libc().setns(own, NAMESPACE.pid) >= 0) return;
  leftBehind("PID", systemError("setns", undefined));
}

/** What to mount. */
export interface MountSpec {
  /** A device, a directory or file to bind, or the name of the file system. */
  readonly source: RawPath;
  /** Absolute; no component is a symlink. */
  readonly target: RawPath;
  /** Type of the file system; none for bind mounts and changes. */
  readonly type?: string;
  /** Bits of {@link MOUNT}. */
  readonly flags: number;
  /** Options of the file system, such as "mode=755". */
  readonly options?: string;
}

/** Mounts. Throws SystemError naming the target. */
export function mount(spec: MountSpec): void {
  const type = spec.type === undefined ? null : pathBuffer(rawPath(spec.type));
  const options = spec.options === undefined ? null : pathBuffer(rawPath(spec.options));
  const result = libc().mount(pathBuffer(spec.source), pathBuffer(spec.target), type, BigInt(spec.flags), options);
  if (result < 0) throw systemError("mount", spec.target);
}

/** Shows `source` at `target` too, with the options in `flags`, which a bind mount only takes when mounted again. */
export function bindMount(source: RawPath, target: RawPath, flags = 0, recursive = 0): void {
  mount({ source, target, flags: MOUNT.bind | recursive });
  if (flags !== 0) remount(target, flags);
}

/** Changes the options of one mount to `flags`. */
export function remount(target: RawPath, flags: number): void {
  mount({ source: rawPath("none"), target, flags: MOUNT.bind | MOUNT.remount | flags });
}

/** Makes every mount private: what is mounted from here on stays in our mount namespace. */
export function makeMountsPrivate(): void {
  mount({ source: rawPath("none"), target: rawPath("/"), flags: MOUNT.private | MOUNT.recursive });
}

/** Removes a mount, when it is no longer in use if it still is. */
export function unmount(target: RawPath): void {
  check(libc().umount2(pathBuffer(target), MNT_DETACH), "umount2", target);
}

/** Makes the directory `root` the root and the working directory of the calling thread. */
export function changeRoot(root: RawPath): void {
  changeDirectory(root);
  check(libc().chroot(pathBuffer(rawPath("."))), "chroot", root);
  changeDirectory(rawPath("/"));
}

/**
 * Makes the mount point `root` the root of the mount namespace and forgets all other mounts, so that no descriptor, no
 * `..` and no second chroot leads out. Where the kernel cannot (a root on an initramfs) it is a plain chroot.
 */
export function pivotRoot(root: RawPath): void {
  changeDirectory(root);
  const here = pathBuffer(rawPath("."));
  const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(here));
  const number = Deno.build.arch === "aarch64" ? 41n : 155n;
  if (Number(libc().syscall(number, address, address, 0n)) < 0) {
    const reason = errno();
    if (reason !== EINVAL) throw systemError("pivot_root", root, reason);
    return changeRoot(root);
  }
  unmount(rawPath("."));
  changeDirectory(rawPath("/"));
}

/** Makes `path` the working directory. */
export function changeDirectory(path: RawPath): void {
  check(libc().chdir(pathBuffer(path)), "chdir", path);
}

/** Sets the host name of the UTS namespace. */
export function setHostName(name: string): void {
  const bytes = pathBuffer(rawPath(name));
  check(libc().sethostname(bytes, BigInt(bytes.length - 1)), "sethostname");
}

const EINVAL = 22;
const REFUSALS: readonly string[] = ["EPERM", "EACCES", "EINVAL", "ENOSPC", "ENOSYS"];
