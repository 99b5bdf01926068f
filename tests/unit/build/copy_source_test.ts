import { deepEqual, equal, rejects } from "node:assert/strict";
import { copySource, ImageFolders } from "../../../src/build/copy_source.ts";
import { parseDigest, sha256 } from "../../../src/oci/digest.ts";
import { parseReference } from "../../../src/oci/reference.ts";
import type { ResolvedImage } from "../../../src/plan/plan.ts";
import { Rootfs } from "../../../src/rootfs/rootfs.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { makeStageWorld } from "../../support/stage_world.ts";
import { memoryImage, memoryLayer } from "../../support/memory_image.ts";
import { sampleImage } from "../../support/sample_image.ts";

Deno.test("copySource gives the context without owners and a kept stage with them", async () => {
  await using world = await makeStageWorld();
  const kept = new Map([[3, new Rootfs(rawPath("/kept"), [])]]);
  const context = await copySource({ kind: "context" }, kept, world.session);
  equal(context.root, world.session.context.root);
  equal(context.keepsOwner, false);
  deepEqual(await copySource({ kind: "stage", stageIndex: 3 }, kept, world.session), {
    root: "/kept",
    keepsOwner: true,
  });
  await rejects(copySource({ kind: "stage", stageIndex: 4 }, kept, world.session), TypeError);
});

Deno.test("ImageFolders unpacks an image once when several steps copy from it", async () => {
  const image = memoryImage([await memoryLayer("f", "x")]);
  let asked = 0;
  await using world = await makeStageWorld(undefined, () => {
    asked++;
    return image;
  });
  const { manifest, manifestDescriptor } = sampleImage();
  const resolved: ResolvedImage = {
    reference: parseReference("a"),
    digest: parseDigest(sha256(new Uint8Array())),
    manifest,
    manifestDescriptor,
    config: image.config,
  };
  const folders = new ImageFolders();
  const [first, second] = await Promise.all([
    folders.unpacked(resolved, world.session),
    folders.unpacked(resolved, world.session),
  ]);
  equal(first, second);
  equal(asked, 1);
  equal(Deno.readTextFileSync(`${first}/f`), "x");
});
