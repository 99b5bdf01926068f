import { deepEqual, equal, rejects } from "node:assert/strict";
import { OciLayout } from "../../../src/blob/oci_layout.ts";
import { LayerCache } from "../../../src/build/layer_cache.ts";
import { firstLineage, nextLineage } from "../../../src/cache/cache_key.ts";
import type { CacheStore, FoundEntry } from "../../../src/cache/cache_store.ts";
import { FormatError } from "../../../src/errors.ts";
import { MEDIA_TYPES } from "../../../src/oci/descriptor.ts";
import { entryOf, keyOf } from "../../support/cache_entries.ts";
import { copyStepOf, runStepOf, testServices } from "../../support/stage_world.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

const KEY = keyOf("a");
const ENTRY: FoundEntry = { ...entryOf(KEY, "x"), origin: "somewhere" };
const SERVICES = testServices("/");

function cacheOf(changes: Partial<CacheStore>): LayerCache {
  const store = { name: "", lookup: () => Promise.resolve(ENTRY), store: () => Promise.resolve(), ...changes };
  return new LayerCache(store, { runLayers: true, copyLayers: false }, SERVICES);
}

Deno.test("LayerCache.covers the kinds of steps that were asked for", () => {
  const cache = cacheOf({});
  deepEqual([runStepOf(), copyStepOf("a", "/a")].map((step) => cache.covers(step)), [true, false]);
});

Deno.test("LayerCache.find asks once for each key, also where it was asked ahead", async () => {
  let calls = 0;
  const cache = cacheOf({ lookup: () => Promise.resolve(++calls === 1 ? ENTRY : undefined) });
  cache.prefetch(KEY);
  equal(await cache.find(KEY, ENTRY.lineage), ENTRY);
  equal(await cache.find(KEY, ENTRY.lineage), ENTRY);
  equal(calls, 1);
});

Deno.test("LayerCache.find misses an entry of another lineage", async () => {
  const other = nextLineage(firstLineage(), ENTRY.diffId);
  equal(await cacheOf({}).find(KEY, other), undefined);
});

Deno.test("LayerCache.layerOf has the media types of the image and reads from the entry", async () => {
  await using folder = await makeTempDir();
  const layer = cacheOf({}).layerOf(ENTRY, "docker", await OciLayout.open(folder.path));
  equal(layer.descriptor.mediaType, MEDIA_TYPES.dockerLayerGzip);
  equal(await new Response(await layer.source.open(layer.descriptor)).text(), "x");
});

Deno.test("LayerCache does not give an entry again whose layer could not be read", async () => {
  await using folder = await makeTempDir();
  const cache = cacheOf({});
  const broken = { ...ENTRY, source: entryOf(KEY, "y").source };
  const layer = cache.layerOf(broken, "oci", await OciLayout.open(folder.path));
  equal(cache.takeFaults(), false);
  await rejects(layer.source.open(layer.descriptor), /digest/);
  deepEqual([cache.takeFaults(), cache.takeFaults()], [true, false]);
  equal(await cache.find(KEY, ENTRY.lineage), undefined);
});

Deno.test("LayerCache.settle waits for all that is kept, and a store that fails is no failure", async () => {
  const gate = Promise.withResolvers<void>();
  const kept: string[] = [];
  const cache = cacheOf({
    store: async (entry) => {
      await gate.promise;
      kept.push(entry.key);
      if (entry.key !== KEY) throw new FormatError("no");
    },
  });
  for (const digit of ["a", "b", "c", "d"]) cache.keep(entryOf(keyOf(digit), "x"));
  const settled = cache.settle();
  deepEqual(kept, []);
  gate.resolve();
  await settled;
  equal(kept.length, 4);
});

Deno.test("LayerCache.distrust makes a key a miss before it was ever asked for", async () => {
  const cache = cacheOf({});
  cache.distrust(KEY);
  equal(await cache.find(KEY, ENTRY.lineage), undefined);
});
