/** The runner suite on both runners. In place it runs commands that touch nothing outside a folder of the test. */
import { ChrootRunner } from "../../src/runner/chroot_runner.ts";
import { InplaceRunner } from "../../src/runner/inplace_runner.ts";
import { rawPath } from "../../src/sys/raw_path.ts";
import { makeBusyboxRoot } from "../support/busybox_root.ts";
import { launcherCommand, launcherEnvironment } from "../support/launcher_command.ts";
import { makeTempDir } from "../support/temp_dir.ts";
import { runnerSuite } from "./runner_suite.ts";

runnerSuite("InplaceRunner", async (patience) => {
  const folder = await makeTempDir();
  await Deno.chmod(folder.path, 0o755);
  return {
    runner: new InplaceRunner(patience),
    root: rawPath("/"),
    inside: folder.path,
    outside: folder.path,
    hasProc: true,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
});

const LESS: Readonly<Record<string, readonly string[]>> = {
  "ChrootRunner": [],
  "ChrootRunner without mounts": ["setpriv", "--bounding-set=-sys_admin", "--"],
};

for (const [name, prefix] of Object.entries(LESS)) {
  runnerSuite(name, async (patience) => {
    const folder = await makeTempDir();
    const rootfs = await makeBusyboxRoot();
    const runner = new ChrootRunner({
      selfCommand: [...prefix, ...launcherCommand()],
      selfEnv: launcherEnvironment(),
      launchFolder: folder.path,
      warn: () => undefined,
      patience,
    });
    return {
      runner,
      root: rootfs.root,
      inside: "/work",
      outside: `${rootfs.path}/work`,
      hasProc: prefix.length === 0,
      async [Symbol.asyncDispose](): Promise<void> {
        await rootfs[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  });
}
