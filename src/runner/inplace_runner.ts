/**
 * The rootfs is our own "/": the command is an ordinary child in its own session, with the ids of the step and only its
 * environment. It sees our processes and files, as nothing can be hidden without privileges; one command runs at a time.
 */
import { UnsupportedError } from "../errors.ts";
import { overrideFilePermissions, withThreadCredentials } from "../sys/credentials.ts";
import { readLink } from "../sys/inode.ts";
import { libc, SystemError } from "../sys/libc.ts";
import { pathBuffer } from "../sys/path_buffer.ts";
import { becomeSubreaper, endCommandProcesses, ownDescendants } from "../sys/process.ts";
import { bringLoopbackUp } from "../sys/loopback.ts";
import { withNewNetwork } from "../sys/namespace.ts";
import { pathText, type RawPath, rawPath } from "../sys/raw_path.ts";
import { resolveInRoot } from "../sys/resolve_in_root.ts";
import { AT_CWD, lstat } from "../sys/stat.ts";
import { listDirectory } from "../sys/walk.ts";
import { failure, findCommand, type FoundCommand } from "./find_command.ts";
import { MountPoints } from "./mount_points.ts";
import { PlacedMounts } from "./placed_mounts.ts";
import type { ExitStatus, Runner, RunOutput, RunSpec } from "./runner.ts";
import { DEFAULT_PATIENCE, type Patience, supervise } from "./supervise.ts";

const UMASK = 0o022;
const X_OK = 1;

/** The runner of builds whose rootfs is "/". */
export class InplaceRunner implements Runner {
  readonly #patience: Patience;
  readonly #asideFolder: RawPath;

  /** `asideFolder`, on the file system of "/" and never scanned, takes what is at the targets of mounts meanwhile. */
  constructor(patience: Patience = DEFAULT_PATIENCE, asideFolder: RawPath = rawPath("/tmp")) {
    this.#patience = patience;
    this.#asideFolder = asideFolder;
  }

  async run(spec: RunSpec, output: RunOutput, signal: AbortSignal): Promise<ExitStatus> {
    signal.throwIfAborted();
    if (spec.root !== "/") throw new UnsupportedError(`Cannot run in place in "${pathText(spec.root)}": it is not "/"`);
    using points = new MountPoints(spec.root);
    await using _placed = await PlacedMounts.place(spec.mounts ?? [], { points, asideFolder: this.#asideFolder });
    signal.throwIfAborted();
    requireWorkdir(spec);
    const command = findCommand(spec);
    becomeSubreaper();
    const before = ownDescendants();
    const pipesBefore = ownPipes();
    const child = spec.network === "none" ? spawnOffline(spec, command) : spawnAs(spec, command);
    if (spec.uid !== 0) giveNewPipes(pipesBefore, spec);
    const leaders = new Set([child.pid]);
    const endRest = (): Promise<void> => endCommandProcesses({ before, leaders, leader: child.pid });
    return await supervise({ child, isNamespaceInit: false, endRest }, output, signal, this.#patience);
  }
}

function requireWorkdir(spec: RunSpec): void {
  const path = rawPath(spec.workdir);
  if (resolveInRoot(spec.root, path).inode?.type === "directory") return;
  throw new SystemError("chdir", "ENOENT", path, `Cannot enter "${spec.workdir}": no such directory (chdir: ENOENT)`);
}

function spawnOffline(spec: RunSpec, found: FoundCommand): Deno.ChildProcess {
  const child = withNewNetwork(bringLoopbackUp, () => spawnAs(spec, found));
  if (child !== undefined) return child;
  throw new UnsupportedError("Cannot run without network: this container may not make a network namespace", {
    hint: "It takes the capability SYS_ADMIN, which an ordinary pod does not have",
  });
}

/** Spawns with the step's ids on this thread alone: one synchronous section, as no other code may run as somebody else. */
function spawnAs(spec: RunSpec, found: FoundCommand): Deno.ChildProcess {
  const command = new Deno.Command(pathText(found.path), {
    args: spec.argv.slice(1),
    env: environmentRecord(spec.env),
    clearEnv: true,
    cwd: spec.workdir,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  });
  return withThreadCredentials(spec, () => {
    if (!isAccessible(pathText(found.path))) throw failure(spec.argv[0] ?? "", "permission denied", 126);
    // A container runtime enters the working directory as root, so that a user may start where it could not go.
    if (!isAccessible(spec.workdir)) overrideFilePermissions();
    return withUmask(UMASK, () => spawn(command, spec));
  });
}

function spawn(command: Deno.Command, spec: RunSpec): Deno.ChildProcess {
  try {
    return command.spawn();
  } catch (cause: unknown) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const isMissing = cause instanceof Deno.errors.NotFound;
    throw failure(spec.argv[0] ?? "", reason, isMissing ? 127 : 126, cause);
  }
}

/** Whether the calling thread's user may execute (or enter) `path`. */
function isAccessible(path: string): boolean {
  return libc().access(pathBuffer(rawPath(path)), X_OK) === 0;
}

/** Our open pipes, by path below /proc, with what tells them apart. */
function ownPipes(): ReadonlyMap<string, string> {
  const pipes = new Map<string, string>();
  for (const fd of listDirectory(rawPath("/proc/self/fd"))) {
    const path = `/proc/self/fd/${fd}`;
    const target = lstat(rawPath(path)) === undefined ? "" : readLink(AT_CWD, rawPath(path));
    if (target.startsWith("pipe:")) pipes.set(path, target);
  }
  return pipes;
}

/**
 * Gives the command's output pipes, which are new and whose other ends are ours, to its user, who could not open
 * /dev/stdout and /dev/stderr otherwise. The command's own ends cannot be reached without SYS_PTRACE.
 */
function giveNewPipes(before: ReadonlyMap<string, string>, spec: RunSpec): void {
  for (const [path, target] of ownPipes()) {
    if (before.get(path) !== target) Deno.chownSync(path, spec.uid, spec.gid);
  }
}

function withUmask<T>(mask: number, action: () => T): T {
  const previous = libc().umask(mask);
  try {
    return action();
  } finally {
    libc().umask(previous);
  }
}

function environmentRecord(env: readonly string[]): Record<string, string> {
  const pairs = env.map((entry): [string, string] => {
    const equals = entry.indexOf("=");
    return equals < 0 ? [entry, ""] : [entry.slice(0, equals), entry.slice(equals + 1)];
  });
  return Object.fromEntries(pairs.filter(([name]) => name !== ""));
}
