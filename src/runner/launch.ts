/**
 * The launcher: this program, started as the hidden verb `__launch`, makes the sandbox around itself and then becomes the
 * command of a RUN by execve. Started for each RUN, so it imports next to nothing.
 */
import { errorText } from "../errors.ts";
import { CAPABILITY, DOCKER_CAPABILITIES, hasCapability, limitCapabilities } from "../sys/capabilities.ts";
import { becomeUser } from "../sys/credentials.ts";
import { ERRNO_TEXTS } from "../sys/errno.ts";
import { dieWithParent, emptyStdin, execute, exitNow } from "../sys/execute.ts";
import { changeOwnerOfFile } from "../sys/file.ts";
import { libc, SystemError } from "../sys/libc.ts";
import { bringLoopbackUp } from "../sys/loopback.ts";
import { changeDirectory, changeRoot, isPermitted, pivotRoot, setHostName, unshare } from "../sys/namespace.ts";
import { rawPath } from "../sys/raw_path.ts";
import { mountSandbox, SandboxRefusal } from "./launch_mounts.ts";
import { type LaunchReport, type LaunchSpec, readLaunchInput } from "./launch_spec.ts";

const UMASK = 0o022;
const SIGKILL = 9;
const STDOUT = 1;
const STDERR = 2;
const HOST_NAME = "buildkitsandbox";
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

/**
 * Becomes the command that stdin describes; the command's own stdin is empty. Never comes back: a failure is told in the
 * report file and by exit code 126 or 127.
 */
export function launch(): never {
  const { spec, contents } = readLaunchInput((buffer) => Deno.stdin.readSync(buffer));
  using reportFile = Deno.openSync(spec.reportPath, { append: true });
  const report = (line: LaunchReport): void => {
    reportFile.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
  };
  let phase: "sandbox" | "execute" = "sandbox";
  try {
    dieWithParent(SIGKILL);
    emptyStdin();
    libc().umask(0);
    enterSandbox(spec, contents);
    takeIdentity(spec);
    phase = "execute";
    report({ kind: "executing" });
    execute(spec.command, spec.argv, spec.env);
  } catch (error: unknown) {
    report(failureReport(error, phase));
    exitNow(error instanceof SystemError && error.errnoName === "ENOENT" ? NOT_FOUND : NOT_EXECUTABLE);
  }
}

function enterSandbox(spec: LaunchSpec, contents: readonly Uint8Array[]): void {
  if (spec.sandbox.isOffline) leaveNetwork();
  if (spec.sandbox.kind === "plain") return changeRoot(spec.root);
  const isAllowed = hasCapability(CAPABILITY.SYS_ADMIN) && isPermitted(() => unshare("mount"));
  if (!isAllowed) throw new SandboxRefusal("mount-namespace");
  const hasOwnIpc = isPermitted(() => unshare("ipc"));
  if (isPermitted(() => unshare("uts"))) setHostName(HOST_NAME);
  mountSandbox(spec, contents, hasOwnIpc);
  pivotRoot(spec.root);
}

function leaveNetwork(): void {
  const isAllowed = hasCapability(CAPABILITY.SYS_ADMIN) && isPermitted(() => unshare("network"));
  if (!isAllowed) throw new SandboxRefusal("network");
  bringLoopbackUp();
}

/** Everything that the command inherits, in the order in which each step still has the right to do the next. */
function takeIdentity(spec: LaunchSpec): void {
  // The output pipes are ours: without this a user could not open /dev/stdout and /dev/stderr. Source: runc.
  for (const fd of [STDOUT, STDERR]) changeOwnerOfFile(fd, spec.uid, spec.gid);
  changeDirectory(rawPath(spec.workdir));
  libc().umask(UMASK);
  limitCapabilities(DOCKER_CAPABILITIES);
  becomeUser(spec);
  dieWithParent(SIGKILL); // a change of user has undone the first one
}

function failureReport(error: unknown, phase: "sandbox" | "execute"): LaunchReport {
  if (error instanceof SandboxRefusal) return { kind: "refused", what: error.what };
  const errnoName = error instanceof SystemError ? error.errnoName : "EIO";
  const message = phase === "execute" ? ERRNO_TEXTS[errnoName] ?? errnoName : errorText(error);
  return { kind: "failed", phase, errnoName, message };
}
