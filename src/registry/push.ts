/** Images on their way out: blobs first, side by side, mounted where the registry has them; the manifest last. */
import type { BlobSource } from "../blob/blob_store.ts";
import { errorText } from "../errors.ts";
import type { Logger } from "../log/logger.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";
import { formatReference, type Reference, repositoryName } from "../oci/reference.ts";
import { isForeignLayer } from "./blob_download.ts";
import { mapBounded } from "./bounded.ts";
import type { RegistryClient } from "./client.ts";
import { isRetryable, RegistryError } from "./registry_error.ts";
import type { RegistryOptions, Repository } from "./registry_options.ts";

/** An image as its stored bytes. */
export interface PushableImage {
  readonly configBytes: Uint8Array;
  readonly configDescriptor: Descriptor;
  /** Lowest first. Sources are opened only for blobs that the registry has not. */
  readonly layers: readonly { readonly descriptor: Descriptor; readonly source: BlobSource }[];
  readonly manifestBytes: Uint8Array;
  readonly manifestDescriptor: Descriptor;
}

/** One destination that has the image now. */
export interface PushedImage {
  readonly reference: Reference;
  /** Digest of the manifest. */
  readonly digest: Digest;
}

/** What pushing needs of the rest. */
export interface PushServices {
  /** The client for writing a repository. */
  readonly client: (repository: Repository) => RegistryClient;
  /** Repositories that are known to hold a blob. */
  readonly repositoriesWith: (digest: Digest) => readonly Repository[];
  readonly sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

type PushOptions = Pick<RegistryOptions, "concurrency" | "pushRetry" | "ignoreImmutableTagErrors">;

/**
 * Pushes `image` under each of `references`, in order; a tag moves only when all its blobs are there. Throws RegistryError,
 * IntegrityError when a registry stores other bytes, and what the layers' sources throw.
 */
export async function pushImage(
  image: PushableImage,
  references: readonly Reference[],
  options: PushOptions,
  services: PushServices,
): Promise<readonly PushedImage[]> {
  const pushed: PushedImage[] = [];
  for (const reference of references) {
    await pushWithRetries(image, reference, pushed.map((earlier) => earlier.reference), options, services);
    pushed.push({ reference, digest: image.manifestDescriptor.digest });
  }
  return pushed;
}

/** Throws RegistryError unless the logins at hand may push to each repository of `references`. */
export async function checkPush(
  references: readonly Reference[],
  services: Pick<PushServices, "client" | "signal">,
): Promise<void> {
  const repositories = new Map(references.map((reference) => [repositoryName(reference), reference]));
  for (const repository of repositories.values()) await services.client(repository).checkPush(services.signal);
}

async function pushWithRetries(
  image: PushableImage,
  reference: Reference,
  earlier: readonly Repository[],
  options: PushOptions,
  services: PushServices,
): Promise<void> {
  for (let attempt = 1;; attempt++) {
    try {
      return await pushOnce(image, reference, earlier, options, services);
    } catch (error: unknown) {
      services.signal.throwIfAborted();
      if (attempt > options.pushRetry || !isRetryable(error)) throw error;
      services.log.warn(`${errorText(error)}; trying again`, { attempt });
      await services.sleep(Math.min(1000 * 2 ** (attempt - 1), 60_000), services.signal);
    }
  }
}

async function pushOnce(
  image: PushableImage,
  reference: Reference,
  earlier: readonly Repository[],
  options: PushOptions,
  services: PushServices,
): Promise<void> {
  const client = services.client(reference);
  const config = { descriptor: image.configDescriptor, source: bytesSource(image.configBytes) };
  const blobs = [...image.layers.filter(({ descriptor }) => !isForeignLayer(descriptor.mediaType)), config];
  await mapBounded(blobs, options.concurrency, async ({ descriptor, source }, stop) => {
    const signal = AbortSignal.any([services.signal, stop]);
    const mountFrom = mountSource(descriptor.digest, reference, earlier, services);
    const result = await client.putBlob(descriptor, source, { mountFrom, signal });
    services.log.debug(`Blob ${descriptor.digest} ${result} in ${client.name}`, { sizeBytes: descriptor.size });
  });
  const { mediaType, digest } = image.manifestDescriptor;
  try {
    const target = reference.tag ?? reference.digest ?? "latest";
    await client.putManifest(target, { mediaType, digest, bytes: image.manifestBytes }, services.signal);
  } catch (error: unknown) {
    if (!options.ignoreImmutableTagErrors || !isImmutableTag(error)) throw error;
    services.log.warn(`${formatReference(reference)} exists and its tag must not move; left as it is`);
  }
}

/** A repository of the same registry that has the blob: an earlier destination, or the base image's. */
function mountSource(
  digest: Digest,
  target: Repository,
  earlier: readonly Repository[],
  services: PushServices,
): string | undefined {
  return [...earlier, ...services.repositoriesWith(digest)]
    .find(({ registry, repository }) => registry === target.registry && repository !== target.repository)?.repository;
}

/** Whether the registry refused to move a tag: the words of Amazon's, Google's, Harbor's and Azure's registries. */
export function isImmutableTag(error: unknown): boolean {
  return error instanceof RegistryError && error.failure.status !== undefined && error.failure.status < 500 &&
    /immutable|already exists in the .* repository and cannot be overwritten/i.test(error.message);
}

function bytesSource(bytes: Uint8Array): BlobSource {
  return {
    open: () => Promise.resolve(new Blob([new Uint8Array(bytes)]).stream()),
  };
}
