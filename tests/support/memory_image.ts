/** Images whose layers are in memory. */
import type { BlobSource } from "../../src/blob/blob_store.ts";
import { type Image, scratchImage } from "../../src/image/image.ts";
import { appendLayer } from "../../src/image/mutate.ts";
import { compressStream } from "../../src/layer/compression.ts";
import type { Layer } from "../../src/layer/layer.ts";
import { type Compression, type ImageFormat, layerMediaType } from "../../src/oci/descriptor.ts";
import { parseDiffId, sha256 } from "../../src/oci/digest.ts";
import { writeTar } from "../../src/tar/write.ts";
import { streamOf } from "./byte_streams.ts";
import { tarHeader } from "./tar_headers.ts";
import { readAll } from "./tar_members.ts";

/** A layer with one file, `path`, of `text`. */
export async function memoryLayer(path: string, text: string, compression: Compression = "gzip"): Promise<Layer> {
  const body = new TextEncoder().encode(text);
  const tar = await readAll(writeTar([{ header: tarHeader(path, { size: body.length }), body: [body] }]));
  const stored = await readAll(streamOf(tar).pipeThrough(compressStream(compression)));
  const mediaType = layerMediaType("oci", compression) ?? "";
  return {
    descriptor: { mediaType, digest: sha256(stored), size: stored.length },
    diffId: parseDiffId(sha256(tar)),
    source: memorySource(stored),
  };
}

/** A source that opens `bytes` whatever is asked for, and verifies nothing. */
export function memorySource(bytes: Uint8Array): BlobSource {
  return { open: () => Promise.resolve(streamOf(bytes)) };
}

/** An image for linux/amd64 of `layers`, each a second younger than the one below it. */
export function memoryImage(layers: readonly Layer[], format: ImageFormat = "oci"): Image {
  return layers.reduce(
    (image, layer, i) => appendLayer(image, layer, { history: `COPY ${i}`, createdMs: 1_700_000_000_000 + i * 1000 }),
    scratchImage({ os: "linux", architecture: "amd64" }, format),
  );
}
