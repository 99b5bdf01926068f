/**
 * The ports through which all image bytes move. Push, save and cache-store are all "copy these blobs, then this
 * manifest, into a store"; a registry repository and an OCI layout directory implement the same contract.
 */
import type { Descriptor } from "../oci/descriptor.ts";
import type { Digest } from "../oci/digest.ts";

/** Opens bytes by descriptor. A source is re-openable: a retry calls `open` again instead of keeping the stream. */
export interface BlobSource {
  /**
   * The stored bytes of `descriptor`, as a stream that errors with IntegrityError at its end when digest or size are
   * not the descriptor's. The reader owns the stream and cancels it when it stops early.
   */
  open(descriptor: Descriptor, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>>;
}

/** Holds blobs by digest. */
export interface BlobStore extends BlobSource {
  /** Whether the blob is there, complete. */
  has(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean>;
  /** Copies a blob in, from `source`. Idempotent, and atomic: after a failure the blob is absent. */
  put(descriptor: Descriptor, source: BlobSource, signal?: AbortSignal): Promise<void>;
}

/** A manifest or index as stored: the exact bytes, whose digest is its identity. */
export interface StoredManifest {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly bytes: Uint8Array;
}

/** Holds manifests by tag and by digest. */
export interface ManifestStore {
  /** The manifest that `tagOrDigest` names, or undefined. Bytes are verified against a digest. */
  getManifest(tagOrDigest: string, signal?: AbortSignal): Promise<StoredManifest | undefined>;
  /** Stores `manifest` under `tagOrDigest`; the tag moves at once or not at all. Its blobs must be there already. */
  putManifest(tagOrDigest: string, manifest: StoredManifest, signal?: AbortSignal): Promise<void>;
}
