/** What every store of cached layers must do, whatever it is made of. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import type { BlobStore, ManifestStore } from "../../src/blob/blob_store.ts";
import { manifestBytes } from "../../src/oci/manifest.ts";
import { MEDIA_TYPES } from "../../src/oci/descriptor.ts";
import { sha256 } from "../../src/oci/digest.ts";
import { cacheOver, DAY_MS, entryOf, keyOf, NOW_MS } from "../support/cache_entries.ts";

/** A new, empty store. */
export interface StoreScene extends AsyncDisposable {
  readonly store: BlobStore & ManifestStore;
}

const SIGNAL = new AbortController().signal;
const A = keyOf("a");
const B = keyOf("b");

/** Runs the suite on what `open` makes. */
export function cacheStoreSuite(name: string, open: () => Promise<StoreScene>): void {
  const test = (title: string, check: (store: BlobStore & ManifestStore) => Promise<void>): void =>
    Deno.test(`${name}: ${title}`, async () => {
      await using scene = await open();
      await check(scene.store);
    });
  test("an entry comes back as it was stored", checkRoundTrip);
  test("a key that was never stored is a miss", async (store) => {
    await cacheOver(store).store(entryOf(A, "x"), SIGNAL);
    equal(await cacheOver(store).lookup(B, SIGNAL), undefined);
  });
  test("the last entry of a key counts", async (store) => {
    for (const text of ["one", "two"]) await cacheOver(store).store(entryOf(A, text), SIGNAL);
    equal((await cacheOver(store).lookup(A, SIGNAL))?.diffId, entryOf(A, "two").diffId);
  });
  test("an entry that is too old is a miss, and one of tomorrow's clock is none", checkAge);
  test("an entry whose layer fails to come is not there", checkFailedLayer);
  test("a manifest of another key is refused", checkOtherKey);
  test("a manifest that is no entry is refused", checkNoEntry);
  test("two writers of one key leave one whole entry", checkConcurrent);
}

async function checkRoundTrip(store: BlobStore & ManifestStore): Promise<void> {
  const entry = { ...entryOf(A, "layer"), resultKey: B };
  await cacheOver(store).store(entry, SIGNAL);
  const found = await cacheOver(store, NOW_MS, true).lookup(A, SIGNAL);
  const { source, origin, ...rest } = found ?? { ...entry, origin: "" };
  const { source: _source, ...expected } = entry;
  deepEqual({ origin, ...rest }, { origin: "the cache", ...expected });
  equal(await new Response(await source.open(entry.descriptor)).text(), "layer");
}

async function checkAge(store: BlobStore & ManifestStore): Promise<void> {
  await cacheOver(store).store(entryOf(A, "x"), SIGNAL);
  const isFound = async (ageMs: number): Promise<boolean> =>
    await cacheOver(store, NOW_MS + ageMs).lookup(A, SIGNAL) !== undefined;
  deepEqual([await isFound(DAY_MS), await isFound(DAY_MS + 1)], [true, false]);
  deepEqual([await isFound(-3600_000), await isFound(-2 * DAY_MS)], [true, false]);
}

async function checkFailedLayer(store: BlobStore & ManifestStore): Promise<void> {
  const entry = entryOf(A, "right");
  const wrong = entryOf(A, "wrong");
  await rejects(cacheOver(store).store({ ...entry, source: wrong.source }, SIGNAL));
  equal(await cacheOver(store).lookup(A, SIGNAL), undefined);
  equal(await store.has(entry.descriptor), false);
}

async function checkOtherKey(store: BlobStore & ManifestStore): Promise<void> {
  await cacheOver(store).store(entryOf(A, "x"), SIGNAL);
  const stored = await store.getManifest(A);
  if (stored !== undefined) await store.putManifest(B, stored);
  await rejects(cacheOver(store).lookup(B, SIGNAL), /Cannot use the cached layer bbb.*it says it is aaa/);
}

async function checkNoEntry(store: BlobStore & ManifestStore): Promise<void> {
  const entry = entryOf(A, "x");
  await cacheOver(store).store(entry, SIGNAL);
  const bytes = manifestBytes({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { ...entry.descriptor, mediaType: MEDIA_TYPES.ociConfig },
    layers: [entry.descriptor, entry.descriptor],
  });
  await store.putManifest(B, { mediaType: MEDIA_TYPES.ociManifest, digest: sha256(bytes), bytes });
  await rejects(cacheOver(store).lookup(B, SIGNAL), /Cannot use the cached layer bbb.*it has 2 layers/);
}

async function checkConcurrent(store: BlobStore & ManifestStore): Promise<void> {
  const texts = ["one", "two", "three"];
  await Promise.all(texts.map((text) => cacheOver(store).store(entryOf(A, text), SIGNAL)));
  const found = await cacheOver(store, NOW_MS, true).lookup(A, SIGNAL);
  equal(texts.some((text) => entryOf(A, text).diffId === found?.diffId), true);
}
