/** An image's layers put into a rootfs, lowest first, each verified against its diffId. */
import { CachingSource } from "../blob/caching_source.ts";
import { IntegrityError } from "../blob/verify_stream.ts";
import { FormatError } from "../errors.ts";
import type { Image } from "../image/image.ts";
import { type Layer, openUncompressed } from "../layer/layer.ts";
import { Sha256Hasher } from "../oci/digest.ts";
import { mapBounded } from "../registry/bounded.ts";
import type { KnownContents } from "../rootfs/content_hash.ts";
import { extractLayer } from "../rootfs/extract_layer.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { LayerOptions } from "./build_request.ts";
import type { BuildSession } from "./build_session.ts";
import type { DiskGauge } from "./disk_gauge.ts";

/** The part of a session that unpacking needs. */
export type UnpackSession = Pick<BuildSession, "hasher" | "services"> & {
  readonly layers?: Pick<LayerOptions, "maxUnpackedBytes">;
  readonly work?: { readonly disk: DiskGauge };
};

/** Applies all layers of `image` to `rootfs`; the contents of what it wrote are added to `known`. */
export async function unpackImage(
  image: Image,
  rootfs: Rootfs,
  known: KnownContents,
  session: UnpackSession,
): Promise<void> {
  const { signal } = session.services;
  const stop = new AbortController();
  const fetched = fetchAll(image.layers, AbortSignal.any([signal, stop.signal]));
  try {
    for (const layer of image.layers) await unpackLayer(layer, rootfs, known, session);
  } finally {
    stop.abort();
    await fetched;
  }
}

/** Fetches layers side by side while the first is being unpacked. A failure is told by whoever then opens the layer. */
async function fetchAll(layers: readonly Layer[], signal: AbortSignal): Promise<void> {
  try {
    await mapBounded(layers, FETCHES_AT_ONCE, async ({ descriptor, source }) => {
      // Not the bound's own signal: one layer's failure must not end the fetch that another's unpacking waits for.
      if (source instanceof CachingSource) await source.fetch(descriptor, signal);
    });
  } catch {
    // The layer is fetched again, and the failure reported, when its turn to be unpacked comes.
  }
}

/** Applies one layer to `rootfs`; the contents of what it wrote are added to `known`. */
export async function unpackLayer(
  layer: Layer,
  rootfs: Rootfs,
  known: KnownContents,
  { hasher, services: { log, signal }, layers, work }: UnpackSession,
): Promise<void> {
  signal.throwIfAborted();
  log.debug("Unpacking layer", { digest: layer.descriptor.digest, size: layer.descriptor.size });
  const maxBytes = layers?.maxUnpackedBytes;
  const bounded = await openUncompressed(layer, signal, maxBytes === undefined ? {} : { maxBytes });
  const tar = verifyDiffId(bounded, layer);
  const { digest } = layer.descriptor;
  const options = { hasher, known, layer: digest, log, signal };
  const { fileBytes } = await extractLayer(tar, rootfs, options).catch((error: unknown) => {
    throw ofLayer(error, digest);
  });
  work?.disk.set(digest, layer.descriptor.size);
  work?.disk.add(rootfs.path, fileBytes);
}

/** `error` with the name of the layer, where it is about the archive as a whole and does not tell. */
function ofLayer(error: unknown, digest: string): unknown {
  if (!(error instanceof FormatError) || error.message.includes(digest)) return error;
  const reason = error.message.replace(/^Cannot /, "cannot ");
  return new FormatError(`Cannot unpack layer ${digest}: ${reason}`, { cause: error });
}

/** `tar`, unchanged, that errors at its end when it is not what the config promised. */
function verifyDiffId(tar: ReadableStream<Uint8Array>, layer: Layer): ReadableStream<Uint8Array> {
  const hasher = new Sha256Hasher();
  return tar.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller): void {
        hasher.update(chunk);
        controller.enqueue(chunk);
      },
      flush(): void {
        const actualDigest = hasher.diffId();
        if (actualDigest === layer.diffId) return;
        const message =
          `Cannot use layer ${layer.descriptor.digest}: its diffId is ${actualDigest}, not ${layer.diffId}`;
        throw new IntegrityError(message, { expectedDigest: layer.diffId, actualDigest });
      },
    }),
  );
}

const FETCHES_AT_ONCE = 4;
