import { deepEqual, equal, rejects } from "node:assert/strict";
import { MountPoints } from "../../../src/runner/mount_points.ts";
import { prepareMounts } from "../../../src/runner/sandbox_mounts.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { contentMount, tmpfsMount, treeMount } from "../../support/command_mounts.ts";
import { listFiles } from "../../support/leftovers.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

Deno.test("prepareMounts makes mount points, copies what cannot be shared, and collects contents in order", async () => {
  await using root = await makeTempDir();
  await using folder = await makeTempDir();
  await using shared = await makeTempDir();
  await Deno.mkdir(`${root.path}/real`);
  await Deno.symlink("/real", `${root.path}/link`);
  using points = new MountPoints(rawPath(root.path));
  const place = { root: rawPath(root.path), folder: rawPath(folder.path), points };
  await using prepared = await prepareMounts([
    treeMount("/link/shared", "", { shareable: shared.path }),
    treeMount("/outer", "", { shareable: shared.path }),
    contentMount("/outer/in/s", "inner", { mode: 0o500 }),
    treeMount("/rw", "mine", { shareable: shared.path, isReadOnly: false }),
    contentMount("/dev/pipes/x", "script"),
    tmpfsMount("/t", 5),
  ], place);
  const seen = prepared.mounts.map((mount) => [mount.kind, mount.target, mount.kind === "bind" && mount.source]);
  deepEqual(seen, [
    ["content", "/dev/pipes/x", false],
    ["bind", "/outer", `${folder.path}/mount-1`],
    ["content", "/outer/in/s", false],
    ["bind", "/real/shared", shared.path],
    ["bind", "/rw", `${folder.path}/mount-4`],
    ["tmpfs", "/t", false],
  ]);
  deepEqual(prepared.contents.map((content) => new TextDecoder().decode(content)), ["script", "inner"]);
  equal(await Deno.readTextFile(`${folder.path}/mount-4/f`), "mine");
  deepEqual(await listFiles(root.path), ["link", "outer", "real", "real/shared", "rw", "t"]);
  points[Symbol.dispose]();
  deepEqual(await listFiles(root.path), ["link", "real"]);
});

Deno.test("prepareMounts refuses the places that a command has of its own", async () => {
  await using root = await makeTempDir();
  await Deno.symlink("/proc/self", `${root.path}/link`);
  using points = new MountPoints(rawPath(root.path));
  const place = { root: rawPath(root.path), folder: rawPath(root.path), points };
  for (const target of ["/proc", "/proc/x", "/sys/x", "/dev", "/link/x", "/a/.."]) {
    await rejects(prepareMounts([tmpfsMount(target)], place), { code: "unsupported", message: /^Cannot mount at / });
  }
});
