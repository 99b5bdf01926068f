import { deepEqual, equal, rejects } from "node:assert/strict";
import { copyFiles } from "../../../src/build/copy_step.ts";
import type { StepPlace } from "../../../src/build/run_step.ts";
import { StageRoot } from "../../../src/build/stage_root.ts";
import { scratchImage } from "../../../src/image/image.ts";
import { openUncompressed } from "../../../src/layer/layer.ts";
import type { Image } from "../../../src/image/image.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { readTar } from "../../../src/tar/read.ts";
import { describeFolder } from "../../support/copy_scene.ts";
import { copyStepOf, LINUX, makeStageWorld, type StageWorld } from "../../support/stage_world.ts";

interface Place extends StepPlace {
  readonly root: StageRoot;
}

function placeIn({ session }: StageWorld, isLive = true): Place {
  const root = new StageRoot(session.roots.open(0), session.hasher, session.services.nowMs);
  return {
    root,
    image: scratchImage(LINUX),
    materialise: () => Promise.resolve(root),
    liveRoot: () => isLive ? root : undefined,
    kept: new Map(),
    implicitTimeNs: 0n,
    layering: "step",
  };
}

/** The names in the image's last layer. */
async function lastLayer(image: Image): Promise<readonly string[]> {
  const layer = image.layers.at(-1);
  if (layer === undefined) return [];
  const names: string[] = [];
  const visitor = { entry: ({ path }: { path: string }) => void names.push(path), body: () => {}, end: () => {} };
  await readTar(await openUncompressed(layer), { ...visitor, hole: () => {} }, new AbortController().signal);
  return names;
}

Deno.test("copyFiles goes through a link at the destination, and with --link replaces it", async () => {
  for (const link of [false, true]) {
    await using world = await makeStageWorld();
    await Deno.writeTextFile(`${world.contextPath}/f`, "x");
    const place = placeIn(world);
    await Deno.mkdir(`${place.root.rootfs.path}/real`);
    await Deno.symlink("/real", `${place.root.rootfs.path}/abs`);
    const image = await copyFiles(copyStepOf("f", "/abs/", { link }), place, world.session);
    deepEqual(await lastLayer(image), link ? ["abs", "abs/f"] : ["real", "real/f"]);
    deepEqual(
      describeFolder(place.root.rootfs.path),
      link ? { "/abs": "d", "/abs/f": "f:x", "/real": "d" } : { "/abs": "l:/real", "/real": "d", "/real/f": "f:x" },
    );
    deepEqual(
      Deno.readDirSync(world.session.work.path).map(({ name }) => name).filter((n) => n.startsWith("link-")).toArray(),
      [],
    );
  }
});

Deno.test("copyFiles with --link needs no root, and leaves a stage without one alone", async () => {
  await using world = await makeStageWorld();
  await Deno.writeTextFile(`${world.contextPath}/f`, "x");
  const place = placeIn(world, false);
  const image = await copyFiles(copyStepOf("f", "/a/f", { link: true }), place, world.session);
  deepEqual(await lastLayer(image), ["a", "a/f"]);
  deepEqual(describeFolder(place.root.rootfs.path), {});
});

Deno.test("copyFiles with --link knows no names of users", async () => {
  await using world = await makeStageWorld();
  await Deno.writeTextFile(`${world.contextPath}/f`, "x");
  const step = copyStepOf("f", "/f", { link: true, chown: "root:bob" });
  await rejects(copyFiles(step, placeIn(world), world.session), /the image is empty and knows no names/);
});

Deno.test("copyFiles adds what is fetched, in the order of the instruction", async () => {
  await using world = await makeStageWorld();
  for (const name of ["a", "b"]) await Deno.writeTextFile(`${world.contextPath}/${name}`, name);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, () => new Response("fetched"));
  const url = `http://127.0.0.1:${server.addr.port}/u`;
  const place = placeIn(world);
  const remotes = [{ kind: "url", position: 1, url, unpack: false }] as const;
  const step = copyStepOf("a", "/last", { instruction: "ADD", patterns: ["a", "b"], remotes });
  await copyFiles(step, place, world.session);
  equal(await Deno.readTextFile(`${place.root.rootfs.path}/last`), "b");
  await copyFiles({ ...step, patterns: ["a"] }, place, world.session);
  await server.shutdown();
  equal(await Deno.readTextFile(`${place.root.rootfs.path}/last`), "fetched");
  equal(place.root.rootfs.lstat(rawPath("/last"))?.mode, 0o600);
});
