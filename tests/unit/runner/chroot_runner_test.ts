import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { exitCodeOf } from "../../../src/runner/runner.ts";
import { setTimes } from "../../../src/sys/inode.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { AT_CWD, lstat } from "../../../src/sys/stat.ts";
import { listDirectory } from "../../../src/sys/walk.ts";
import { makeBusyboxRoot } from "../../support/busybox_root.ts";
import { ChrootScene, WITHOUT_MOUNTS } from "../../support/chroot_scene.ts";

const OLD_NS = 1_000_000_000_000_000_001n;

for (const [name, prefix] of [["with mounts", []], ["without mounts", WITHOUT_MOUNTS]] as const) {
  Deno.test(`ChrootRunner leaves no mount point and no launch file behind ${name}`, async () => {
    await using scene = await ChrootScene.make(prefix);
    const { path } = scene.rootfs;
    for (const folder of [`${path}/etc`, path]) setTimes(AT_CWD, rawPath(folder), OLD_NS);
    equal((await scene.shell("test -c /dev/null && cat /etc/resolv.conf > /dev/null && exit 3")).code, 3);
    await rejects(
      scene.runner.run(
        { root: scene.rootfs.root, argv: ["sh"], env: [], workdir: "/none", uid: 0, gid: 0, groups: [] },
        { write: () => undefined },
        new AbortController().signal,
      ),
      { code: "system", message: /Cannot enter "\/none": no such file or directory/ },
    );
    deepEqual(listDirectory(rawPath(path)), ["bin", "etc", "tmp", "work"]);
    deepEqual(listDirectory(rawPath(`${path}/etc`)), ["passwd"]);
    deepEqual([lstat(rawPath(path))?.mtimeNs, lstat(rawPath(`${path}/etc`))?.mtimeNs], [OLD_NS, OLD_NS]);
    deepEqual(listDirectory(rawPath(scene.folder.path)), []);
  });
}

Deno.test("ChrootRunner warns once when there are no mounts", async () => {
  await using scene = await ChrootScene.make(WITHOUT_MOUNTS);
  deepEqual([(await scene.shell("exit 1")).code, (await scene.shell("exit 2")).code], [1, 2]);
  equal(scene.warnings.length, 1);
  match(scene.warnings[0] ?? "", /no mount namespace/);
});

Deno.test("ChrootRunner gives host files as copies whose changes are lost", async () => {
  await using scene = await ChrootScene.make();
  await Deno.writeTextFile(`${scene.rootfs.path}/etc/resolv.conf`, "image\n");
  const { stdout } = await scene.shell(
    "echo more >> /etc/hosts; echo more >> /etc/resolv.conf; cat /etc/resolv.conf /etc/hosts",
  );
  match(stdout, /^nameserver 192\.0\.2\.1\nmore\n127\.0\.0\.1\tlocalhost buildkitsandbox\n.*\nmore\n$/);
  equal(await Deno.readTextFile(`${scene.rootfs.path}/etc/resolv.conf`), "image\n");
  equal(lstat(rawPath(`${scene.rootfs.path}/etc/hosts`)), undefined);
  match((await scene.shell("cat /etc/hosts")).stdout, /^127\.0\.0\.1\tlocalhost buildkitsandbox\n[^\n]*\n$/);
});

Deno.test("ChrootRunner does not follow the image's symlinks out of the rootfs", async () => {
  await using scene = await ChrootScene.make();
  const victim = `${scene.folder.path}/victim`;
  await Deno.writeTextFile(victim, "host\n");
  await Deno.symlink(`../../../../../../..${victim}`, `${scene.rootfs.path}/etc/resolv.conf`);
  await Deno.symlink(victim, `${scene.rootfs.path}/etc/hosts`);
  await scene.shell("echo evil > /etc/resolv.conf; echo evil > /etc/hosts");
  equal(await Deno.readTextFile(victim), "host\n");
  await Deno.symlink("/etc", `${scene.rootfs.path}/proc`);
  await rejects(scene.shell("true"), { code: "unsupported", message: /its "\/proc" is a symlink/ });
});

Deno.test("ChrootRunner says what the launcher said when it did not start", async () => {
  await using scene = await ChrootScene.make([], ["/bin/sh", "-c", "echo broken >&2; exit 1"]);
  await rejects(scene.shell("true"), { code: "system", message: "Cannot start the launcher: broken" });
});

Deno.test("ChrootRunner refuses the root of the host", async () => {
  await using scene = await ChrootScene.make();
  const spec = { root: rawPath("/"), argv: ["true"], env: [], workdir: "/", uid: 0, gid: 0, groups: [] };
  const run = scene.runner.run(spec, { write: () => undefined }, new AbortController().signal);
  await rejects(run, { code: "unsupported" });
});

Deno.test("ChrootRunner runs commands of several folders at the same time", async () => {
  await using scene = await ChrootScene.make();
  await using other = await makeBusyboxRoot();
  const roots = [scene.rootfs, other];
  const statuses = await Promise.all(roots.map(({ root }, index) => {
    const argv = ["sh", "-c", `sleep 0.1; exit ${index}`];
    const spec = { root, argv, env: [], workdir: "/", uid: 0, gid: 0, groups: [] };
    return scene.runner.run(spec, { write: () => undefined }, new AbortController().signal);
  }));
  deepEqual(statuses.map(exitCodeOf), [0, 1]);
});
