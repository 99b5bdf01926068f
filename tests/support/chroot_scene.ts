/** A chroot runner with a busybox rootfs, for tests that look at the sandbox from both sides. */
import { ChrootRunner } from "../../src/runner/chroot_runner.ts";
import { exitCodeOf, type RunSpec } from "../../src/runner/runner.ts";
import { type BusyboxRoot, makeBusyboxRoot } from "./busybox_root.ts";
import { launcherCommand, launcherEnvironment } from "./launcher_command.ts";
import { makeTempDir, type TempDir } from "./temp_dir.ts";

/** What a command put out, and its exit code. */
export interface SandboxResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The runner, its rootfs and its folder for launch files, a sibling of the rootfs. */
export class ChrootScene implements AsyncDisposable {
  readonly warnings: string[] = [];
  readonly runner: ChrootRunner;

  private constructor(readonly rootfs: BusyboxRoot, readonly folder: TempDir, selfCommand: readonly string[]) {
    this.runner = new ChrootRunner({
      selfCommand,
      selfEnv: launcherEnvironment(),
      launchFolder: folder.path,
      warn: (message) => this.warnings.push(message),
      resolvConf: "nameserver 192.0.2.1\n",
    });
  }

  /** `prefix` goes before the launcher's command, to take rights from it. */
  static async make(prefix: readonly string[] = [], selfCommand = launcherCommand()): Promise<ChrootScene> {
    return new ChrootScene(await makeBusyboxRoot(), await makeTempDir(), [...prefix, ...selfCommand]);
  }

  /** Runs a shell script as root, or as `uid`; `more` adds to what is asked of the runner. */
  async shell(script: string, uid = 0, more: Partial<RunSpec> = {}): Promise<SandboxResult> {
    const text = { stdout: "", stderr: "" };
    const output = {
      write: (stream: "stdout" | "stderr", bytes: Uint8Array): void => {
        text[stream] += new TextDecoder().decode(bytes);
      },
    };
    const argv = ["sh", "-c", script];
    const own = { root: this.rootfs.root, argv, env: ["PATH=/bin"], workdir: "/", uid, gid: uid, groups: [] };
    const spec = { ...own, ...more };
    const status = await this.runner.run(spec, output, new AbortController().signal);
    return { code: exitCodeOf(status), ...text };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rootfs[Symbol.asyncDispose]();
    await this.folder[Symbol.asyncDispose]();
  }
}

/** Words that start a program without the right to make mounts. */
export const WITHOUT_MOUNTS = ["setpriv", "--bounding-set=-sys_admin", "--"];
