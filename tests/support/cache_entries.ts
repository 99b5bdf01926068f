/** Cache entries of a few bytes, and what stores are made with. */
import type { BlobStore, ManifestStore } from "../../src/blob/blob_store.ts";
import { type CacheKey, firstLineage, parseCacheKey } from "../../src/cache/cache_key.ts";
import type { CacheEntry } from "../../src/cache/cache_store.ts";
import { ImageCache } from "../../src/cache/image_cache.ts";
import { MEDIA_TYPES } from "../../src/oci/descriptor.ts";
import { parseDiffId, sha256 } from "../../src/oci/digest.ts";

export const NOW_MS = 1_700_000_000_000;
export const DAY_MS = 24 * 3600 * 1000;

/** The key that is made of `digit`. */
export function keyOf(digit: string): CacheKey {
  return parseCacheKey(digit.repeat(64));
}

/** An entry whose layer is `text`. */
export function entryOf(key: CacheKey, text: string): CacheEntry {
  const bytes = new TextEncoder().encode(text);
  const digest = sha256(bytes);
  return {
    key,
    resultKey: key,
    lineage: firstLineage(),
    descriptor: { mediaType: MEDIA_TYPES.ociLayerGzip, digest, size: bytes.length },
    diffId: parseDiffId(digest),
    source: { open: () => Promise.resolve(new Blob([bytes]).stream()) },
    createdMs: NOW_MS - 1234,
    createdBy: `RUN echo ${text}`,
  };
}

/** A cache over `store` at `nowMs`, in which entries live a day. */
export function cacheOver(store: BlobStore & ManifestStore, nowMs = NOW_MS, checksBlobs = false): ImageCache {
  const platform = { os: "linux", architecture: "amd64" };
  return new ImageCache(store, { name: "the cache", ttlMs: DAY_MS, nowMs: () => nowMs, platform, checksBlobs });
}
