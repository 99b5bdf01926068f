/** Plain layers on their way to a registry: compressed once into a layout, with a manifest that says so. */
import type { BlobSource, StoredManifest } from "../blob/blob_store.ts";
import type { OciLayout } from "../blob/oci_layout.ts";
import { compressStream } from "../layer/compression.ts";
import { type Descriptor, layerCompression, layerMediaType, MEDIA_TYPES } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import { isIndex, manifestBytes, parseManifest } from "../oci/manifest.ts";

/** A manifest and where its blobs are. */
export interface StoredImage {
  readonly stored: StoredManifest;
  readonly source: BlobSource;
}

/**
 * The image with each layer compressed that was not: gzip, kept in `layout`. The config stays as it is, since diffIds are
 * those of the tars. An index, and an image without plain layers, come back unchanged.
 */
export async function compressLayers(
  { stored, source }: StoredImage,
  layout: OciLayout,
  signal?: AbortSignal,
): Promise<StoredImage> {
  const manifest = parseManifest(stored.bytes, stored.mediaType);
  if (isIndex(manifest)) return { stored, source };
  const isPlain = ({ mediaType }: Descriptor): boolean => layerCompression(mediaType) === "none";
  if (!manifest.layers.some(isPlain)) return { stored, source };
  const format = manifest.mediaType === MEDIA_TYPES.dockerManifest ? "docker" : "oci";
  const mediaType = layerMediaType(format, "gzip") ?? MEDIA_TYPES.ociLayerGzip;
  const layers: Descriptor[] = [];
  for (const layer of manifest.layers) {
    if (!isPlain(layer)) layers.push(layer);
    else {
      const tar = await source.open(layer, signal);
      const { digest, size } = await layout.ingest(tar.pipeThrough(compressStream("gzip")), signal);
      layers.push({ mediaType, digest, size });
    }
  }
  const bytes = manifestBytes({ ...manifest, layers });
  const open: BlobSource["open"] = async (descriptor, stop) =>
    await layout.has(descriptor) ? await layout.open(descriptor, stop) : await source.open(descriptor, stop);
  return { stored: { mediaType: stored.mediaType, digest: sha256(bytes), bytes }, source: { open } };
}
