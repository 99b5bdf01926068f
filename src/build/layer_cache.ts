/**
 * The cache as one build uses it: each key is looked up once, several at a time; new layers are written while the build goes
 * on; an entry that turns out to be damaged is not used again.
 */
import type { BlobSource } from "../blob/blob_store.ts";
import { CachingSource } from "../blob/caching_source.ts";
import type { OciLayout } from "../blob/oci_layout.ts";
import type { CacheKey, LayerStep, Lineage } from "../cache/cache_key.ts";
import type { CacheEntry, CacheStore, FoundEntry } from "../cache/cache_store.ts";
import type { Layer } from "../layer/layer.ts";
import { type ImageFormat, layerCompression, layerMediaType } from "../oci/descriptor.ts";
import type { CacheCoverage } from "./cache_options.ts";
import type { Services } from "./services.ts";
import { Turnstile } from "./turnstile.ts";

const LOOKUPS_AT_ONCE = 8;
const WRITES_AT_ONCE = 3;

/** Lives as long as the build. */
export class LayerCache {
  readonly #store: CacheStore;
  readonly #coverage: CacheCoverage;
  readonly #services: Pick<Services, "log" | "signal">;
  readonly #found = new Map<CacheKey, Promise<FoundEntry | undefined>>();
  readonly #distrusted = new Set<CacheKey>();
  readonly #lookups = new Turnstile(LOOKUPS_AT_ONCE);
  readonly #writes = new Turnstile(WRITES_AT_ONCE);
  readonly #writing = new Set<Promise<void>>();
  #newFaults = 0;

  constructor(store: CacheStore, coverage: CacheCoverage, services: Pick<Services, "log" | "signal">) {
    this.#store = store;
    this.#coverage = coverage;
    this.#services = services;
  }

  /** Whether layers of such steps are cached. */
  covers(step: LayerStep): boolean {
    return step.kind === "copy" ? this.#coverage.copyLayers : this.#coverage.runLayers;
  }

  /** Begins to look up `key`, without anybody waiting for it. */
  prefetch(key: CacheKey): void {
    this.#lookup(key).catch(() => {}); // whoever waits for the answer is told
  }

  /** The entry of `key` that was made on `lineage`. */
  async find(key: CacheKey, lineage: Lineage): Promise<FoundEntry | undefined> {
    if (this.#distrusted.has(key)) return undefined;
    const entry = await this.#lookup(key);
    if (entry === undefined || entry.lineage === lineage) return entry;
    this.#services.log.debug("A cached layer lies on another result of an earlier RUN", { key });
    return undefined;
  }

  /** The layer of an entry, as part of an image of `format`; fetched into `layout` when it is first opened. */
  layerOf(entry: FoundEntry, format: ImageFormat, layout: OciLayout): Layer {
    const { descriptor, diffId, key } = entry;
    const compression = layerCompression(descriptor.mediaType) ?? "gzip";
    const mediaType = layerMediaType(format, compression) ?? descriptor.mediaType;
    const cached = new CachingSource(entry.source, layout);
    const open: BlobSource["open"] = async (wanted, signal) => {
      try {
        return await cached.open(wanted, signal);
      } catch (error: unknown) {
        if (!this.#services.signal.aborted) this.distrust(key);
        throw error;
      }
    };
    return { descriptor: { ...descriptor, mediaType }, diffId, source: { open } };
  }

  /** Says that the entry of `key` is not what it seems to be. */
  distrust(key: CacheKey): void {
    if (this.#distrusted.has(key)) return;
    this.#distrusted.add(key);
    this.#newFaults++;
  }

  /** Whether entries were found to be damaged since this was last asked. */
  takeFaults(): boolean {
    const hasFaults = this.#newFaults > 0;
    this.#newFaults = 0;
    return hasFaults;
  }

  /** Writes an entry while the build goes on. Its layer must stay where it is until {@link settle}. */
  keep(entry: CacheEntry): void {
    const { signal } = this.#services;
    const writing = this.#writes.pass(() => this.#store.store(entry, signal))
      .catch(() => {}) // the store has said what was wrong; a cancelled build is told elsewhere
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  /** Waits until all that was kept is written, or has failed. */
  async settle(): Promise<void> {
    await Promise.all(this.#writing);
  }

  #lookup(key: CacheKey): Promise<FoundEntry | undefined> {
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const found = this.#lookups.pass(() => this.#store.lookup(key, this.#services.signal));
    this.#found.set(key, found);
    return found;
  }
}
