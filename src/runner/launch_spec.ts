/**
 * What a builder tells the launcher (the same program, started again to become one command), and what it hears back: two
 * files of one folder that only its owner can read. Nothing is imported that would slow a start.
 */
import type { RawPath } from "../sys/raw_path.ts";

/** A file to show at a place of the rootfs. Both as the builder sees them, without symlinks. */
export interface FileMount {
  readonly source: RawPath;
  readonly target: RawPath;
}

/** How much of a sandbox there is. */
export interface SandboxSpec {
  /** "private": mounts of our own. "plain": chroot and nothing else, where the kernel lets us do no more. */
  readonly kind: "private" | "plain";
  /** Whether the launcher is the first process of a PID namespace. */
  readonly hasOwnPids: boolean;
  /** Bound over files of the rootfs. */
  readonly files: readonly FileMount[];
}

/** Everything the launcher needs. */
export interface LaunchSpec {
  /** The rootfs folder. */
  readonly root: RawPath;
  readonly sandbox: SandboxSpec;
  /** The file to execute, inside the root. */
  readonly command: RawPath;
  readonly argv: readonly string[];
  readonly env: readonly string[];
  readonly workdir: string;
  readonly uid: number;
  readonly gid: number;
  readonly groups: readonly number[];
  /** Where to append reports, one JSON line each. */
  readonly reportPath: string;
}

/** What became of a launch. The last line of the report file counts. */
export type LaunchReport =
  /** Everything is set up; the command runs unless "failed" follows. */
  | { readonly kind: "executing" }
  /** The kernel does not let us do this; a simpler sandbox may work. */
  | { readonly kind: "refused"; readonly what: "mount-namespace" | "proc" }
  /** `phase` "execute": the command's fault; "sandbox": ours or the system's. */
  | {
    readonly kind: "failed";
    readonly phase: "sandbox" | "execute";
    readonly errnoName: string;
    readonly message: string;
  };

/** The spec in the file at `path`, which is removed. */
export function takeLaunchSpec(path: string): LaunchSpec {
  const text = Deno.readTextFileSync(path);
  Deno.removeSync(path);
  return JSON.parse(text) as LaunchSpec;
}

/** Writes the spec to a new file that only we can read. */
export function writeLaunchSpec(path: string, spec: LaunchSpec): void {
  Deno.writeTextFileSync(path, JSON.stringify(spec), { createNew: true, mode: 0o600 });
}

/** The last report in a report file's text; undefined when the launcher did not come to writing one. */
export function lastReport(text: string): LaunchReport | undefined {
  const line = text.trimEnd().split("\n").at(-1);
  return line === undefined || line === "" ? undefined : JSON.parse(line) as LaunchReport;
}
