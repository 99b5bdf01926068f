/** Running one command in a rootfs: the port, and what came of a command. When `run` resolves nothing it started is alive. */
import { BuilderError, type BuilderErrorOptions } from "../errors.ts";
import type { RawPath } from "../sys/raw_path.ts";
import type { CommandMount } from "./command_mount.ts";

/** A command and everything it can see. Nothing else of ours reaches it. */
export interface RunSpec {
  /** "/" for the root filesystem we run in, else the rootfs folder, absolute. */
  readonly root: RawPath;
  /** At least one word. The first is looked up in PATH of `env`, inside the root, when it has no slash. */
  readonly argv: readonly string[];
  /** The complete environment: "NAME=value". */
  readonly env: readonly string[];
  /** Absolute, inside the root; it exists. */
  readonly workdir: string;
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
  /** What it sees besides the root's own files, for as long as it runs; none by default. */
  readonly mounts?: readonly CommandMount[];
  /** "none": no network but loopback. Otherwise, and by default, that of the builder. */
  readonly network?: "default" | "none" | "host";
}

/** What all ended commands tell. */
interface ExitStatusBase {
  /** From spawn to exit, milliseconds. */
  readonly durationMs: number;
  /** The end of stdout and stderr, in the order of arrival, for an error message. */
  readonly lastLines: readonly string[];
}

/** How a command ended: by itself with a code, or by a signal such as "SIGKILL". */
export type ExitStatus =
  | ExitStatusBase & { readonly kind: "exited"; readonly code: number }
  | ExitStatusBase & { readonly kind: "signalled"; readonly signal: string; readonly signalNumber: number };

/** Takes a command's output as bytes arrive, in order within a stream. Must not throw for reasons of the bytes. */
export interface RunOutput {
  write(stream: "stdout" | "stderr", bytes: Uint8Array): void;
}

/**
 * Runs commands. `run` resolves also when the command fails; it rejects with RunError when the command cannot be
 * started (127: not found, 126: not executable), with the signal's reason when it is aborted, with DockerfileError when a
 * mount does not fit what is at its target, and with SystemError or UnsupportedError when the sandbox cannot be made. In
 * every case all processes of the command have ended before, and its mounts are gone.
 */
export interface Runner {
  run(spec: RunSpec, output: RunOutput, signal: AbortSignal): Promise<ExitStatus>;
}

/** What a RunError carries beside its text. */
export interface RunFailure {
  /** The code to end the build with. */
  readonly exitCode: number;
  /** The signal that ended the command, if one did. */
  readonly signalName?: string | undefined;
  readonly lastLines: readonly string[];
}

/** A command that failed or could not be started. */
export class RunError extends BuilderError {
  readonly code = "run";
  readonly exitCode: number;
  readonly signalName: string | undefined;
  readonly lastLines: readonly string[];

  constructor(message: string, failure: RunFailure, options: BuilderErrorOptions = {}) {
    super(message, options);
    this.exitCode = failure.exitCode;
    this.signalName = failure.signalName;
    this.lastLines = failure.lastLines;
  }
}

/** The RunError of a command that ended with `status`; `title` is the command as people know it. */
export function runError(status: ExitStatus, title: string): RunError {
  const exitCode = exitCodeOf(status);
  const signalName = status.kind === "signalled" ? status.signal : undefined;
  const end = signalName === undefined ? `it did not complete: exit code ${exitCode}` : `it was ended by ${signalName}`;
  const hint = signalName === "SIGKILL"
    ? "SIGKILL that nobody sent is most often the kernel, out of memory"
    : undefined;
  return new RunError(`Cannot run "${title}": ${end}`, { exitCode, signalName, lastLines: status.lastLines }, { hint });
}

/** The code a shell would give: the command's own, or 128 + the signal's number. */
export function exitCodeOf(status: ExitStatus): number {
  return status.kind === "exited" ? status.code : 128 + status.signalNumber;
}
