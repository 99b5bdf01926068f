/**
 * Changes of a root -> a layer, in one pass: tar, diffId, compression, and the store, which takes the digest. Never more
 * than a few chunks in memory.
 */
import { type DiffId, type Digest, Sha256Hasher } from "../oci/digest.ts";
import type { Compression } from "../oci/descriptor.ts";
import type { ContentHasher, KnownContents } from "../rootfs/content_hash.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { Change } from "../snapshot/diff_trees.ts";
import { writeTar } from "../tar/write.ts";
import { FileChangedError, layerEntries } from "./_layer_entries.ts";
import type { CompressOptions } from "./block_stream.ts";
import { compressStream } from "./compression.ts";

/** What the store says about the bytes it has taken. */
export interface StoredBytes {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
}

/** How a layer is written. */
export interface WriteLayerOptions {
  /** With `known`: files are hashed as they are read. Not to be used by others until the layer is written. */
  readonly hasher?: ContentHasher;
  /** Gets the content of every file that it has not already. */
  readonly known?: KnownContents;
  /** Latest time a member may have, seconds since 1970 (SOURCE_DATE_EPOCH); unlimited unless given. */
  readonly clampToEpochSeconds?: number;
  readonly compression: Compression;
  /** The compression's own default unless given. */
  readonly level?: number;
  /** Who compresses the blocks; this thread unless given. */
  readonly compressing?: CompressOptions;
  /** Stores the compressed bytes. It reads them to their end, or cancels the stream. May be called a second time. */
  readonly put: (stream: ReadableStream<Uint8Array>) => Promise<StoredBytes>;
  readonly signal?: AbortSignal;
}

/** A layer that is stored. */
export interface WrittenLayer extends StoredBytes {
  readonly diffId: DiffId;
  /** Bytes of the tar. */
  readonly tarSize: number;
  readonly compression: Compression;
}

/**
 * Writes the layer of `changes`, whose nodes are read from `rootfs` as they are now. No changes give a tar without
 * members. When a file vanishes or changes while it is read, the whole layer is written once more, then the failure is
 * thrown as an error of code "integrity"; also throws SystemError and what `put` throws.
 */
export async function writeLayer(
  changes: Iterable<Change>,
  rootfs: Rootfs,
  options: WriteLayerOptions,
): Promise<WrittenLayer> {
  const list = [...changes];
  const first = await attempt(list, rootfs, options);
  if (first.kind === "written") return first.layer;
  const second = await attempt(list, rootfs, options);
  if (second.kind === "written") return second.layer;
  throw second.error;
}

type Attempt =
  | { readonly kind: "written"; readonly layer: WrittenLayer }
  | { readonly kind: "disturbed"; readonly error: FileChangedError };

async function attempt(changes: readonly Change[], rootfs: Rootfs, options: WriteLayerOptions): Promise<Attempt> {
  let disturbance: FileChangedError | undefined;
  const onError = (error: unknown): void => {
    if (error instanceof FileChangedError) disturbance = error;
  };
  const hasher = new Sha256Hasher();
  const tar = writeTar(layerEntries(changes, rootfs, options));
  const compressor = compressStream(options.compression, options.level, options.compressing);
  try {
    const { digest, size } = await options.put(hashed(tar, hasher, onError).pipeThrough(compressor));
    const { compression } = options;
    return {
      kind: "written",
      layer: { diffId: hasher.diffId(), tarSize: hasher.sizeBytes, digest, size, compression },
    };
  } catch (error: unknown) {
    // The store may have wrapped it.
    if (disturbance !== undefined) return { kind: "disturbed", error: disturbance };
    throw error;
  }
}

/** The same bytes, which pass through `hasher`; its first failure goes to `onError`. */
function hashed(
  stream: ReadableStream<Uint8Array>,
  hasher: Sha256Hasher,
  onError: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      try {
        const { done, value } = await reader.read();
        if (done) return controller.close();
        hasher.update(value);
        controller.enqueue(value);
      } catch (error: unknown) {
        onError(error);
        throw error;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
