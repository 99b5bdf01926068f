/**
 * What a builder tells the launcher (the same program, started again to become one command), through its stdin, and what it
 * hears back, in a file that only its owner can read. Nothing is imported that would slow a start.
 */
import { InternalError } from "../errors.ts";
import type { RawPath } from "../sys/raw_path.ts";

/** A file to show at a place of the rootfs. Both as the builder sees them, without symlinks. */
export interface FileMount {
  readonly source: RawPath;
  readonly target: RawPath;
}

/** What a launcher mounts for one command. Targets are inside the root, and not "/". */
export type LaunchMount =
  /** A folder or file of the machine. */
  | {
    readonly kind: "bind";
    readonly source: RawPath;
    readonly target: RawPath;
    readonly isFolder: boolean;
    readonly isReadOnly: boolean;
  }
  | { readonly kind: "tmpfs"; readonly target: RawPath; readonly sizeBytes?: number | undefined }
  /** A file whose bytes come through stdin, so that no disk holds them; read-only. */
  | {
    readonly kind: "content";
    readonly target: RawPath;
    readonly sizeBytes: number;
    readonly mode: number;
    readonly uid: number;
    readonly gid: number;
  };

/** How much of a sandbox there is. */
export interface SandboxSpec {
  /** "private": mounts of our own. "plain": chroot and nothing else, where the kernel lets us do no more. */
  readonly kind: "private" | "plain";
  /** Whether the launcher is the first process of a PID namespace. */
  readonly hasOwnPids: boolean;
  /** Bound over files of the rootfs. */
  readonly files: readonly FileMount[];
  /** Mounted after everything else, outer ones before those inside them. */
  readonly mounts: readonly LaunchMount[];
  /** An empty folder outside the root to hold the files of "content" mounts, on a tmpfs of the sandbox. */
  readonly stagingFolder: RawPath;
  /** Whether there is no network but loopback. */
  readonly isOffline: boolean;
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

/** A part of the sandbox that the kernel may not allow. */
export type Refusal = "mount-namespace" | "proc" | "network";

/** What became of a launch. The last line of the report file counts. */
export type LaunchReport =
  /** Everything is set up; the command runs unless "failed" follows. */
  | { readonly kind: "executing" }
  /** The kernel does not let us do this; a simpler sandbox may work. */
  | { readonly kind: "refused"; readonly what: Refusal }
  /** `phase` "execute": the command's fault; "sandbox": ours or the system's. */
  | {
    readonly kind: "failed";
    readonly phase: "sandbox" | "execute";
    readonly errnoName: string;
    readonly message: string;
  };

/** What a launcher reads from its stdin. */
export interface LaunchInput {
  readonly spec: LaunchSpec;
  /** The bytes of "content" mounts, in their order. */
  readonly contents: readonly Uint8Array[];
}

const LENGTH_DIGITS = 10;

/** The bytes to give a launcher: they may hold secrets, so they go through a pipe and never to a disk. */
export function encodeLaunchInput({ spec, contents }: LaunchInput): Uint8Array {
  const text = new TextEncoder().encode(JSON.stringify(spec));
  const length = new TextEncoder().encode(String(text.length).padStart(LENGTH_DIGITS, "0"));
  const parts = [length, text, ...contents];
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** Reads what `encodeLaunchInput` made; `read` fills a buffer as `Deno.stdin.readSync` does. Throws InternalError when cut. */
export function readLaunchInput(read: (buffer: Uint8Array) => number | null): LaunchInput {
  const length = Number(new TextDecoder().decode(readWhole(read, LENGTH_DIGITS)));
  const spec = JSON.parse(new TextDecoder().decode(readWhole(read, length))) as LaunchSpec;
  const sizes = spec.sandbox.mounts.flatMap((mount) => mount.kind === "content" ? [mount.sizeBytes] : []);
  return { spec, contents: sizes.map((size) => readWhole(read, size)) };
}

function readWhole(read: (buffer: Uint8Array) => number | null, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = read(bytes.subarray(at)) ?? 0;
    if (count === 0) throw new InternalError("Cannot launch a command: the builder ended while it told which");
    at += count;
  }
  return bytes;
}

/** The last report in a report file's text; undefined when the launcher did not come to writing one. */
export function lastReport(text: string): LaunchReport | undefined {
  const line = text.trimEnd().split("\n").at(-1);
  return line === undefined || line === "" ? undefined : JSON.parse(line) as LaunchReport;
}
