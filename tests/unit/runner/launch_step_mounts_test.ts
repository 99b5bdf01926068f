import { deepEqual, equal, match } from "node:assert/strict";
import { setTimes } from "../../../src/sys/inode.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { AT_CWD, lstat } from "../../../src/sys/stat.ts";
import { ChrootScene, WITHOUT_MOUNTS } from "../../support/chroot_scene.ts";
import { cacheMount, contentMount, tmpfsMount, treeMount } from "../../support/command_mounts.ts";
import { listFiles } from "../../support/leftovers.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const OLD_NS = 1_000_000_000_000_000_001n;

for (const [name, prefix] of [["with mounts", []], ["without mounts", WITHOUT_MOUNTS]] as const) {
  Deno.test(`a command sees its mounts and leaves no trace of them ${name}`, async () => {
    await using scene = await ChrootScene.make(prefix);
    await using outside = await makeTempDir();
    const { path } = scene.rootfs;
    const cache = `${scene.folder.path}/cache`;
    await Deno.mkdir(cache);
    setTimes(AT_CWD, rawPath(`${path}/etc`), OLD_NS);
    const files = await listFiles(path);
    const mounts = [
      treeMount("/ctx", "context", { shareable: outside.path, isReadOnly: false }),
      contentMount("/ctx/in/secret", "s3cret", { mode: 0o440, uid: 7, gid: 8 }),
      contentMount("/etc/passwd", "hidden"),
      cacheMount("/etc/cache", cache),
      tmpfsMount("/t/m/p"),
      contentMount(
        "/dev/pipes/run",
        "#!/bin/sh\ncat /ctx/f /ctx/in/secret /etc/passwd; stat -c '%a %u:%g' /ctx/in/secret",
        {
          mode: 0o755,
        },
      ),
    ];
    const script = "/dev/pipes/run; touch /etc/cache/kept /t/m/p/lost /ctx/lost; ls /t/m/p; exit 3";
    const { code, stdout } = await scene.shell(script, 0, { mounts });
    deepEqual([code, stdout], [3, "contexts3crethidden440 7:8\nlost\n"]);
    deepEqual(await listFiles(path), files);
    equal(lstat(rawPath(`${path}/etc`))?.mtimeNs, OLD_NS);
    deepEqual(await listFiles(scene.folder.path), ["cache", "cache/kept"]);
    deepEqual(await listFiles(outside.path), []);
  });
}

Deno.test("a read-only mount cannot be written to, however deep", async () => {
  await using scene = await ChrootScene.make();
  await using shared = await makeTempDir();
  const mounts = [
    treeMount("/ro", "", { shareable: shared.path }),
    treeMount("/nested", "text"),
    contentMount("/nested/secret", "s", { mode: 0o777 }),
  ];
  const script = "for f in /ro/x /nested/x /nested/f /nested/secret; do (: > $f); done; mv /nested/secret /s; echo end";
  const { stdout, stderr } = await scene.shell(script, 0, { mounts });
  equal(stdout, "end\n");
  equal(stderr.match(/Read-only file system|busy|Cross-device/gi)?.length, 5, stderr);
  deepEqual(await listFiles(shared.path), []);
});

Deno.test("mounts of memory have their limits and flags, and are no files of the machine", async () => {
  await using scene = await ChrootScene.make();
  const mounts = [tmpfsMount("/t", 1 << 20), contentMount("/plain", "x"), contentMount("/x", "x", { mode: 0o500 })];
  const script = "dd if=/dev/zero of=/t/f bs=1M count=2; grep -E ' /(t|plain|x) ' /proc/self/mountinfo";
  const { stdout, stderr } = await scene.shell(script, 0, { mounts });
  match(stderr, /No space left/);
  const lines = stdout.trim().split("\n").map((line) => line.split(" "));
  const flags = Object.fromEntries(lines.map(([, , , , target, options]) => [target, options]));
  match(flags["/t"] ?? "", /^rw,nosuid,nodev/);
  match(flags["/plain"] ?? "", /^ro,nosuid,nodev,noexec/);
  match(flags["/x"] ?? "", /^ro,nosuid,nodev(?!,noexec)/);
  equal(lines.every((line) => line.includes("tmpfs")), true);
});

Deno.test("symlinks among mounted files lead nowhere outside of the root", async () => {
  await using scene = await ChrootScene.make();
  await using victim = await makeTempDir();
  const tree = treeMount("/ctx", "");
  if (tree.kind !== "tree") throw new TypeError("not a tree");
  const evil = {
    ...tree,
    async copyTo(place: string): Promise<void> {
      await Deno.mkdir(place);
      await Deno.symlink(victim.path, `${place}/link`);
    },
  };
  const { code } = await scene.shell("true", 0, { mounts: [evil, tmpfsMount("/ctx/link/new/dir")] });
  equal(code, 0);
  deepEqual(await listFiles(victim.path), []);
});
