import { deepEqual, equal } from "node:assert/strict";
import { appendStep, withStepLayer, writeStepLayer } from "../../../src/build/step_layer.ts";
import { StageRoot } from "../../../src/build/stage_root.ts";
import { scratchImage } from "../../../src/image/image.ts";
import { openUncompressed } from "../../../src/layer/layer.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { LINUX, makeStageWorld } from "../../support/stage_world.ts";
import { readAll } from "../../support/tar_members.ts";

Deno.test("writeStepLayer stores the changed files, and withStepLayer puts them on the image with their history", async () => {
  await using world = await makeStageWorld();
  const { session } = world;
  const root = new StageRoot(session.roots.open(0), session.hasher, session.services.nowMs);
  await Deno.writeTextFile(`${root.rootfs.path}/f`, "text");
  const layer = await writeStepLayer([{ kind: "write", path: rawPath("/f") }], root, "oci", session);
  equal(await session.work.layout.has(layer.descriptor), true);
  const tar = new TextDecoder().decode(await readAll(await openUncompressed(layer)));
  equal(tar.startsWith("f\0") && tar.includes("text"), true);
  const image = withStepLayer(scratchImage(LINUX), layer, "COPY f /", session);
  deepEqual(image.config.rootfs.diff_ids, [layer.diffId]);
  deepEqual(image.config.history.map(({ created_by }) => created_by), ["COPY f /"]);
});

Deno.test("appendStep writes no layer when that is for later", async () => {
  await using world = await makeStageWorld();
  const { session } = world;
  const root = new StageRoot(session.roots.open(0), session.hasher, session.services.nowMs);
  const result = { image: scratchImage(LINUX), layering: "later", root, changes: [] } as const;
  const image = await appendStep({ history: "RUN x" }, result, session);
  deepEqual([image.layers.length, image.config.history.length], [0, 1]);
});
