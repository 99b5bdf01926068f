import { deepEqual, equal, notEqual, rejects } from "node:assert/strict";
import { CacheFolders, type CacheOrigin } from "../../../src/build/cache_folders.ts";
import { findFiles } from "../../../src/build/mounted_files.ts";
import type { CacheMount } from "../../../src/plan/plan.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { lstat } from "../../../src/sys/stat.ts";
import { makeStageWorld, type StageWorld } from "../../support/stage_world.ts";

function mountOf(more: Partial<CacheMount> = {}): CacheMount {
  const access = { mode: 0o755, uid: 0, gid: 0 };
  return {
    kind: "cache",
    target: "/c",
    id: "i",
    source: "/",
    isReadOnly: false,
    sharing: "shared",
    ...access,
    ...more,
  };
}

function foldersOf(world: StageWorld): CacheFolders {
  return new CacheFolders({ parent: rawPath(`${world.session.work.path}/caches`), inplaceRoot: undefined });
}

/** The folder that a mount means; released at once. */
async function folderOf(world: StageWorld, more: Partial<CacheMount>, origin?: CacheOrigin): Promise<string> {
  using cache = await foldersOf(world).open(mountOf(more), origin, world.session);
  return cache.folder;
}

Deno.test("CacheFolders tells caches apart by id, owner, mode and origin, and by nothing else", async () => {
  await using world = await makeStageWorld();
  const origin = (identity: string): CacheOrigin => ({
    identity,
    files: findFiles("/", { root: rawPath(world.contextPath), keepsOwner: true }, world.session),
  });
  const same = await folderOf(world, {});
  equal(await folderOf(world, { target: "/other", sharing: "locked", isReadOnly: true }), same);
  const others = [
    await folderOf(world, { id: "j" }),
    await folderOf(world, { uid: 1 }),
    await folderOf(world, { gid: 1 }),
    await folderOf(world, { mode: 0o700 }),
    await folderOf(world, {}, origin("a")),
    await folderOf(world, {}, origin("b")),
    await folderOf(world, { source: "/x" }, origin("b")),
  ];
  equal(new Set([same, ...others]).size, 8);
});

Deno.test("CacheFolders makes a cache once, with its owner and mode, from what it comes from", async () => {
  await using world = await makeStageWorld();
  await Deno.writeTextFile(`${world.contextPath}/f`, "seed");
  const files = findFiles("/", { root: rawPath(world.contextPath), keepsOwner: true }, world.session);
  const mount = { uid: 3, gid: 4, mode: 0o2750 };
  const folder = await folderOf(world, mount, { identity: "x", files });
  const node = lstat(rawPath(folder));
  deepEqual([node?.uid, node?.gid, node?.mode], [3, 4, 0o2750]);
  equal(await Deno.readTextFile(`${folder}/f`), "seed");
  await Deno.remove(`${folder}/f`);
  await folderOf(world, mount, { identity: "x", files });
  equal(lstat(rawPath(`${folder}/f`)), undefined);
  const file = findFiles("/f", { root: rawPath(world.contextPath), keepsOwner: true }, world.session);
  await rejects(folderOf(world, {}, { identity: "y", files: file }), { code: "context", message: /not as a file/ });
});

Deno.test("CacheFolders begins anew when a build was killed while it made a cache", async () => {
  await using world = await makeStageWorld();
  const folder = await folderOf(world, {});
  await Deno.rename(folder, `${folder}.new`);
  await Deno.writeTextFile(`${folder}.new/half`, "");
  equal(await folderOf(world, {}), folder);
  deepEqual([...Deno.readDirSync(folder)], []);
});

Deno.test("CacheFolders gives a part of a cache, and no link of it leads outside", async () => {
  await using world = await makeStageWorld();
  const folder = await folderOf(world, {});
  await Deno.mkdir(`${folder}/in`);
  await Deno.symlink("/", `${folder}/root`);
  await Deno.symlink("../../../../..", `${folder}/up`);
  await Deno.symlink("/usr", `${folder}/etc`);
  equal(await folderOf(world, { source: "/root/in" }), `${folder}/in`);
  equal(await folderOf(world, { source: "/up" }), folder);
  await rejects(folderOf(world, { source: "/etc" }), { code: "context", message: /no folder of the cache "i"/ });
  await rejects(folderOf(world, { source: "/none" }), { code: "context" });
});

Deno.test("CacheFolders shares, locks and keeps private as asked", async () => {
  await using world = await makeStageWorld();
  const folders = foldersOf(world);
  const open = (sharing: CacheMount["sharing"], session = world.session): ReturnType<CacheFolders["open"]> =>
    folders.open(mountOf({ sharing }), undefined, session);
  {
    using first = await open("shared");
    using second = await open("shared");
    equal(first.folder, second.folder);
    using own = await open("private");
    notEqual(own.folder, first.folder);
    using other = await open("private");
    equal(new Set([first.folder, own.folder, other.folder]).size, 3);
  }
  const stop = new AbortController();
  using first = await open("locked");
  const session = { ...world.session, services: { ...world.session.services, signal: stop.signal } };
  const waiting = open("locked", session);
  stop.abort(new TypeError("enough"));
  await rejects(waiting, /enough/);
  const later = open("locked");
  first[Symbol.dispose]();
  using second = await later;
  equal(second.folder, first.folder);
});
