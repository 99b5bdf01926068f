/** Changes to an image, each giving a new one: no bytes are read or written. */
import type { Layer } from "../layer/layer.ts";
import type { ImageFormat } from "../oci/descriptor.ts";
import type { ContainerConfig } from "../oci/image_config.ts";
import { normalisePlatform, type Platform } from "../oci/platform.ts";
import { addEmptyEntry, addLayerEntry, clampTimes } from "./history.ts";
import type { Image } from "./image.ts";

/** How a layer came to be. */
export interface LayerOrigin {
  /** The instruction, for `created_by`. */
  readonly history: string;
  /** When the layer was made, in milliseconds since the epoch. */
  readonly createdMs: number;
}

/** `image` with `layer` on top, and the history entry for it. */
export function appendLayer(image: Image, layer: Layer, origin: LayerOrigin): Image {
  const created = formatTime(origin.createdMs);
  const config = addLayerEntry(image.config, origin.history, created, image.inheritedHistory);
  const diffIds = [...config.rootfs.diff_ids, layer.diffId];
  return {
    ...image,
    config: { ...config, rootfs: { type: "layers", diff_ids: diffIds } },
    layers: [...image.layers, layer],
  };
}

/** `image` with a history entry for an instruction that made no layer. */
export function appendHistory(image: Image, createdBy: string): Image {
  return { ...image, config: addEmptyEntry(image.config, createdBy) };
}

/** `image` with another container config; `author`, when it is given, replaces the author too. */
export function withContainerConfig(image: Image, container: ContainerConfig, author?: string): Image {
  return { ...image, config: { ...image.config, config: container, ...(author !== undefined && { author }) } };
}

/** `image` for `platform`; operating system version and features, which were another's, are dropped. */
export function withPlatform(image: Image, platform: Platform): Image {
  const { os, architecture, variant } = normalisePlatform(platform);
  const { variant: _variant, "os.version": _version, "os.features": _features, ...rest } = image.config;
  return { ...image, config: { ...rest, os, architecture, ...(variant !== undefined && { variant }) } };
}

/** `image` with `annotations` added to its own; equal names are replaced. */
export function withAnnotations(image: Image, annotations: Readonly<Record<string, string>>): Image {
  return { ...image, annotations: { ...image.annotations, ...annotations } };
}

/** `image` to be written in another family of media types. */
export function withFormat(image: Image, format: ImageFormat): Image {
  return { ...image, format };
}

/** `image` with no time of this build later than `latestMs`, milliseconds since the epoch (SOURCE_DATE_EPOCH). */
export function withLatestTime(image: Image, latestMs: number): Image {
  return { ...image, config: clampTimes(image.config, formatTime(latestMs), image.inheritedHistory) };
}

/** RFC 3339 in UTC as Go writes it: no fraction when there is none. */
function formatTime(timeMs: number): string {
  return new Date(timeMs).toISOString().replace(/\.?0*Z$/, "Z");
}
