/** What a step changed, or all steps of a stage, as a layer on top of the stage's image. */
import type { BlobSource } from "../blob/blob_store.ts";
import type { Image } from "../image/image.ts";
import { appendHistory, appendLayer } from "../image/mutate.ts";
import type { Layer } from "../layer/layer.ts";
import { writeLayer, type WrittenLayer } from "../layer/write_layer.ts";
import { type ImageFormat, layerMediaType, MEDIA_TYPES } from "../oci/descriptor.ts";
import type { ContentHasher, KnownContents } from "../rootfs/content_hash.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { Change } from "../snapshot/diff_trees.ts";
import type { BuildSession } from "./build_session.ts";
import type { StageRoot } from "./stage_root.ts";

/**
 * What becomes of a step's changes. `step`: a layer of their own. `later`: part of the layer of a later step of the stage,
 * or of none where nobody needs the stage's layers. `stage`: one layer with all that changed since the stage began.
 */
export type Layering = "step" | "later" | "stage";

/** Where the changed files are. */
export interface ChangedRoot {
  readonly rootfs: Rootfs;
  readonly hasher: ContentHasher;
  readonly known: KnownContents;
  /** Bytes of all files, where they are known. */
  readonly sizeBytes?: number | undefined;
}

/** A step that is carried out: its changes, and the image and root that they are made to. */
export interface StepResult {
  readonly image: Image;
  readonly layering: Layering;
  readonly root: StageRoot;
  readonly changes: readonly Change[];
}

/** The image with the history entry of the step and the layer that is due after it. */
export async function appendStep(
  { history }: { readonly history: string },
  { image, layering, root, changes }: StepResult,
  session: BuildSession,
): Promise<Image> {
  if (layering === "later") return appendHistory(image, history);
  const due = layering === "step" ? changes : root.changesSinceBaseline();
  const layer = await writeStepLayer(due, root, image.format, session);
  return withStepLayer(image, layer, history, session);
}

/** Writes the layer of `changes` to the work folder's layout. */
export async function writeStepLayer(
  changes: readonly Change[],
  root: ChangedRoot,
  format: ImageFormat,
  session: BuildSession,
): Promise<Layer> {
  const { services, layers, work } = session;
  const { signal } = services;
  const written = await writeLayer(changes, root.rootfs, {
    hasher: root.hasher,
    known: root.known,
    compression: layers.compression,
    ...(layers.level !== undefined && { level: layers.level }),
    ...(layers.isReproducible === true && { clampToEpochSeconds: Math.floor(session.createdMs() / 1000) }),
    put: (stream) => work.layout.ingest(stream, signal),
    signal,
  });
  const layer = layerOf(written, format, work.layout);
  work.disk.set(written.digest, written.size);
  if (root.sizeBytes === undefined) work.disk.add(root.rootfs.path, written.tarSize);
  else work.disk.set(root.rootfs.path, root.sizeBytes);
  services.log.debug("Layer written", { digest: layer.descriptor.digest, size: layer.descriptor.size });
  return layer;
}

/** `image` with the layer of a step that `history` tells of. */
export function withStepLayer(image: Image, layer: Layer, history: string, session: BuildSession): Image {
  return appendLayer(image, layer, { history, createdMs: session.createdMs() });
}

/** The stored layer as part of an image. A zstd layer has a media type in the OCI family alone; encoding tells of it. */
function layerOf(written: WrittenLayer, format: ImageFormat, source: BlobSource): Layer {
  const { digest, size, diffId, compression } = written;
  const mediaType = layerMediaType(format, compression) ?? MEDIA_TYPES.ociLayerZstd;
  return { descriptor: { mediaType, digest, size }, diffId, source };
}
