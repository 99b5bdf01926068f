import { equal, ok, rejects } from "node:assert/strict";
import { unpackLayers } from "../../../src/build/unpack.ts";
import type { BlobSource } from "../../../src/blob/blob_store.ts";
import { CachingSource } from "../../../src/blob/caching_source.ts";
import { OciLayout } from "../../../src/blob/oci_layout.ts";
import { IntegrityError } from "../../../src/blob/verify_stream.ts";
import { parseDiffId, sha256 } from "../../../src/oci/digest.ts";
import { makeStageWorld } from "../../support/stage_world.ts";
import { memoryImage, memoryLayer } from "../../support/memory_image.ts";
import { makeTempDir } from "../../support/temp_dir.ts";
import { TempRoot } from "../../support/temp_root.ts";

Deno.test("unpackLayers applies all layers, lowest first", async () => {
  await using world = await makeStageWorld();
  using temp = new TempRoot();
  const image = memoryImage([
    await memoryLayer("f", "below"),
    await memoryLayer("f", "above"),
    await memoryLayer("g", "g"),
  ]);
  await unpackLayers(image.layers, temp.rootfs, new Map(), world.session);
  equal(temp.text("/f"), "above");
  equal(temp.text("/g"), "g");
});

Deno.test("unpackLayers names the layer when it is not what its diffId says", async () => {
  await using world = await makeStageWorld();
  using temp = new TempRoot();
  const layer = { ...await memoryLayer("f", "x"), diffId: parseDiffId(sha256(new Uint8Array())) };
  await rejects(unpackLayers([layer], temp.rootfs, new Map(), world.session), (error: unknown) => {
    return error instanceof IntegrityError && error.message.includes(layer.descriptor.digest);
  });
});

Deno.test("unpackLayers stops at a layer that unpacks to more than it may", async () => {
  await using world = await makeStageWorld();
  using temp = new TempRoot();
  const layer = await memoryLayer("bomb", "0".repeat(5_000_000));
  ok(layer.descriptor.size < 100_000);
  const session = { ...world.session, layers: { maxUnpackedBytes: 1_000_000 } };
  await rejects(unpackLayers([layer], temp.rootfs, new Map(), session), (error: unknown) => {
    return error instanceof Error && /more than 1000000 bytes/.test(error.message) &&
      error.message.includes(layer.descriptor.digest);
  });
});

Deno.test("unpackLayers fetches the later layers while the first is being fetched and unpacked", async () => {
  await using world = await makeStageWorld();
  using temp = new TempRoot();
  await using folder = await makeTempDir();
  const layers = [await memoryLayer("a", "1"), await memoryLayer("b", "2"), await memoryLayer("c", "3")];
  const opened: string[] = [];
  const allOpened = Promise.withResolvers<void>();
  const layout = await OciLayout.open(folder.path);
  const remote = layers.map((layer) => {
    const open: BlobSource["open"] = async (descriptor, signal) => {
      opened.push(descriptor.digest);
      if (opened.length === layers.length) allOpened.resolve();
      await allOpened.promise; // no layer comes before all are asked for
      return await layer.source.open(descriptor, signal);
    };
    return { ...layer, source: new CachingSource({ open }, layout) };
  });
  await unpackLayers(memoryImage(remote).layers, temp.rootfs, new Map(), world.session);
  equal(temp.text("/c"), "3");
  equal(new Set(opened).size, 3);
});
