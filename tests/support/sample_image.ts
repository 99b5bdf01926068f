/** Small valid images, and putting them into a fake registry. */
import { type Descriptor, MEDIA_TYPES } from "../../src/oci/descriptor.ts";
import { type DiffId, parseDiffId, sha256 } from "../../src/oci/digest.ts";
import { configBytes } from "../../src/oci/image_config.ts";
import { type ImageManifest, manifestBytes } from "../../src/oci/manifest.ts";
import type { Platform } from "../../src/oci/platform.ts";
import type { PushableImage } from "../../src/registry/push.ts";
import type { FakeRegistry } from "./fake_registry.ts";

/** An image with all its bytes. */
export interface SampleImage extends PushableImage {
  readonly manifest: ImageManifest;
  readonly diffIds: readonly DiffId[];
  readonly layerBytes: readonly Uint8Array<ArrayBuffer>[];
}

/** An image whose layers are these bytes, stored without compression. */
export function sampleImage(
  layerBytes: readonly Uint8Array<ArrayBuffer>[] = [sampleBytes(1000), sampleBytes(50)],
  platform: Platform = { os: "linux", architecture: "amd64" },
): SampleImage {
  const diffIds = layerBytes.map((bytes) => parseDiffId(sha256(bytes)));
  const config = configBytes({ ...platform, config: {}, rootfs: { type: "layers", diff_ids: diffIds }, history: [] });
  const configDescriptor = describe(MEDIA_TYPES.ociConfig, config);
  const layers = layerBytes.map((bytes) => ({
    descriptor: describe(MEDIA_TYPES.ociLayer, bytes),
    source: { open: () => Promise.resolve(new Blob([bytes]).stream()) },
  }));
  const manifest: ImageManifest = {
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: configDescriptor,
    layers: layers.map(({ descriptor }) => descriptor),
  };
  const bytes = manifestBytes(manifest);
  return {
    configBytes: config,
    configDescriptor,
    layers,
    manifestBytes: bytes,
    manifestDescriptor: describe(MEDIA_TYPES.ociManifest, bytes),
    manifest,
    diffIds,
    layerBytes,
  };
}

/** `length` bytes that look random and are always the same. */
export function sampleBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

export function describe(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: sha256(bytes), size: bytes.length };
}

/** Puts an image into a fake registry, under a tag and its digest. */
export function storeImage(registry: FakeRegistry, repository: string, tag: string, image: SampleImage): void {
  const blobs = [image.configBytes, ...image.layerBytes];
  for (const bytes of blobs) registry.blobs.set(`${repository}@${sha256(bytes)}`, new Uint8Array(bytes));
  storeManifest(registry, repository, tag, image.manifestDescriptor.mediaType, new Uint8Array(image.manifestBytes));
}

export function storeManifest(
  registry: FakeRegistry,
  repository: string,
  tag: string,
  mediaType: string,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  registry.manifests.set(`${repository}:${tag}`, { mediaType, bytes });
  registry.manifests.set(`${repository}@${sha256(bytes)}`, { mediaType, bytes });
}
