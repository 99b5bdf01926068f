/**
 * The one table of C library calls, and the errors they give. The library is a property of the process (or worker), so the
 * table is opened once, at first use, and is the only state that modules share.
 */
import { BuilderError, type BuilderErrorOptions } from "../errors.ts";
import { ERRNO_NAMES, ERRNO_TEXTS } from "./errno.ts";
import { pathText, type RawPath } from "./raw_path.ts";

const SYMBOLS = {
  __errno_location: { parameters: [], result: "pointer" },
  openat: { parameters: ["i32", "buffer", "i32", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  copy_file_range: { parameters: ["i32", "pointer", "i32", "pointer", "usize", "u32"], result: "isize" },
  getdents64: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  statx_pointer: { name: "statx", parameters: ["i32", "usize", "i32", "u32", "buffer"], result: "i32" },
  mkdirat: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  unlinkat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  symlinkat: { parameters: ["buffer", "i32", "buffer"], result: "i32" },
  linkat: { parameters: ["i32", "buffer", "i32", "buffer", "i32"], result: "i32" },
  renameat: { parameters: ["i32", "buffer", "i32", "buffer"], result: "i32" },
  mknodat: { parameters: ["i32", "buffer", "u32", "u64"], result: "i32" },
  readlinkat: { parameters: ["i32", "buffer", "buffer", "usize"], result: "isize" },
  fchownat: { parameters: ["i32", "buffer", "u32", "u32", "i32"], result: "i32" },
  fchmodat: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  fchown: { parameters: ["i32", "u32", "u32"], result: "i32" },
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  utimensat: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  futimens: { parameters: ["i32", "buffer"], result: "i32" },
  lgetxattr: { parameters: ["buffer", "buffer", "buffer", "usize"], result: "isize" },
  fgetxattr: { parameters: ["i32", "buffer", "buffer", "usize"], result: "isize" },
  lsetxattr: { parameters: ["buffer", "buffer", "buffer", "usize", "i32"], result: "i32" },
  fsetxattr: { parameters: ["i32", "buffer", "buffer", "usize", "i32"], result: "i32" },
  llistxattr: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
  lremovexattr: { parameters: ["buffer", "buffer"], result: "i32" },
  umask: { parameters: ["u32"], result: "u32" },
  getuid: { parameters: [], result: "u32" },
  getgid: { parameters: [], result: "u32" },
  chroot: { parameters: ["buffer"], result: "i32" },
  chdir: { parameters: ["buffer"], result: "i32" },
  unshare: { parameters: ["i32"], result: "i32" },
  mount: { parameters: ["buffer", "buffer", "buffer", "u64", "buffer"], result: "i32" },
  umount2: { parameters: ["buffer", "i32"], result: "i32" },
  setsid: { parameters: [], result: "i32" },
  setgroups: { parameters: ["usize", "buffer"], result: "i32" },
  setresgid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  setresuid: { parameters: ["u32", "u32", "u32"], result: "i32" },
  signal: { parameters: ["i32", "usize"], result: "pointer" },
  execve: { parameters: ["buffer", "buffer", "buffer"], result: "i32" },
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  syscall: { parameters: ["i64", "i64", "i64", "i64"], result: "i64" },
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  access: { parameters: ["buffer", "i32"], result: "i32" },
  getgroups: { parameters: ["i32", "buffer"], result: "i32" },
  setns: { parameters: ["i32", "i32"], result: "i32" },
  sethostname: { parameters: ["buffer", "usize"], result: "i32" },
  pthread_sigmask: { parameters: ["i32", "buffer", "pointer"], result: "i32" },
  _exit: { parameters: ["i32"], result: "void" },
  __nss_configure_lookup: { parameters: ["buffer", "buffer"], result: "i32" },
} as const;

type Libc = Deno.StaticForeignLibraryInterface<typeof SYMBOLS>;

/** The library of this thread, and the place where it keeps this thread's errno. */
class LoadedLibc {
  static #symbols: Libc | undefined;
  static #errno: Deno.UnsafePointerView | undefined;

  static symbols(): Libc {
    return LoadedLibc.#symbols ??= LoadedLibc.#load();
  }

  static errno(): number {
    return LoadedLibc.#errno?.getInt32() ?? 0;
  }

  /** Goes the way of a failing call once, so that a real one finds nothing to load or compile, which could change errno. */
  static #load(): Libc {
    const { symbols } = Deno.dlopen("libc.so.6", SYMBOLS);
    const location = symbols.__errno_location();
    if (location !== null) LoadedLibc.#errno = new Deno.UnsafePointerView(location);
    LoadedLibc.#symbols = symbols;
    errno();
    check(0, "dlopen");
    return symbols;
  }
}

/** The C library's functions. `libc.so.6` by soname binds to the copy that the process runs on, never to a second one. */
export function libc(): Libc {
  return LoadedLibc.symbols();
}

/** The C library's errno, to be read right after a failing call. */
export function errno(): number {
  return LoadedLibc.errno();
}

/** A refused system call: which one, why (`errnoName`, such as "ENOSPC"), and on which path. */
export class SystemError extends BuilderError {
  readonly code = "system";
  constructor(
    readonly syscall: string,
    readonly errnoName: string,
    readonly path: RawPath | undefined,
    message: string,
    options: BuilderErrorOptions = {},
  ) {
    super(message, options);
  }
}

/** The SystemError of a call that has just failed with `number` on `path`. */
export function systemError(syscall: string, path: RawPath | undefined, number: number = errno()): SystemError {
  const name = ERRNO_NAMES[number] ?? `errno ${number}`;
  const reason = ERRNO_TEXTS[name] ?? "refused by the system";
  const object = path === undefined ? "" : ` "${pathText(path)}"`;
  const message = `Cannot ${SYSCALL_VERBS[syscall] ?? syscall}${object}: ${reason} (${syscall}: ${name})`;
  return new SystemError(syscall, name, path, message);
}

/** Throws the SystemError of the call unless `result` is non-negative; gives `result`. */
export function check(result: number, syscall: string, path?: RawPath): number {
  if (result >= 0) return result;
  const number = errno();
  throw systemError(syscall, path, number);
}

const SYSCALL_VERBS: Readonly<Record<string, string>> = {
  openat: "open",
  read: "read",
  write: "write to",
  getdents64: "read directory",
  statx: "look up",
  mkdirat: "make directory",
  unlinkat: "remove",
  symlinkat: "make symlink",
  linkat: "make hard link",
  renameat: "rename",
  mknodat: "make device or fifo",
  readlinkat: "read symlink",
  fchownat: "change the owner of",
  fchown: "change the owner of",
  fchmodat: "change the mode of",
  fchmod: "change the mode of",
  utimensat: "set the times of",
  futimens: "set the times of",
  ftruncate: "set the size of",
  lseek: "leave a hole in",
  lsetxattr: "set an extended attribute of",
  fsetxattr: "set an extended attribute of",
  lgetxattr: "read an extended attribute of",
  fgetxattr: "read an extended attribute of",
  llistxattr: "list the extended attributes of",
  lremovexattr: "remove an extended attribute of",
  execve: "execute",
  mount: "mount at",
  umount2: "unmount",
  chroot: "change the root to",
  pivot_root: "change the root to",
  chdir: "enter",
  unshare: "make a namespace",
  setns: "enter a namespace",
  setgroups: "set the groups of a process",
  setresgid: "set the group of a process",
  setresuid: "set the user of a process",
};
