/**
 * The cache as images: each entry is a manifest with one layer, tagged with its key, in any store of blobs and manifests.
 * So one code serves a repository of a registry and an image layout, and registries' rules for cleaning up apply.
 */
import type { BlobSource, BlobStore, ManifestStore, StoredManifest } from "../blob/blob_store.ts";
import { FormatError } from "../errors.ts";
import { type Descriptor, layerCompression, layerMediaType, MEDIA_TYPES } from "../oci/descriptor.ts";
import { parseDiffId, sha256 } from "../oci/digest.ts";
import { configBytes } from "../oci/image_config.ts";
import { isIndex, manifestBytes, parseManifest } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import { type CacheKey, parseCacheKey, parseLineage } from "./cache_key.ts";
import type { CacheEntry, CacheStore, FoundEntry } from "./cache_store.ts";

/** How entries are kept and judged. */
export interface ImageCacheOptions {
  /** For messages. */
  readonly name: string;
  /** Entries older than this are not there, milliseconds. */
  readonly ttlMs: number;
  /** The time, milliseconds since 1970. */
  readonly nowMs: () => number;
  /** What images of entries say they are for. */
  readonly platform: Platform;
  /** Whether each lookup makes sure that the layer is there: cheap on a disk, a request to a registry. */
  readonly checksBlobs: boolean;
}

const KEY = "kiln.cache.key";
const RESULT_KEY = "kiln.cache.result-key";
const LINEAGE = "kiln.cache.lineage";
const DIFF_ID = "kiln.cache.diff-id";
const CREATED = "kiln.cache.layer-created";
const STORED = "org.opencontainers.image.created";
const CREATED_BY = "kiln.cache.created-by";
/** Annotations are no place for long scripts. */
const MAX_CREATED_BY_CHARACTERS = 2000;
/** Clocks differ. */
const MAX_CLOCK_LEAD_MS = 24 * 3600 * 1000;

/** A cache in one store. */
export class ImageCache implements CacheStore {
  readonly name: string;
  readonly #store: BlobStore & ManifestStore;
  readonly #options: ImageCacheOptions;

  constructor(store: BlobStore & ManifestStore, options: ImageCacheOptions) {
    this.name = options.name;
    this.#store = store;
    this.#options = options;
  }

  /** See CacheStore. Throws FormatError for what is no entry of this key, and what the store throws. */
  async lookup(key: CacheKey, signal: AbortSignal): Promise<FoundEntry | undefined> {
    const stored = await this.#store.getManifest(key, signal);
    if (stored === undefined) return undefined;
    const { entry, storedMs } = readEntry(stored, key, this.#store);
    const ageMs = this.#options.nowMs() - storedMs;
    if (ageMs > this.#options.ttlMs || ageMs < -MAX_CLOCK_LEAD_MS) return undefined;
    if (this.#options.checksBlobs && !await this.#store.has(entry.descriptor, signal)) return undefined;
    return { ...entry, origin: this.name };
  }

  /** See CacheStore. The manifest comes last, so that whoever finds it finds its blobs. */
  async store(entry: CacheEntry, signal: AbortSignal): Promise<void> {
    const layer = ociDescriptor(entry.descriptor);
    const { os, architecture, variant } = this.#options.platform;
    const stored = formatTime(this.#options.nowMs());
    const created = formatTime(entry.createdMs);
    const config = configBytes({
      created: stored,
      os,
      architecture,
      ...(variant !== undefined && { variant }),
      config: {},
      rootfs: { type: "layers", diff_ids: [entry.diffId] },
      history: [{ created, created_by: entry.createdBy, comment: "kiln" }],
    });
    const configDescriptor = { mediaType: MEDIA_TYPES.ociConfig, digest: sha256(config), size: config.length };
    const bytes = manifestBytes({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociManifest,
      config: configDescriptor,
      layers: [layer],
      annotations: {
        [KEY]: entry.key,
        [RESULT_KEY]: entry.resultKey,
        [LINEAGE]: entry.lineage,
        [DIFF_ID]: entry.diffId,
        [CREATED]: created,
        [STORED]: stored,
        [CREATED_BY]: entry.createdBy.slice(0, MAX_CREATED_BY_CHARACTERS).toWellFormed(),
      },
    });
    await this.#store.put(layer, entry.source, signal);
    await this.#store.put(configDescriptor, bytesSource(config), signal);
    await this.#store.putManifest(
      entry.key,
      { mediaType: MEDIA_TYPES.ociManifest, digest: sha256(bytes), bytes },
      signal,
    );
  }
}

/** The entry that a manifest states. Throws FormatError unless it is a whole one, and of `key`. */
function readEntry(
  stored: StoredManifest,
  key: CacheKey,
  source: BlobSource,
): { readonly entry: CacheEntry; readonly storedMs: number } {
  const fail = (reason: string): never => {
    throw new FormatError(`Cannot use the cached layer ${key}: ${reason}`);
  };
  const manifest = parseManifest(stored.bytes, stored.mediaType);
  if (isIndex(manifest)) return fail("it is an index");
  const [descriptor, ...others] = manifest.layers;
  if (descriptor === undefined || others.length > 0) return fail(`it has ${manifest.layers.length} layers`);
  const isOfLayer = ociDescriptor(descriptor).mediaType === descriptor.mediaType;
  if (!isOfLayer) return fail(`its layer has the media type "${descriptor.mediaType}"`);
  const annotations = manifest.annotations ?? {};
  const text = (name: string): string => annotations[name] ?? fail(`it has no annotation ${name}`);
  if (text(KEY) !== key) return fail(`it says it is ${text(KEY)}`);
  const time = (name: string): number => {
    const timeMs = Date.parse(text(name));
    return Number.isFinite(timeMs) ? timeMs : fail(`${name} is "${text(name)}"`);
  };
  const { mediaType, digest, size } = descriptor;
  return {
    entry: {
      key,
      resultKey: parseCacheKey(text(RESULT_KEY)),
      lineage: parseLineage(text(LINEAGE)),
      descriptor: { mediaType, digest, size },
      diffId: parseDiffId(text(DIFF_ID)),
      source,
      createdMs: time(CREATED),
      createdBy: annotations[CREATED_BY] ?? "",
    },
    storedMs: time(STORED),
  };
}

/** The layer as an entry has it. Throws FormatError for what is no layer of ours. */
function ociDescriptor({ mediaType, digest, size }: Descriptor): Descriptor {
  const compression = layerCompression(mediaType);
  const oci = compression && layerMediaType("oci", compression);
  if (oci === undefined) throw new FormatError(`Cannot cache layer ${digest}: media type "${mediaType}" is no layer's`);
  return { mediaType: oci, digest, size };
}

function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

function bytesSource(bytes: Uint8Array<ArrayBuffer>): BlobSource {
  return { open: () => Promise.resolve(new Blob([bytes]).stream()) };
}
