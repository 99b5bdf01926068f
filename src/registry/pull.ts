/** Base images: a reference becomes a verified manifest and config, from the first mirror that has it. */
import type { BlobSource, StoredManifest } from "../blob/blob_store.ts";
import { IntegrityError } from "../blob/verify_stream.ts";
import { errorText, FormatError } from "../errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { type ImageConfig, MAX_CONFIG_BYTES, parseImageConfig } from "../oci/image_config.ts";
import { type ImageManifest, isIndex, parseManifest } from "../oci/manifest.ts";
import { formatPlatform, type Platform, platformFit } from "../oci/platform.ts";
import { formatReference, type Reference, referenceTarget } from "../oci/reference.ts";
import type { BaseResolver, ResolvedImage } from "../plan/plan.ts";
import { choosePlatform } from "./choose_platform.ts";
import type { RegistryClient } from "./client.ts";
import { isRetryable, RegistryError } from "./registry_error.ts";
import { pullSources, type RegistryOptions, type Repository } from "./registry_options.ts";

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
}

/**
 * A resolver over the registries. An answer is kept for each reference and platform; a failure is not. `resolve` throws
 * RegistryError when no source has the image, or has none for the platform: the message lists those on offer.
 */
export function createBaseResolver(options: RegistryOptions, services: PullServices): BaseImages {
  const memo = new Map<string, Promise<ResolvedImage>>();
  const homes = new Map<Digest, Repository>();
  const holders = new Map<Digest, Repository[]>();
  return {
    resolve(reference: Reference, platform: Platform): Promise<ResolvedImage> {
      const key = `${formatReference(reference)} ${formatPlatform(platform)}`;
      const known = memo.get(key);
      if (known !== undefined) return known;
      const resolved = resolveFromSources(reference, platform, options, services).then(({ image, source }) => {
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
      const image = await retried(attempts, services, () => resolveFrom(source, reference, platform, services));
      return { image, source };
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

async function resolveFrom(
  source: Repository,
  reference: Reference,
  platform: Platform,
  services: PullServices,
): Promise<ResolvedImage> {
  const client = services.client(source);
  const operation = `pull ${formatReference({ ...reference, ...source })}`;
  const { stored, manifest } = await findManifest(client, referenceTarget(reference), platform, operation, services);
  const config = await readConfig(client, manifest, operation, services);
  if (config.rootfs.diff_ids.length !== manifest.layers.length) {
    throw new FormatError(
      `Cannot ${operation}: its config names ${config.rootfs.diff_ids.length} layers, its manifest ${manifest.layers.length}`,
    );
  }
  if (platformFit(platform, config) === undefined) {
    const wanted = formatPlatform(platform);
    services.log.warn(`${formatReference(reference)} is for ${formatPlatform(config)}, not for ${wanted}`);
  }
  const manifestDescriptor = { mediaType: manifest.mediaType, digest: stored.digest, size: stored.bytes.length };
  return { reference, digest: stored.digest, manifest, manifestDescriptor, config };
}

/** The manifest that `target` names; through indexes, at most three deep, by platform. */
async function findManifest(
  client: RegistryClient,
  target: string,
  platform: Platform,
  operation: string,
  services: PullServices,
): Promise<{ stored: StoredManifest; manifest: ImageManifest }> {
  let next = target;
  let expectedBytes: number | undefined;
  for (let depth = 0; depth <= MAX_INDEX_DEPTH; depth++) {
    const stored = await client.getManifest(next, services.signal);
    if (stored === undefined) throw missingManifest(operation, next);
    if (expectedBytes !== undefined && stored.bytes.length !== expectedBytes) {
      throw new IntegrityError(`Cannot ${operation}: ${next} has ${stored.bytes.length} bytes, not ${expectedBytes}`, {
        expectedDigest: stored.digest,
        expectedSizeBytes: expectedBytes,
        actualSizeBytes: stored.bytes.length,
      });
    }
    const manifest = readManifest(stored, operation);
    if (!isIndex(manifest)) return { stored, manifest };
    const chosen = choosePlatform(manifest, platform, operation);
    next = chosen.digest;
    expectedBytes = chosen.size;
  }
  throw new FormatError(`Cannot ${operation}: its indexes are nested more than ${MAX_INDEX_DEPTH} deep`);
}

function readManifest(stored: StoredManifest, operation: string): ReturnType<typeof parseManifest> {
  try {
    return parseManifest(stored.bytes, stored.mediaType);
  } catch (error: unknown) {
    throw new FormatError(`Cannot ${operation}: ${errorText(error)}`, { cause: error });
  }
}

async function readConfig(
  client: RegistryClient,
  manifest: ImageManifest,
  operation: string,
  services: PullServices,
): Promise<ImageConfig> {
  const { config } = manifest;
  if (config.size > MAX_CONFIG_BYTES) {
    throw new FormatError(`Cannot ${operation}: its config has ${config.size} bytes, more than ${MAX_CONFIG_BYTES}`);
  }
  const stream = await client.open(config, services.signal);
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  try {
    return parseImageConfig(bytes);
  } catch (error: unknown) {
    throw new FormatError(`Cannot ${operation}: ${errorText(error)}`, { cause: error });
  }
}

function missingManifest(operation: string, target: string): RegistryError {
  return new RegistryError({
    operation,
    method: "GET",
    url: target,
    status: 404,
    errorCodes: ["MANIFEST_UNKNOWN"],
    retryable: false,
  }, "manifest unknown (404)");
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

const MAX_INDEX_DEPTH = 3;
