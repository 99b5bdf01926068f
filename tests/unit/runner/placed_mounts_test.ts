import { deepEqual, equal, rejects } from "node:assert/strict";
import type { CommandMount } from "../../../src/runner/command_mount.ts";
import { MountPoints } from "../../../src/runner/mount_points.ts";
import { PlacedMounts } from "../../../src/runner/placed_mounts.ts";
import { setTimes } from "../../../src/sys/inode.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { AT_CWD, lstat } from "../../../src/sys/stat.ts";
import { cacheMount, contentMount, tmpfsMount, treeMount } from "../../support/command_mounts.ts";
import { listFiles } from "../../support/leftovers.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const OLD_NS = 1_000_000_000_000_000_001n;

interface Scene extends AsyncDisposable {
  readonly root: string;
  readonly aside: string;
  readonly cache: string;
}

/** A root with /etc/passwd and /d/f, a folder for what is put aside, and a cache. */
async function makeScene(): Promise<Scene> {
  const folder = await makeTempDir();
  const scene = { root: `${folder.path}/root`, aside: `${folder.path}/aside`, cache: `${folder.path}/cache` };
  for (const path of [scene.aside, scene.cache, `${scene.root}/etc`, `${scene.root}/d`]) {
    await Deno.mkdir(path, { recursive: true });
  }
  await Deno.writeTextFile(`${scene.root}/etc/passwd`, "root");
  await Deno.writeTextFile(`${scene.root}/d/f`, "old");
  for (const path of ["/etc", "/d", ""]) setTimes(AT_CWD, rawPath(scene.root + path), OLD_NS);
  return { ...scene, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

async function withMounts(scene: Scene, mounts: readonly CommandMount[], run: () => Promise<void>): Promise<void> {
  using points = new MountPoints(rawPath(scene.root));
  await using _placed = await PlacedMounts.place(mounts, { points, asideFolder: rawPath(scene.aside) });
  await run();
}

async function state(scene: Scene): Promise<unknown> {
  const files = await listFiles(scene.root);
  const times = ["", "/etc", "/d"].map((path) => lstat(rawPath(scene.root + path))?.mtimeNs);
  return { files, times, aside: await listFiles(scene.aside), old: await Deno.readTextFile(`${scene.root}/d/f`) };
}

Deno.test("PlacedMounts puts all kinds in place and leaves the root as it was", async () => {
  await using scene = await makeScene();
  const before = await state(scene);
  await Deno.writeTextFile(`${scene.cache}/c`, "cached");
  const mounts = [
    contentMount("/etc/secret", "s", { mode: 0o440, uid: 7, gid: 8 }),
    contentMount("/deep/er/secret", "s"),
    treeMount("/d", "new"),
    tmpfsMount("/d/inner/t"),
    cacheMount("/etc/cache", scene.cache),
  ];
  await withMounts(scene, mounts, async () => {
    const node = lstat(rawPath(`${scene.root}/etc/secret`));
    deepEqual([node?.mode, node?.uid, node?.gid], [0o440, 7, 8]);
    equal(await Deno.readTextFile(`${scene.root}/d/f`), "new");
    equal(lstat(rawPath(`${scene.root}/d/inner/t`))?.mode, 0o1777);
    equal(await Deno.readTextFile(`${scene.root}/etc/cache/c`), "cached");
    equal(lstat(rawPath(`${scene.root}/etc`))?.mtimeNs, OLD_NS, "a command must not see what was put there");
    await Deno.writeTextFile(`${scene.root}/d/inner/t/x`, "lost");
    await Deno.writeTextFile(`${scene.root}/etc/cache/d`, "kept");
    await Deno.remove(`${scene.root}/deep/er/secret`);
  });
  // What the command itself did inside of what was lent is no change of the root.
  deepEqual(await state(scene), before);
  deepEqual(await listFiles(scene.cache), ["c", "d"]);
});

Deno.test("PlacedMounts keeps what the command has done around the targets", async () => {
  await using scene = await makeScene();
  await withMounts(scene, [contentMount("/etc/secret", "s"), tmpfsMount("/made/t")], async () => {
    await Deno.writeTextFile(`${scene.root}/etc/new`, "");
    await Deno.writeTextFile(`${scene.root}/made/kept`, "");
  });
  deepEqual(await listFiles(scene.root), ["d", "d/f", "etc", "etc/new", "etc/passwd", "made", "made/kept"]);
});

Deno.test("PlacedMounts removes its own files alone when the command puts a symlink in the way", async () => {
  await using scene = await makeScene();
  await Deno.mkdir(`${scene.root}/a`);
  await withMounts(scene, [contentMount("/a/passwd", "secret")], async () => {
    await Deno.rename(`${scene.root}/a`, `${scene.root}/b`);
    await Deno.symlink("etc", `${scene.root}/a`);
  });
  deepEqual(await listFiles(scene.root), ["a", "b", "d", "d/f", "etc", "etc/passwd"]);
  equal(await Deno.readTextFile(`${scene.root}/etc/passwd`), "root");
});

Deno.test("PlacedMounts drops what was put aside when the command removes its directory", async () => {
  await using scene = await makeScene();
  await withMounts(scene, [contentMount("/etc/passwd", "s")], async () => {
    await Deno.remove(`${scene.root}/etc`, { recursive: true });
  });
  deepEqual(await listFiles(scene.root), ["d", "d/f"]);
  deepEqual(await listFiles(scene.aside), []);
});

Deno.test("PlacedMounts leaves nothing behind when one mount fails", async () => {
  await using scene = await makeScene();
  const before = await state(scene);
  const mounts = [contentMount("/d/a", "s"), treeMount("/e/f", "", { failsHalfway: true })];
  await rejects(withMounts(scene, mounts, () => Promise.resolve()), /halfway/);
  deepEqual(await state(scene), before);
  await rejects(withMounts(scene, [contentMount("/d/a", "s"), tmpfsMount("/etc/passwd")], () => Promise.resolve()), {
    code: "dockerfile",
    message: 'Cannot mount a folder at "/etc/passwd": a file is there',
  });
  deepEqual(await state(scene), before);
});
