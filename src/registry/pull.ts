/** Base images: a reference becomes a verified manifest and config, from the first mirror that has it. */
import type { BlobSource } from "../blob/blob_store.ts";
import { errorText } from "../errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { formatReference, type Reference, referenceTarget } from "../oci/reference.ts";
import type { BaseResolver, ResolvedImage } from "../plan/plan.ts";
import type { RegistryClient } from "./client.ts";
import { type ImageSource, LocalImages } from "./local_source.ts";
import { isRetryable } from "./registry_error.ts";
import { pullSources, type RegistryOptions, type Repository } from "./registry_options.ts";
import { resolveImage } from "./resolve_image.ts";

/** What pulling needs of the rest. */
export interface PullServices {
  /** The client for reading a repository. */
  readonly client: (repository: Repository) => RegistryClient;
  /** Waits before a further attempt of `--image-download-retry`. */
  readonly sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** Resolves base images, and opens what they are made of. */
export interface BaseImages extends BaseResolver {
  /**
   * The layers of an image that `resolve` gave: read from where its manifest came, else from its other sources. Each
   * `open` is a new download, verified, resumed after broken connections.
   */
  layerSource(image: ResolvedImage): BlobSource;
  /** The repositories of resolved images that hold this blob, for mounting. */
  repositoriesWith(digest: Digest): readonly Repository[];
  /** Where images that are no registry's are read from, each opened once. */
  readonly locals: LocalImages;
}

/**
 * A resolver over the registries. An answer is kept for each reference and platform; a failure is not. `resolve` throws
 * RegistryError when no source has the image, or has none for the platform: the message lists those on offer.
 */
export function createBaseResolver(options: RegistryOptions, services: PullServices): BaseImages {
  const memo = new Map<string, Promise<ResolvedImage>>();
  const homes = new Map<Digest, Repository>();
  const holders = new Map<Digest, Repository[]>();
  const locals = new LocalImages();
  return {
    locals,
    resolve(reference: Reference, platform: Platform): Promise<ResolvedImage> {
      const key = `${formatReference(reference)} ${formatPlatform(platform)}`;
      const known = memo.get(key);
      if (known !== undefined) return known;
      const found = reference.local === undefined
        ? resolveFromSources(reference, platform, options, services)
        : locals.resolve(reference.local, reference, platform, services).then((image) => ({
          image,
          source: undefined,
        }));
      const resolved = found.then(({ image, source }) => {
        if (source === undefined) return image;
        homes.set(image.digest, source);
        for (const { digest } of [image.manifest.config, ...image.manifest.layers]) {
          holders.set(digest, [...(holders.get(digest) ?? []), source]);
        }
        return image;
      });
      memo.set(key, resolved);
      resolved.catch(() => memo.delete(key));
      return resolved;
    },
    layerSource(image: ResolvedImage): BlobSource {
      const { local } = image.reference;
      if (local !== undefined) return { open: async (...call) => await (await locals.open(local)).open(...call) };
      const home = homes.get(image.digest);
      const others = pullSources(options, image.reference).filter((source) => !isSame(source, home));
      return firstOf((home === undefined ? others : [home, ...others]).map(services.client), services);
    },
    repositoriesWith: (digest: Digest) => holders.get(digest) ?? [],
  };
}

interface Found {
  readonly image: ResolvedImage;
  readonly source: Repository;
}

async function resolveFromSources(
  reference: Reference,
  platform: Platform,
  options: RegistryOptions,
  services: PullServices,
): Promise<Found> {
  const sources = pullSources(options, reference);
  let failure: unknown;
  for (const [index, source] of sources.entries()) {
    try {
      const attempts = options.imageDownloadRetry + 1;
      const operation = `pull ${formatReference({ ...reference, ...source })}`;
      const store: ImageSource = services.client(source);
      const wanted = { reference, target: referenceTarget(reference), platform, operation };
      return { image: await retried(attempts, services, () => resolveImage(store, wanted, services)), source };
    } catch (error: unknown) {
      services.signal.throwIfAborted();
      failure = error;
      if (index < sources.length - 1) services.log.warn(`${errorText(error)}; trying the next source`);
    }
  }
  throw failure;
}

async function retried<T>(attempts: number, services: PullServices, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1;; attempt++) {
    try {
      return await work();
    } catch (error: unknown) {
      if (attempt >= attempts || !isRetryable(error)) throw error;
      await services.sleep(Math.min(1000 * 2 ** (attempt - 1), 60_000), services.signal);
    }
  }
}

/** A source that opens from the first client that has the blob. */
function firstOf(clients: readonly RegistryClient[], services: PullServices): BlobSource {
  return {
    async open(descriptor: Descriptor, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
      let failure: unknown;
      for (const client of clients) {
        try {
          return await client.open(descriptor, signal ?? services.signal);
        } catch (error: unknown) {
          services.signal.throwIfAborted();
          signal?.throwIfAborted();
          failure ??= error;
        }
      }
      throw failure;
    },
  };
}

function isSame(a: Repository, b: Repository | undefined): boolean {
  return a.registry === b?.registry && a.repository === b.repository;
}
