/** An image's layers put into a rootfs, lowest first, each verified against its diffId. */
import { CachingSource } from "../blob/caching_source.ts";
import { IntegrityError } from "../blob/verify_stream.ts";
import { FormatError } from "../errors.ts";
import { type Layer, openUncompressed } from "../layer/layer.ts";
import { Sha256Hasher } from "../oci/digest.ts";
import { mapBounded } from "../registry/bounded.ts";
import type { KnownContents } from "../rootfs/content_hash.ts";
import { extractLayer } from "../rootfs/extract_layer.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { LayerOptions } from "./build_request.ts";
import type { BuildSession } from "./build_session.ts";
import type { DiskGauge } from "./disk_gauge.ts";
import { formatBytes } from "./summary.ts";

/** The part of a session that unpacking needs. */
export type UnpackSession = Pick<BuildSession, "hasher" | "services"> & {
  readonly layers?: Pick<LayerOptions, "maxUnpackedBytes">;
  readonly work?: { readonly disk: DiskGauge };
};

/**
 * Applies `layers` to `rootfs`, in order; the contents of what it wrote are added to `known`. `onApplied` is called after
 * each. Later layers are fetched while the first is being unpacked.
 */
export async function unpackLayers(
  layers: readonly Layer[],
  rootfs: Rootfs,
  known: KnownContents,
  session: UnpackSession,
  onApplied: () => void = () => {},
): Promise<void> {
  if (layers.length === 0) return;
  const { signal, log } = session.services;
  const stop = new AbortController();
  const fetched = fetchAll(layers, AbortSignal.any([signal, stop.signal]));
  const sizeBytes = layers.reduce((sum, { descriptor }) => sum + descriptor.size, 0);
  log.info(`Unpacking ${layers.length} layer${layers.length === 1 ? "" : "s"} of ${formatBytes(sizeBytes)}`);
  try {
    for (const layer of layers) {
      await unpackLayer(layer, rootfs, known, session);
      onApplied();
    }
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
