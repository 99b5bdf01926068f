/** What a suite for all stores cannot show: requests, and layers that vanish. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { OciLayout } from "../../../src/blob/oci_layout.ts";
import { parseManifest } from "../../../src/oci/manifest.ts";
import { cacheOver, entryOf, keyOf, NOW_MS } from "../../support/cache_entries.ts";
import { fakeRegistry } from "../../support/fake_registry.ts";
import { registryWorld, wire } from "../../support/registry_world.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const SIGNAL = new AbortController().signal;
const REPOSITORY = { registry: "r.test", repository: "app/cache" };

Deno.test("ImageCache.lookup asks a registry once, and for nothing but the manifest", async () => {
  const registry = fakeRegistry();
  using wired = wire(registryWorld(registry.fetch));
  await cacheOver(wired.client(REPOSITORY, "push")).store(entryOf(keyOf("a"), "x"), SIGNAL);
  registry.seen.length = 0;
  await cacheOver(wired.client(REPOSITORY, "pull")).lookup(keyOf("a"), SIGNAL);
  deepEqual(registry.calls(), [`GET /v2/app/cache/manifests/${"a".repeat(64)}`]);
});

Deno.test("ImageCache.store writes an image whose tag is the key", async () => {
  const registry = fakeRegistry();
  using wired = wire(registryWorld(registry.fetch));
  await cacheOver(wired.client(REPOSITORY, "push")).store(entryOf(keyOf("a"), "x"), SIGNAL);
  const stored = registry.manifests.get(`app/cache:${"a".repeat(64)}`);
  const manifest = parseManifest(stored?.bytes ?? new Uint8Array());
  equal("layers" in manifest && manifest.layers.length, 1);
  equal(registry.calls().at(-1), `PUT /v2/app/cache/manifests/${"a".repeat(64)}`);
});

Deno.test("ImageCache.lookup misses when the layer is gone and the store is asked for it", async () => {
  await using folder = await makeTempDir();
  const store = await OciLayout.open(folder.path);
  const entry = entryOf(keyOf("a"), "x");
  await cacheOver(store).store(entry, SIGNAL);
  await store.remove(entry.descriptor);
  equal(await cacheOver(store, NOW_MS, true).lookup(entry.key, SIGNAL), undefined);
});

Deno.test("ImageCache gives a source that errors when the layer was changed", async () => {
  await using folder = await makeTempDir();
  const store = await OciLayout.open(folder.path);
  const entry = entryOf(keyOf("a"), "x");
  await cacheOver(store).store(entry, SIGNAL);
  await Deno.writeTextFile(`${folder.path}/blobs/sha256/${entry.descriptor.digest.slice(7)}`, "y");
  const found = await cacheOver(store, NOW_MS, true).lookup(entry.key, SIGNAL);
  await rejects(async () => {
    const stream = await found?.source.open(entry.descriptor);
    await new Response(stream).text();
  }, /digest/);
});

Deno.test("ImageCache.store refuses a blob that is no layer", async () => {
  await using folder = await makeTempDir();
  const entry = entryOf(keyOf("a"), "x");
  const descriptor = { ...entry.descriptor, mediaType: "text/plain" };
  const cache = cacheOver(await OciLayout.open(folder.path));
  await rejects(cache.store({ ...entry, descriptor }, SIGNAL), /media type "text\/plain" is no layer's/);
});
