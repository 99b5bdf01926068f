/** Descriptors and media types: how OCI objects point at each other. Source: image-spec descriptor.md, media-types.md. */
import type { Digest } from "./digest.ts";
import type { Platform } from "./platform.ts";

/** Every media type kiln reads or writes, in the OCI and the Docker family. */
export const MEDIA_TYPES = {
  ociIndex: "application/vnd.oci.image.index.v1+json",
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociConfig: "application/vnd.oci.image.config.v1+json",
  ociLayer: "application/vnd.oci.image.layer.v1.tar",
  ociLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
  ociLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
  ociForeignLayer: "application/vnd.oci.image.layer.nondistributable.v1.tar",
  ociForeignLayerGzip: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
  ociForeignLayerZstd: "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
  dockerIndex: "application/vnd.docker.distribution.manifest.list.v2+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerConfig: "application/vnd.docker.container.image.v1+json",
  dockerLayer: "application/vnd.docker.image.rootfs.diff.tar",
  dockerLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  dockerForeignLayerGzip: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
} as const;

/** The two families of media types that an image is written in. */
export type ImageFormat = "oci" | "docker";

/** What points at stored bytes: their type, digest and size in bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: Platform;
  /** Where a foreign layer may be fetched instead of the registry. */
  readonly urls?: readonly string[];
}

/** How a layer's tar is compressed. */
export type Compression = "gzip" | "zstd" | "none";

/** The compression that a layer's media type states, or undefined for a type that is no layer we know. */
export function layerCompression(mediaType: string): Compression | undefined {
  switch (mediaType) {
    case MEDIA_TYPES.ociLayer:
    case MEDIA_TYPES.ociForeignLayer:
    case MEDIA_TYPES.dockerLayer:
      return "none";
    case MEDIA_TYPES.ociLayerGzip:
    case MEDIA_TYPES.ociForeignLayerGzip:
    case MEDIA_TYPES.dockerLayerGzip:
    case MEDIA_TYPES.dockerForeignLayerGzip:
      return "gzip";
    case MEDIA_TYPES.ociLayerZstd:
    case MEDIA_TYPES.ociForeignLayerZstd:
      return "zstd";
    default:
      return undefined;
  }
}

/** The layer media type of a family; undefined for zstd in Docker's, which has none. */
export function layerMediaType(format: ImageFormat, compression: Compression): string | undefined {
  switch (compression) {
    case "gzip":
      return format === "oci" ? MEDIA_TYPES.ociLayerGzip : MEDIA_TYPES.dockerLayerGzip;
    case "none":
      return format === "oci" ? MEDIA_TYPES.ociLayer : MEDIA_TYPES.dockerLayer;
    case "zstd":
      return format === "oci" ? MEDIA_TYPES.ociLayerZstd : undefined;
  }
}
