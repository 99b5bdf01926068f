/** A build with a cache: the cache opened as asked for, and the build begun anew should it turn out to be damaged. */
import { OciLayout } from "../blob/oci_layout.ts";
import { type CacheStore, forgiving, tiered } from "../cache/cache_store.ts";
import { ImageCache } from "../cache/image_cache.ts";
import { errorText } from "../errors.ts";
import type { Registry } from "../registry/registry.ts";
import type { BuildRequest } from "./build_request.ts";
import type { CachePlace } from "./cache_options.ts";
import { LayerCache } from "./layer_cache.ts";
import type { Services } from "./services.ts";

/** The cache that `request` asks for; undefined where it asks for none, or where none of it can be had. */
export async function openLayerCache(
  request: BuildRequest,
  registry: Registry,
  services: Services,
): Promise<LayerCache | undefined> {
  const { cache, layers } = request;
  if (cache === undefined) return undefined;
  if (layers.isSingle === true) {
    services.log.warn("The cache is not used: it holds the layers of steps, and this image gets one layer for all");
    return undefined;
  }
  const target = cache.target &&
    await openStore(cache.target, cache.isWritten ? "push" : "pull", request, services, registry);
  const sources = target === undefined ? [] : [target];
  for (const place of cache.sources) {
    const source = await openStore(place, "pull", request, services, registry);
    if (source !== undefined) sources.push(source);
  }
  if (sources.length === 0) return undefined;
  return new LayerCache(tiered(sources, cache.isWritten ? target : undefined), cache, services);
}

/**
 * What `attempt` gives. When it fails and entries of the cache are to blame, it is made again without them: each time at
 * least one entry fewer is trusted, so this ends.
 */
export async function buildSoundly<T>(
  cache: LayerCache | undefined,
  request: BuildRequest,
  { log, signal }: Pick<Services, "log" | "signal">,
  attempt: (request: BuildRequest) => Promise<T>,
): Promise<T> {
  for (let current = request;; current = { ...request, root: { ...request.root, preCleanup: true } }) {
    try {
      return await attempt(current);
    } catch (error: unknown) {
      if (signal.aborted || cache === undefined || !cache.takeFaults()) throw error;
      log.warn(`A cached layer cannot be used: ${errorText(error)}; building again without it`);
    }
  }
}

async function openStore(
  place: CachePlace,
  purpose: "pull" | "push",
  { cache, plan }: BuildRequest,
  { log, nowMs }: Services,
  registry: Registry,
): Promise<CacheStore | undefined> {
  const options = { ttlMs: cache?.ttlMs ?? 0, nowMs, platform: plan.targetPlatform };
  if (place.kind === "registry") {
    const { repository } = place;
    const name = `${repository.registry}/${repository.repository}`;
    const store = new ImageCache(registry.repository(repository, purpose), { ...options, name, checksBlobs: false });
    return forgiving(noting(store, (digest) => registry.noteBlob(digest, repository)), log);
  }
  const name = `oci:${place.path}`;
  try {
    const layout = await OciLayout.open(place.path);
    return forgiving(new ImageCache(layout, { ...options, name, checksBlobs: true }), log);
  } catch (error: unknown) {
    log.warn(`Cannot open the cache ${name}: ${errorText(error)}; going on without`);
    return undefined;
  }
}

/** `store` that tells which layers are in it, so that pushing can mount them. */
function noting(store: CacheStore, note: (digest: Parameters<Registry["noteBlob"]>[0]) => void): CacheStore {
  return {
    name: store.name,
    async lookup(key, signal): ReturnType<CacheStore["lookup"]> {
      const entry = await store.lookup(key, signal);
      if (entry !== undefined) note(entry.descriptor.digest);
      return entry;
    },
    async store(entry, signal): Promise<void> {
      await store.store(entry, signal);
      note(entry.descriptor.digest);
    },
  };
}
