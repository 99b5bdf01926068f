/**
 * The rootfs is a folder: each command gets a sandbox that the launcher makes (own mounts, PIDs, IPC and host name) and then
 * becomes the command. Where the kernel permits less the sandbox is simpler, down to a bare chroot, said once as a warning.
 */
import { UnsupportedError } from "../errors.ts";
import { withNewPidNamespace } from "../sys/namespace.ts";
import { SystemError } from "../sys/libc.ts";
import { becomeSubreaper, endCommandProcesses, ownDescendants } from "../sys/process.ts";
import { joinPath, type RawPath, rawPath } from "../sys/raw_path.ts";
import { DEVICE_NODES } from "./device_nodes.ts";
import { failure, findCommand } from "./find_command.ts";
import type { CommandMount } from "./command_mount.ts";
import { encodeLaunchInput, lastReport, type LaunchReport, type Refusal, type SandboxSpec } from "./launch_spec.ts";
import { emptyFile, IMAGE_PLACES, MountPoints, textFile } from "./mount_points.ts";
import { PlacedMounts, type PlacedOptions } from "./placed_mounts.ts";
import { prepareMounts, type SandboxMounts } from "./sandbox_mounts.ts";
import type { ExitStatus, Runner, RunOutput, RunSpec } from "./runner.ts";
import { DEFAULT_PATIENCE, type Patience, supervise, type SupervisedCommand } from "./supervise.ts";

/** What the runner needs from outside. */
export interface ChrootRunnerOptions {
  /** Starts this program so that its next word is the hidden verb `__launch`. */
  readonly selfCommand: readonly string[];
  /** Environment of the launcher itself, which the command does not see; a compiled program needs none. */
  readonly selfEnv?: Readonly<Record<string, string>>;
  /** An existing folder outside every rootfs, for launch files; on the file system of the roots. */
  readonly launchFolder: string;
  /** Takes the one warning about a sandbox that is less than it should be. */
  readonly warn: (message: string) => void;
  readonly patience?: Patience;
  /** The name servers to show to commands: the text of /etc/resolv.conf, by default the host's. */
  readonly resolvConf?: string;
}

/** From the best sandbox to the least. */
type SandboxLevel = "own-pids" | "shared-pids" | "plain";

type Attempt = { readonly kind: "done"; readonly status: ExitStatus } | LaunchReport & { readonly kind: "refused" };

const HOSTS = "127.0.0.1\tlocalhost buildkitsandbox\n::1\tlocalhost ip6-localhost ip6-loopback\n";
const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;

/**
 * The runner of builds whose rootfs is a folder. Commands of different folders may run at the same time; in one folder one
 * command runs at a time, as its mount points are made and removed around it.
 */
export class ChrootRunner implements Runner {
  readonly #options: ChrootRunnerOptions;
  readonly #patience: Patience;
  readonly #leaders = new Set<number>();
  #level: SandboxLevel = "own-pids";

  constructor(options: ChrootRunnerOptions) {
    this.#options = options;
    this.#patience = options.patience ?? DEFAULT_PATIENCE;
  }

  async run(spec: RunSpec, output: RunOutput, signal: AbortSignal): Promise<ExitStatus> {
    signal.throwIfAborted();
    if (spec.root === "/") throw new UnsupportedError('Cannot run with chroot in "/": it takes a rootfs folder');
    for (;;) {
      const attempt = await this.#attempt(this.#level, spec, output, signal);
      if (attempt.kind === "done") return attempt.status;
      this.#simplify(attempt.what);
    }
  }

  async #attempt(
    level: SandboxLevel,
    spec: RunSpec,
    output: RunOutput,
    signal: AbortSignal,
  ): Promise<Attempt> {
    const { mounts = [], network, ...identity } = spec;
    await using folder = await makeLaunchFolder(this.#options.launchFolder);
    using points = new MountPoints(spec.root);
    const reportPath = `${folder.path}/report`;
    await Deno.writeTextFile(reportPath, "", { createNew: true, mode: 0o600 });
    const stagingFolder = rawPath(`${folder.path}/staging`);
    await Deno.mkdir(`${folder.path}/staging`, { mode: 0o700 });
    const files = level === "plain" ? this.#fillPlain(points) : await this.#mountFiles(points, folder.path);
    const place = { root: spec.root, folder: rawPath(folder.path), points, asideFolder: rawPath(folder.path) };
    await using prepared = level === "plain" ? await placeAll(mounts, place) : await prepareMounts(mounts, place);
    const { contents, shown } = prepared;
    const command = findCommand(spec, shown).path;
    signal.throwIfAborted();
    const supervised = this.#spawn(level, (hasOwnPids) => {
      const kind = level === "plain" ? "plain" : "private";
      const isOffline = network === "none";
      const sandbox = { kind, hasOwnPids, files, mounts: prepared.mounts, stagingFolder, isOffline } as const;
      return encodeLaunchInput({ spec: { ...identity, command, sandbox, reportPath }, contents });
    });
    const { pid } = supervised.child;
    this.#leaders.add(pid);
    try {
      const status = await supervise(supervised, output, signal, this.#patience);
      return this.#conclude(spec, status, lastReport(await Deno.readTextFile(reportPath)));
    } finally {
      this.#leaders.delete(pid);
    }
  }

  /** Starts the launcher; `encode` is told first whether it will be the first process of a PID namespace. */
  #spawn(level: SandboxLevel, encode: (hasOwnPids: boolean) => Uint8Array): SupervisedCommand {
    const start = (hasOwnPids: boolean): Deno.ChildProcess => {
      const input = encode(hasOwnPids);
      const child = this.#launcher().spawn();
      void tell(child, input);
      return child;
    };
    if (level === "own-pids") {
      const own = withNewPidNamespace((isNew) => isNew ? start(true) : undefined);
      if (own !== undefined) return { child: own, isNamespaceInit: true, endRest: () => Promise.resolve() };
    }
    becomeSubreaper();
    const before = ownDescendants();
    const child = start(false);
    const sweep = { before, leaders: this.#leaders, leader: child.pid };
    return { child, isNamespaceInit: false, endRest: () => endCommandProcesses(sweep) };
  }

  #launcher(): Deno.Command {
    const [program = "", ...args] = this.#options.selfCommand;
    return new Deno.Command(program, {
      args: [...args, "__launch"],
      env: { ...this.#options.selfEnv },
      clearEnv: true,
      cwd: "/",
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      detached: true,
    });
  }

  /** The mount points of the private sandbox, and the host's files to show: copies, so that what is written is lost. */
  async #mountFiles(points: MountPoints, folder: string): Promise<SandboxSpec["files"]> {
    for (const place of [IMAGE_PLACES.proc, IMAGE_PLACES.sys, IMAGE_PLACES.dev]) points.directory(place);
    const copies = [
      { name: "resolv.conf", place: IMAGE_PLACES.resolvConf, text: this.#resolvConf() },
      { name: "hosts", place: IMAGE_PLACES.hosts, text: HOSTS },
    ];
    const files: { source: RawPath; target: RawPath }[] = [];
    for (const { name, place, text } of copies) {
      const target = points.file(place, emptyFile());
      if (target === undefined) continue;
      const source = `${folder}/${name}`;
      await Deno.writeTextFile(source, text, { createNew: true });
      await Deno.chmod(source, 0o644);
      files.push({ source: rawPath(source), target });
    }
    return files;
  }

  /** What a command cannot do without, where nothing can be mounted: devices and name servers, as nodes of the rootfs. */
  #fillPlain(points: MountPoints): SandboxSpec["files"] {
    const dev = IMAGE_PLACES.dev;
    points.directory(dev);
    for (const { name, ...numbers } of DEVICE_NODES) {
      points.node(joinPath(dev, rawPath(name)), { kind: "char", ...numbers });
    }
    points.file(IMAGE_PLACES.resolvConf, textFile(this.#resolvConf()));
    return [];
  }

  #resolvConf(): string {
    if (this.#options.resolvConf !== undefined) return this.#options.resolvConf;
    try {
      return Deno.readTextFileSync("/etc/resolv.conf");
    } catch (error: unknown) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }

  #conclude(spec: RunSpec, status: ExitStatus, report: LaunchReport | undefined): Attempt {
    if (report?.kind === "executing") return { kind: "done", status };
    if (report?.kind === "refused") return report;
    if (report === undefined) {
      const message = `Cannot start the launcher: ${status.lastLines.join(" ") || `it ended (${endText(status)})`}`;
      throw new SystemError("execve", "EIO", undefined, message);
    }
    if (report.phase === "sandbox") throw new SystemError("launch", report.errnoName, spec.root, report.message);
    throw failure(spec.argv[0] ?? "", report.message, report.errnoName === "ENOENT" ? NOT_FOUND : NOT_EXECUTABLE);
  }

  #simplify(refused: Refusal): void {
    if (refused === "network") {
      throw new UnsupportedError("Cannot run without network: the kernel permits no network namespace", {
        hint: "It takes the capability SYS_ADMIN",
      });
    }
    if (refused === "proc") {
      this.#level = "shared-pids";
    } else if (this.#level !== "plain") {
      this.#level = "plain";
      this.#options.warn(
        "Commands run without mounts of their own (/proc, /sys): the kernel permits no mount namespace",
      );
    }
  }
}

function endText(status: ExitStatus): string {
  return status.kind === "exited" ? `exit code ${status.code}` : status.signal;
}

/** Without mounts the launcher has nothing to mount: everything is in the root itself. */
async function placeAll(mounts: readonly CommandMount[], options: PlacedOptions): Promise<SandboxMounts> {
  const placed = await PlacedMounts.place(mounts, options);
  return { mounts: [], contents: [], shown: [], [Symbol.asyncDispose]: () => placed[Symbol.asyncDispose]() };
}

/** Sends the launcher its input. One that ends before it has read it will be seen to have ended. */
async function tell(child: Deno.ChildProcess, input: Uint8Array): Promise<void> {
  try {
    const writer = child.stdin.getWriter();
    await writer.write(input);
    await writer.close();
  } catch {
    // The report, or what the launcher has printed, tells why.
  }
}

async function makeLaunchFolder(parent: string): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ dir: parent, prefix: "launch-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
