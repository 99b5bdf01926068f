import { deepEqual, equal, match } from "node:assert/strict";
import { ChrootScene, WITHOUT_MOUNTS } from "../../support/chroot_scene.ts";

Deno.test("launch makes the command the first process of its own namespaces", async () => {
  await using scene = await ChrootScene.make();
  const { stdout } = await scene.shell(
    "echo $$; hostname; for n in mnt ipc uts; do readlink /proc/self/ns/$n; done",
  );
  const [pid, host, ...namespaces] = stdout.trim().split("\n");
  deepEqual([pid, host], ["1", "buildkitsandbox"]);
  const own = ["mnt", "ipc", "uts"].map((name) => Deno.readLinkSync(`/proc/self/ns/${name}`));
  equal(new Set([...namespaces, ...own]).size, 6);
});

for (const [name, prefix] of [["with mounts", []], ["without mounts", WITHOUT_MOUNTS]] as const) {
  Deno.test(`launch leaves root the capabilities of a container ${name}`, async () => {
    await using scene = await ChrootScene.make(prefix);
    await Deno.mkdir(`${scene.rootfs.path}/proc`);
    const { stdout } = await scene.shell(
      "test -e /proc/self || mount -t proc proc /proc; grep Cap /proc/self/status || id -u",
    );
    if (name === "with mounts") {
      for (const set of ["CapEff", "CapPrm", "CapBnd"]) match(stdout, new RegExp(`^${set}:\\s*00000000a80425fb$`, "m"));
    } else {
      equal(stdout, "0\n"); // and no /proc, as the mount was refused
    }
  });
}

Deno.test("launch leaves no way out by a second chroot", async () => {
  await using scene = await ChrootScene.make();
  const { stdout } = await scene.shell("mkdir /tmp/x; chroot /tmp/x /bin/true; cd /../../../..; ls");
  deepEqual(stdout.trim().split("\n"), ["bin", "dev", "etc", "proc", "sys", "tmp", "work"]);
});
