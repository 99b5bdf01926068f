import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { copyFolder, findFiles } from "../../../src/build/mounted_files.ts";
import { parseDockerignore } from "../../../src/context/dockerignore.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { lstat } from "../../../src/sys/stat.ts";
import { makeStageWorld, type StageWorld } from "../../support/stage_world.ts";

async function fill(world: StageWorld): Promise<string> {
  const root = world.contextPath;
  await Deno.mkdir(`${root}/d/e`, { recursive: true });
  await Deno.writeTextFile(`${root}/d/f`, "f");
  await Deno.writeTextFile(`${root}/d/e/[*]`, "odd");
  await Deno.symlink("/d", `${root}/link`);
  return root;
}

Deno.test("findFiles shows files as they are when a copy would look the same", async () => {
  await using world = await makeStageWorld();
  const root = rawPath(await fill(world));
  const context = { root, keepsOwner: false };
  const find = (path: string, tree: Parameters<typeof findFiles>[1] = context): string | undefined =>
    findFiles(path, tree, world.session).shareable;
  equal(find("/d"), `${root}/d`);
  equal(find("/link/f"), `${root}/d/f`);
  equal(find("/"), root);
  const filter = parseDockerignore(new TextEncoder().encode("d/e/*\n"));
  equal(find("/d", { ...context, filter }), undefined);
  equal(find("/d/f", { ...context, filter }), `${root}/d/f`);
  await Deno.chown(`${root}/d/f`, 5, 5);
  equal(find("/d"), undefined);
  equal(find("/d/e"), `${root}/d/e`);
  equal(find("/d", { ...context, keepsOwner: true }), `${root}/d`);
});

Deno.test("findFiles copies a folder without what is ignored, as root's, with mode and time", async () => {
  await using world = await makeStageWorld();
  const root = await fill(world);
  await Deno.chown(`${root}/d`, 5, 5);
  await Deno.chmod(`${root}/d`, 0o711);
  await Deno.utime(`${root}/d`, 9, 9);
  const filter = parseDockerignore(new TextEncoder().encode("d/f\n"));
  const files = findFiles("/d", { root: rawPath(root), keepsOwner: false, filter }, world.session);
  const place = `${world.session.work.path}/copy`;
  await files.copyTo(rawPath(place));
  const node = lstat(rawPath(place));
  deepEqual([node?.uid, node?.mode, node?.mtimeNs], [0, 0o711, 9_000_000_000n]);
  deepEqual([...Deno.readDirSync(place)].map(({ name }) => name), ["e"]);
  equal(Deno.readTextFileSync(`${place}/e/[*]`), "odd");
});

Deno.test("findFiles copies one file, whatever its name", async () => {
  await using world = await makeStageWorld();
  const root = rawPath(await fill(world));
  const files = findFiles("/d/e/[*]", { root, keepsOwner: false }, world.session);
  equal(files.isFolder, false);
  await files.copyTo(rawPath(`${world.session.work.path}/one`));
  equal(Deno.readTextFileSync(`${world.session.work.path}/one`), "odd");
});

Deno.test("findFiles throws when nothing is there that can be mounted", async () => {
  await using world = await makeStageWorld();
  const root = await fill(world);
  await Deno.symlink("/none", `${root}/dangling`);
  const tree = { root: rawPath(root), keepsOwner: false };
  for (const path of ["/none", "/dangling", "/d/../none"]) {
    throws(() => findFiles(path, tree, world.session), { code: "context", message: /^Cannot mount ".*": not found$/ });
  }
});

Deno.test("copyFolder keeps owners and hard links", async () => {
  await using world = await makeStageWorld();
  const root = await fill(world);
  await Deno.link(`${root}/d/f`, `${root}/d/g`);
  await Deno.chown(`${root}/d/f`, 5, 6);
  const place = `${world.session.work.path}/copy`;
  await copyFolder(rawPath(`${root}/d`), rawPath(place), world.session);
  const node = lstat(rawPath(`${place}/g`));
  deepEqual([node?.uid, node?.gid, node?.nlink], [5, 6, 2]);
  await rejects(copyFolder(rawPath(`${root}/none`), rawPath(`${place}2`), world.session));
});
