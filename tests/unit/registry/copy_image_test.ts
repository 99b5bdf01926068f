import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { OciLayout } from "../../../src/blob/oci_layout.ts";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { sha256 } from "../../../src/oci/digest.ts";
import { manifestBytes } from "../../../src/oci/manifest.ts";
import { parsePlatform } from "../../../src/oci/platform.ts";
import { copyImage, layoutSink, registrySink } from "../../../src/registry/copy_image.ts";
import { fakeRegistry } from "../../support/fake_registry.ts";
import { registryWorld, wire } from "../../support/registry_world.ts";
import { sampleBytes, sampleImage, storeImage, storeManifest } from "../../support/sample_image.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const AMD64 = sampleImage();
const ARM64 = sampleImage([sampleBytes(30, 7), ...AMD64.layerBytes], parsePlatform("arm64"));
const INDEX = manifestBytes({
  schemaVersion: 2,
  mediaType: MEDIA_TYPES.ociIndex,
  manifests: [AMD64, ARM64].map(({ manifestDescriptor }) => manifestDescriptor),
});
const STORED = { mediaType: MEDIA_TYPES.ociIndex, digest: sha256(INDEX), bytes: INDEX };
const OPTIONS = { concurrency: 2, signal: new AbortController().signal, operation: "copy a to b" };

Deno.test("copyImage copies an index: blobs, then its images, then itself, and mounts where it can", async () => {
  const fake = fakeRegistry();
  for (const image of [AMD64, ARM64]) storeImage(fake, "a", "x", image);
  storeManifest(fake, "a", "1", MEDIA_TYPES.ociIndex, INDEX);
  using wired = wire(registryWorld(fake.fetch));
  const source = wired.client({ registry: "r.io", repository: "a" }, "pull");
  const sink = registrySink(wired.client({ registry: "r.io", repository: "b" }, "push"), "a");
  await copyImage(source, STORED, sink, "2", OPTIONS);
  deepEqual(fake.manifests.get("b:2")?.bytes, INDEX);
  const puts = fake.calls().filter((call) => call.startsWith("PUT"));
  deepEqual(
    puts,
    [AMD64.manifestDescriptor.digest, ARM64.manifestDescriptor.digest, "2"].map((name) =>
      `PUT /v2/b/manifests/${name}`
    ),
  );
  equal(fake.calls().filter((call) => call.startsWith("PATCH")).length, 0);
});

Deno.test("copyImage lists an index in a layout once, not its images", async () => {
  await using folder = await makeTempDir();
  const fake = fakeRegistry();
  for (const image of [AMD64, ARM64]) storeImage(fake, "a", "x", image);
  using wired = wire(registryWorld(fake.fetch));
  const source = wired.client({ registry: "r.io", repository: "a" }, "pull");
  const layout = await OciLayout.open(folder.path);
  await copyImage(source, STORED, layoutSink(layout), "v", OPTIONS);
  equal((await layout.index()).manifests.length, 1);
  for (const { manifestDescriptor, configDescriptor, layers } of [AMD64, ARM64]) {
    ok(await layout.getManifest(manifestDescriptor.digest));
    for (const blob of [configDescriptor, ...layers.map(({ descriptor }) => descriptor)]) ok(await layout.has(blob));
  }
});

Deno.test("copyImage moves no tag when an image of the index is missing, or indexes nest without end", async () => {
  const fake = fakeRegistry();
  storeImage(fake, "a", "x", AMD64);
  using wired = wire(registryWorld(fake.fetch));
  const source = wired.client({ registry: "r.io", repository: "a" }, "pull");
  const sink = registrySink(wired.client({ registry: "r.io", repository: "b" }, "push"), undefined);
  await rejects(copyImage(source, STORED, sink, "2", OPTIONS), /Cannot copy a to b: manifest unknown/);
  equal(fake.manifests.has("b:2"), false);
  const endless = { ...source, open: source.open.bind(source), getManifest: () => Promise.resolve(STORED) };
  await rejects(copyImage(endless, STORED, sink, "2", OPTIONS), /nested more than 3 deep/);
});
