/** All movement of whole images is this: copy these blobs, then this manifest, into a store. Indexes bring their images. */
import type { BlobSource, StoredManifest } from "../blob/blob_store.ts";
import type { OciLayout } from "../blob/oci_layout.ts";
import { FormatError } from "../errors.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { isIndex } from "../oci/manifest.ts";
import { isForeignLayer } from "./blob_download.ts";
import { mapBounded } from "./bounded.ts";
import type { RegistryClient } from "./client.ts";
import { type ImageSource, missingManifest, readManifest } from "./resolve_image.ts";

/** Where an image goes. */
export interface ImageSink {
  /** Copies a blob unless it is there. */
  putBlob(descriptor: Descriptor, source: BlobSource, signal: AbortSignal): Promise<void>;
  /** Stores a manifest that an index names, before the index. */
  putChild(manifest: StoredManifest, signal: AbortSignal): Promise<void>;
  /** Stores a manifest whose blobs and children are there, under a tag or by digest alone. */
  putManifest(manifest: StoredManifest, tag: string | undefined, signal: AbortSignal): Promise<void>;
}

/** How to copy. */
export interface CopyOptions {
  /** Blobs moved at the same time. */
  readonly concurrency: number;
  readonly signal: AbortSignal;
  /** Reads after "Cannot". */
  readonly operation: string;
}

/**
 * Copies the image or index `stored` of `source` into `sink`, bytes and digests unchanged, and there under `tag`. The
 * manifests that an index names come before it. Throws what source and sink throw, FormatError for what is no image.
 */
export async function copyImage(
  source: ImageSource,
  stored: StoredManifest,
  sink: ImageSink,
  tag: string | undefined,
  options: CopyOptions,
): Promise<void> {
  await copyContents(source, stored, sink, options, 0);
  await sink.putManifest(stored, tag, options.signal);
}

async function copyContents(
  source: ImageSource,
  stored: StoredManifest,
  sink: ImageSink,
  options: CopyOptions,
  depth: number,
): Promise<void> {
  const { operation, signal, concurrency } = options;
  if (depth > MAX_INDEX_DEPTH) {
    throw new FormatError(`Cannot ${operation}: its indexes are nested more than ${MAX_INDEX_DEPTH} deep`);
  }
  const manifest = readManifest(stored, operation);
  if (!isIndex(manifest)) {
    const blobs = [...manifest.layers, manifest.config].filter(({ mediaType }) => !isForeignLayer(mediaType));
    const different = [...new Map(blobs.map((blob) => [blob.digest, blob])).values()];
    await mapBounded(different, concurrency, async (blob, stop) => {
      await sink.putBlob(blob, source, AbortSignal.any([signal, stop]));
    });
    return;
  }
  for (const entry of manifest.manifests) {
    const child = await source.getManifest(entry.digest, signal);
    if (child === undefined) throw missingManifest(operation, entry.digest);
    await copyContents(source, child, sink, options, depth + 1);
    await sink.putChild(child, signal);
  }
}

/** A repository as a sink; blobs that `mountFrom` of the same registry has are mounted where that is possible. */
export function registrySink(client: RegistryClient, mountFrom: string | undefined): ImageSink {
  return {
    putBlob: async (descriptor, source, signal) => void await client.putBlob(descriptor, source, { mountFrom, signal }),
    putChild: (manifest, signal) => client.putManifest(manifest.digest, manifest, signal),
    putManifest: (manifest, tag, signal) => client.putManifest(tag ?? manifest.digest, manifest, signal),
  };
}

/** A layout as a sink. What an index names is stored as a blob alone: the layout's own index lists only the whole. */
export function layoutSink(layout: OciLayout): ImageSink {
  return {
    putBlob: (descriptor, source, signal) => layout.put(descriptor, source, signal),
    putChild: async (manifest) => void await layout.putBytes(manifest.bytes),
    putManifest: (manifest, tag, signal) => layout.putManifest(tag ?? manifest.digest, manifest, signal),
  };
}

const MAX_INDEX_DEPTH = 3;
