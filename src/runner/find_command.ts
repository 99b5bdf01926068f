/**
 * Which file a command's first word means inside a rootfs, and whether the kernel could execute it there. Done before
 * anything is started, so that "not found" has one clear text. Source: execvp(3), runc's lookup in PATH.
 */
import { closeFile, openFileForReading, readFile } from "../sys/file.ts";
import { SystemError } from "../sys/libc.ts";
import { cleanPath, isWithin, joinPath, pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import { type ResolvedPath, resolveInRoot } from "../sys/resolve_in_root.ts";
import { AT_CWD, lstat } from "../sys/stat.ts";
import type { CommandMount, ContentMount } from "./command_mount.ts";
import { elfInterpreter, isElf } from "./elf_interpreter.ts";
import type { FileMount } from "./launch_spec.ts";
import { RunError, type RunSpec } from "./runner.ts";

const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const HEAD_BYTES = 4096;
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/** A command's file. */
export interface FoundCommand {
  /** As the command sees it, inside the root; symlinks are left in it. */
  readonly path: RawPath;
  /** The file itself as the builder sees it. */
  readonly outside: RawPath;
}

/**
 * Finds the file of `spec.argv[0]`. Throws RunError with exit code 127 when there is none or its interpreter is missing, 126
 * when it cannot be executed. `shown` are places of the root where other files will be mounted.
 */
export function findCommand(spec: RunSpec, shown: readonly FileMount[] = []): FoundCommand {
  const name = spec.argv[0] ?? "";
  if (name === "") throw failure(name, "the command is empty", NOT_FOUND);
  const view: View = { ...spec, shown };
  const script = scriptOf(view, name);
  if (script !== undefined) {
    checkInterpreter(view, name, script.content.subarray(0, HEAD_BYTES));
    return { path: script.target, outside: script.target };
  }
  const found = name.includes("/") ? findByPath(view, name) : findInSearchPath(view, name);
  checkInterpreter(view, name, readHead(found.outside));
  return found;
}

/** A command and where the files of its mounts are now. */
interface View extends RunSpec {
  readonly shown: readonly FileMount[];
}

/** The mount that the command itself is, such as the script of a heredoc: only the builder's memory holds it. */
function scriptOf({ mounts = [] }: View, name: string): ContentMount | undefined {
  const isScript = (mount: CommandMount): mount is ContentMount => {
    return mount.kind === "content" && mount.target === rawPath(name) && (mount.mode & 0o111) !== 0;
  };
  return mounts.find(isScript);
}

/** The RunError of a command that could not be started. */
export function failure(name: string, reason: string, exitCode: number, cause?: unknown): RunError {
  const message = `Cannot run "${name}": exec: "${name}": ${reason}`;
  return new RunError(message, { exitCode, lastLines: [] }, { cause });
}

/** The value of `name` in "NAME=value" words; the last one counts. */
export function environmentValue(env: readonly string[], name: string): string | undefined {
  return env.findLast((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
}

function findByPath(spec: View, name: string): FoundCommand {
  const path = cleanPath(rawPath(name.startsWith("/") ? name : `${spec.workdir}/${name}`));
  const { outside, inode } = resolve(spec, path) ?? {};
  if (outside === undefined || inode === undefined) throw failure(name, "no such file or directory", NOT_FOUND);
  if (inode.type === "directory") throw failure(name, "is a directory", NOT_EXECUTABLE);
  if (!isExecutable({ outside, inode })) throw failure(name, "permission denied", NOT_EXECUTABLE);
  return { path, outside };
}

function findInSearchPath(spec: View, name: string): FoundCommand {
  let isThere = false;
  for (const folder of (environmentValue(spec.env, "PATH") ?? DEFAULT_PATH).split(":")) {
    const base = folder.startsWith("/") ? folder : `${spec.workdir}/${folder}`;
    const path = joinPath(cleanPath(rawPath(base)), rawPath(name));
    const resolved = resolve(spec, path);
    if (resolved !== undefined && isExecutable(resolved)) return { path, outside: resolved.outside };
    isThere ||= resolved?.inode?.type === "file";
  }
  if (isThere) throw failure(name, "permission denied", NOT_EXECUTABLE);
  throw failure(name, "executable file not found in $PATH", NOT_FOUND);
}

/** A path through a file or a loop of symlinks leads nowhere, as one that is not there. */
function resolve({ root, shown }: View, path: RawPath): ResolvedPath | undefined {
  const mount = shown.findLast(({ target }) => isWithin(path, target));
  try {
    if (mount === undefined) return resolveInRoot(root, path);
    const rest = path.slice(mount.target.length) as RawPath;
    if (rest !== "") return resolveInRoot(mount.source, rest);
    return { inside: mount.target, outside: mount.source, inode: lstat(mount.source) };
  } catch (error: unknown) {
    if (error instanceof SystemError && (error.errnoName === "ENOTDIR" || error.errnoName === "ELOOP")) {
      return undefined;
    }
    throw error;
  }
}

function isExecutable(resolved: Pick<ResolvedPath, "outside" | "inode">): boolean {
  return resolved.inode?.type === "file" && (resolved.inode.mode & 0o111) !== 0;
}

/**
 * Throws RunError when the kernel could not execute the file. It says ENOENT both for a missing file and for a missing
 * interpreter of it; we name the interpreter.
 */
function checkInterpreter(spec: View, name: string, head: Uint8Array): void {
  // The C library would give such a file to /bin/sh; a container runtime does not.
  if (!isScript(head) && !isElf(head)) throw failure(name, "exec format error", NOT_EXECUTABLE);
  const interpreter = isScript(head) ? scriptInterpreter(head) : elfInterpreter(head);
  if (interpreter === undefined || interpreter === "") return;
  const path = interpreter.startsWith("/") ? interpreter : `${spec.workdir}/${interpreter}`;
  if (resolve(spec, rawPath(path))?.inode !== undefined) return;
  throw failure(name, `its interpreter "${pathText(rawPath(interpreter))}" is not in the image`, NOT_FOUND);
}

function isScript(head: Uint8Array): boolean {
  return head[0] === 0x23 && head[1] === 0x21;
}

function scriptInterpreter(head: Uint8Array): string | undefined {
  const line = new TextDecoder().decode(head.subarray(2, 256)).split("\n")[0] ?? "";
  return line.trim().split(/[ \t]/)[0];
}

function readHead(path: RawPath): Uint8Array {
  const fd = openFileForReading(AT_CWD, path);
  try {
    const buffer = new Uint8Array(HEAD_BYTES);
    return buffer.subarray(0, readFile(fd, buffer, path));
  } finally {
    closeFile(fd);
  }
}
