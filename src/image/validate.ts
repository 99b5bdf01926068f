/** Recomputes everything that an image claims of itself: digests, sizes, diffIds, history. Believes nothing it can check. */
import type { BlobStore, ManifestStore } from "../blob/blob_store.ts";
import { errorText, isBuilderError } from "../errors.ts";
import { type Layer, openUncompressed } from "../layer/layer.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { sha256, Sha256Hasher } from "../oci/digest.ts";
import { type ImageConfig, MAX_CONFIG_BYTES, parseImageConfig } from "../oci/image_config.ts";
import { isIndex, parseManifest } from "../oci/manifest.ts";
import { readTar } from "../tar/read.ts";
import { encodeImage, type Image, imageOf } from "./image.ts";

/** One claim that does not hold. */
export interface Violation {
  /** What makes the claim: "config", "manifest", or a layer's digest. */
  readonly subject: string;
  readonly message: string;
}

/**
 * Reads all of `image` and lists what is wrong with it; empty for a valid image. Layers are read one after another.
 * Throws only what `signal` was aborted with.
 */
export async function validateImage(image: Image, signal?: AbortSignal): Promise<readonly Violation[]> {
  const found = [...configViolations(image.config, image.layers.length)];
  for (const [i, layer] of image.layers.entries()) {
    const claimed = image.config.rootfs.diff_ids[i];
    if (claimed !== undefined && claimed !== layer.diffId) {
      found.push({
        subject: layer.descriptor.digest,
        message: `the config says diffId ${claimed}, not ${layer.diffId}`,
      });
    }
    found.push(...await layerViolations(layer, signal));
  }
  return [...found, ...encodingViolations(image)];
}

/**
 * The same for an image as it is stored, from its manifest on. A manifest that is missing or an index is a violation too.
 */
export async function validateStored(
  store: BlobStore & ManifestStore,
  tagOrDigest: string,
  signal?: AbortSignal,
): Promise<readonly Violation[]> {
  try {
    const stored = await store.getManifest(tagOrDigest, signal);
    if (stored === undefined) return [{ subject: "manifest", message: `"${tagOrDigest}" is not there` }];
    const manifest = parseManifest(stored.bytes, stored.mediaType);
    if (isIndex(manifest)) return [{ subject: "manifest", message: "it is an index" }];
    const actual = sha256(stored.bytes);
    const wrong = actual === stored.digest ? [] : [{ subject: "manifest", message: `its digest is ${actual}` }];
    const config = parseImageConfig(await readConfig(store, manifest.config, signal));
    const history = configViolations(config, manifest.layers.length);
    if (config.rootfs.diff_ids.length !== manifest.layers.length) return [...wrong, ...history];
    return [...wrong, ...history, ...await validateImage(imageOf({ manifest, config }, store), signal)];
  } catch (error: unknown) {
    signal?.throwIfAborted();
    return [failure("manifest", error)];
  }
}

/** What is wrong with a config on its own. */
export function configViolations(config: ImageConfig, layerCount: number): readonly Violation[] {
  const diffIds = config.rootfs.diff_ids.length;
  const entries = config.history.filter((entry) => entry.empty_layer !== true).length;
  const found: Violation[] = [];
  const add = (message: string): number => found.push({ subject: "config", message });
  if (diffIds !== layerCount) add(`it has ${diffIds} diffIds for ${layerCount} layers`);
  if (config.history.length > 0 && entries !== layerCount) {
    add(`its history has ${entries} entries for ${layerCount} layers`);
  }
  if (config.os === "" || config.architecture === "") add("it has no platform");
  for (const { created } of [config, ...config.history]) {
    if (created !== undefined && Number.isNaN(Date.parse(created))) add(`"${created}" is no time`);
  }
  return found;
}

/** Reads the layer as stored and as a tar at the same time. */
async function layerViolations(layer: Layer, signal: AbortSignal | undefined): Promise<readonly Violation[]> {
  const { descriptor } = layer;
  const stored = new Sha256Hasher();
  const tar = new Sha256Hasher();
  const source = {
    open: async (wanted: Descriptor): Promise<ReadableStream<Uint8Array>> =>
      (await layer.source.open(wanted, signal)).pipeThrough(hashing(stored)),
  };
  try {
    const stream = await openUncompressed({ ...layer, source }, signal);
    await readTar(stream.pipeThrough(hashing(tar)), {
      entry(): void {},
      body(): void {},
      end(): void {},
      hole(): void {},
    }, signal);
  } catch (error: unknown) {
    signal?.throwIfAborted();
    return [failure(descriptor.digest, error)];
  }
  const found: Violation[] = [];
  const add = (message: string): number => found.push({ subject: descriptor.digest, message });
  if (stored.sizeBytes !== descriptor.size) add(`its size is ${stored.sizeBytes}, not ${descriptor.size}`);
  const [digest, diffId] = [stored.digest(), tar.diffId()];
  if (digest !== descriptor.digest) add(`its digest is ${digest}`);
  if (diffId !== layer.diffId) add(`its diffId is ${diffId}, not ${layer.diffId}`);
  return found;
}

/** Whether what is written of the image can be read back. */
function encodingViolations(image: Image): readonly Violation[] {
  try {
    const encoded = encodeImage(image);
    parseImageConfig(encoded.configBytes);
    parseManifest(encoded.manifestBytes, encoded.manifestDescriptor.mediaType);
    return [];
  } catch (error: unknown) {
    return [failure("manifest", error)];
  }
}

async function readConfig(store: BlobStore, descriptor: Descriptor, signal?: AbortSignal): Promise<Uint8Array> {
  const stream = await store.open({ ...descriptor, size: Math.min(descriptor.size, MAX_CONFIG_BYTES) }, signal);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function hashing(hasher: Sha256Hasher): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(chunk, controller): void {
      hasher.update(chunk);
      controller.enqueue(chunk);
    },
  });
}

/** A failure to read is a violation; anything that is no error of ours is a bug, and is thrown. */
function failure(subject: string, error: unknown): Violation {
  if (!isBuilderError(error)) throw error;
  return { subject, message: errorText(error) };
}
