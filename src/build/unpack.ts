/** An image's layers put into a rootfs, lowest first. */
import type { Image } from "../image/image.ts";
import { openUncompressed } from "../layer/layer.ts";
import type { KnownContents } from "../rootfs/content_hash.ts";
import { extractLayer } from "../rootfs/extract_layer.ts";
import type { Rootfs } from "../rootfs/rootfs.ts";
import type { BuildSession } from "./build_session.ts";

/** Applies all layers of `image` to `rootfs`; the contents of what it wrote are added to `known`. */
export async function unpackImage(
  image: Image,
  rootfs: Rootfs,
  known: KnownContents,
  { hasher, services: { log, signal } }: Pick<BuildSession, "hasher" | "services">,
): Promise<void> {
  for (const layer of image.layers) {
    signal.throwIfAborted();
    log.debug("Unpacking layer", { digest: layer.descriptor.digest, size: layer.descriptor.size });
    const tar = await openUncompressed(layer, signal);
    await extractLayer(tar, rootfs, { hasher, known, log, signal });
  }
}
