import { equal } from "node:assert/strict";
import { chooseRootPlace } from "../../../src/build/root_place.ts";
import { FolderRoots } from "../../../src/rootfs/folder_roots.ts";
import { InplaceRoots } from "../../../src/rootfs/inplace_roots.ts";
import { ChrootRunner } from "../../../src/runner/chroot_runner.ts";
import { InplaceRunner } from "../../../src/runner/inplace_runner.ts";
import { makeStageWorld } from "../../support/stage_world.ts";

const OPTIONS = { force: true, ignorePaths: [], preCleanup: false } as const;

Deno.test("chooseRootPlace gives folders below the work folder when isolation is chroot", async () => {
  await using world = await makeStageWorld();
  const { work, context, services } = world.session;
  const place = chooseRootPlace({ ...OPTIONS, isolation: "chroot" }, { ...services, env: { TMPDIR: "/t" } });
  equal(place.workParent, "/t");
  const { roots, runner } = place.open(work, context, []);
  equal(roots instanceof FolderRoots && runner instanceof ChrootRunner, true);
  equal(roots.open(5).path, `${work.stages}/5`);
  const moved = chooseRootPlace({ ...OPTIONS, isolation: "chroot", workFolder: "/w" }, services);
  equal(moved.workParent, "/w");
});

Deno.test("chooseRootPlace protects mounts, context, login and work folder when the build is in place", async () => {
  await using world = await makeStageWorld();
  const { work, context, services } = world.session;
  const login = `${work.path}/login/config.json`;
  await Deno.mkdir(`${work.path}/login`);
  const options = { ...OPTIONS, isolation: "inplace", ignorePaths: ["/ignored/"] } as const;
  const { roots, runner } = chooseRootPlace(options, services).open(work, context, [login]);
  equal(roots instanceof InplaceRoots && runner instanceof InplaceRunner, true);
  const rootfs = roots.open(0);
  equal(rootfs.path, "/");
  for (const path of ["/proc", "/proc/self", context.root, "/kaniko/executor", `${work.path}/login/x`, "/ignored/x"]) {
    equal(rootfs.isProtected(path as typeof context.root), true, path);
  }
  equal(rootfs.isProtected("/usr" as typeof context.root), false);
});
