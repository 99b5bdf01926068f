/** An image as a view: config and layers, whose bytes stay where they are. Its own bytes are made by `encodeImage` alone. */
import type { BlobSource } from "../blob/blob_store.ts";
import { FormatError, UnsupportedError } from "../errors.ts";
import type { Layer } from "../layer/layer.ts";
import { type Descriptor, type ImageFormat, layerCompression, layerMediaType, MEDIA_TYPES } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import { configBytes, type ImageConfig } from "../oci/image_config.ts";
import { type ImageManifest, manifestBytes } from "../oci/manifest.ts";
import { normalisePlatform, type Platform } from "../oci/platform.ts";
import { normaliseHistory } from "./history.ts";

/** An image for one platform. Functions of `mutate.ts` make new ones from it. */
export interface Image {
  /** The family of media types that it is written in. */
  readonly format: ImageFormat;
  readonly config: ImageConfig;
  /** Lowest first; as many as the config has diffIds. */
  readonly layers: readonly Layer[];
  /** Of the manifest. */
  readonly annotations: Readonly<Record<string, string>>;
  /** How many history entries came with the base image; those behind them are this build's. */
  readonly inheritedHistory: number;
}

/** An image's own bytes, and what points at them. */
export interface EncodedImage {
  readonly configBytes: Uint8Array;
  readonly configDescriptor: Descriptor;
  readonly manifestBytes: Uint8Array;
  readonly manifestDescriptor: Descriptor;
}

/** What an image is made from when it comes from a registry or a layout: parsed, and verified against its digests. */
export interface ResolvedParts {
  readonly manifest: ImageManifest;
  readonly config: ImageConfig;
}

/** Annotations of layer descriptors that tools keep for themselves. */
const INTERNAL_ANNOTATION = /^(?:containerd\.io\/uncompressed$|buildkit\/)/;

/** The image without layers, as `FROM scratch` gives it: working directory "/", no environment. */
export function scratchImage(platform: Platform, format: ImageFormat = "oci"): Image {
  const { os, architecture, variant } = normalisePlatform(platform);
  const config: ImageConfig = {
    architecture,
    os,
    ...(variant !== undefined && { variant }),
    config: { WorkingDir: "/" },
    rootfs: { type: "layers", diff_ids: [] },
    history: [],
  };
  return { format, config, layers: [], annotations: {}, inheritedHistory: 0 };
}

/**
 * The image of a manifest and its config; `source` opens its layers. Its history is repaired to fit its layers. The base's
 * annotations are left behind, as they tell of the base. Throws FormatError when config and manifest disagree on layers.
 */
export function imageOf({ manifest, config }: ResolvedParts, source: BlobSource): Image {
  const diffIds = config.rootfs.diff_ids;
  if (diffIds.length !== manifest.layers.length) {
    throw new FormatError(
      `Cannot use image with config ${manifest.config.digest}: it has ${manifest.layers.length} layers, ` +
        `but its config has ${diffIds.length} diffIds`,
    );
  }
  const layers = manifest.layers.flatMap((descriptor, i): Layer[] => {
    const diffId = diffIds[i];
    return diffId === undefined ? [] : [{ descriptor, diffId, source }];
  });
  const format = manifest.mediaType === MEDIA_TYPES.dockerManifest ? "docker" : "oci";
  const repaired = normaliseHistory(config);
  return { format, config: repaired, layers, annotations: {}, inheritedHistory: repaired.history.length };
}

/**
 * The bytes of config and manifest; equal images give equal bytes. Layers keep their bytes and get the media types of the
 * image's format. Throws UnsupportedError for what the Docker format cannot say: zstd layers and annotations.
 */
export function encodeImage(image: Image): EncodedImage {
  const isOci = image.format === "oci";
  if (!isOci && Object.keys(image.annotations).length > 0) {
    throw new UnsupportedError("Cannot write annotations: the Docker image format has none", {
      hint: "Use the OCI format",
    });
  }
  const config = configBytes(image.config);
  const configDescriptor: Descriptor = {
    mediaType: isOci ? MEDIA_TYPES.ociConfig : MEDIA_TYPES.dockerConfig,
    digest: sha256(config),
    size: config.length,
  };
  const manifest = manifestBytes({
    schemaVersion: 2,
    mediaType: isOci ? MEDIA_TYPES.ociManifest : MEDIA_TYPES.dockerManifest,
    config: configDescriptor,
    layers: image.layers.map((layer) => layerDescriptor(layer.descriptor, image.format)),
    ...(Object.keys(image.annotations).length > 0 && { annotations: image.annotations }),
  });
  const manifestDescriptor: Descriptor = {
    mediaType: isOci ? MEDIA_TYPES.ociManifest : MEDIA_TYPES.dockerManifest,
    digest: sha256(manifest),
    size: manifest.length,
  };
  return { configBytes: config, configDescriptor, manifestBytes: manifest, manifestDescriptor };
}

/** `descriptor` as it stands in a manifest of `format`: foreign layers become ordinary ones, unknown types stay. */
export function layerDescriptor(descriptor: Descriptor, format: ImageFormat): Descriptor {
  const { digest, size } = descriptor;
  const compression = layerCompression(descriptor.mediaType);
  if (compression === undefined) return descriptor;
  const mediaType = layerMediaType(format, compression);
  if (mediaType === undefined) {
    throw new UnsupportedError(`Cannot write layer ${digest}: the Docker image format has no ${compression} layers`, {
      hint: "Use the OCI format",
    });
  }
  const annotations = Object.fromEntries(
    Object.entries(descriptor.annotations ?? {}).filter(([name]) => !INTERNAL_ANNOTATION.test(name)),
  );
  const hasAnnotations = format === "oci" && Object.keys(annotations).length > 0;
  return { mediaType, digest, size, ...(hasAnnotations && { annotations }) };
}
