/** A layer as a view: what it is, and where its bytes can be opened again and again. */
import type { BlobSource } from "../blob/blob_store.ts";
import { UnsupportedError } from "../errors.ts";
import { type Descriptor, layerCompression } from "../oci/descriptor.ts";
import type { DiffId } from "../oci/digest.ts";
import { type DecompressOptions, decompressStream } from "./compression.ts";

/** One layer of an image. */
export interface Layer {
  /** What is stored: media type, digest and size as compressed. */
  readonly descriptor: Descriptor;
  /** Digest of the tar. */
  readonly diffId: DiffId;
  /** Where `descriptor` can be opened. */
  readonly source: BlobSource;
}

/**
 * The layer's tar. The stored bytes are verified against the descriptor by their source; the diffId is not, as whoever
 * extracts reads the tar once and can. Throws UnsupportedError for a media type that is no layer's; the stream errors with
 * FormatError on broken data and with IntegrityError on other bytes than promised. The reader owns the stream.
 */
export async function openUncompressed(
  layer: Layer,
  signal?: AbortSignal,
  options: DecompressOptions = {},
): Promise<ReadableStream<Uint8Array>> {
  const { mediaType, digest } = layer.descriptor;
  const compression = layerCompression(mediaType);
  if (compression === undefined) {
    throw new UnsupportedError(`Cannot read layer ${digest}: media type "${mediaType}" is not supported`);
  }
  return decompressStream(await layer.source.open(layer.descriptor, signal), compression, options);
}
