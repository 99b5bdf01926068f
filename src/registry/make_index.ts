/** An index from images that are pushed already: one name for several platforms. */
import { FormatError } from "../errors.ts";
import { type Descriptor, MEDIA_TYPES } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import { isIndex, manifestBytes } from "../oci/manifest.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatReference } from "../oci/reference.ts";
import type { StoredManifest } from "../blob/blob_store.ts";
import type { FoundImage } from "./image_transfer.ts";
import { readConfig, readManifest } from "./resolve_image.ts";

/** What an index says beside its images. */
export interface IndexOptions {
  readonly annotations: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * The index over `members`, in their order; of a member that is an index, its entries. The platform of each comes from its
 * config. Docker's media type where all members are Docker's and nothing is annotated, else OCI's. Throws FormatError when
 * two images are for one platform.
 */
export async function makeIndex(members: readonly FoundImage[], options: IndexOptions): Promise<StoredManifest> {
  const entries: Descriptor[] = [];
  for (const member of members) {
    for (const entry of await entriesOf(member, options.signal)) {
      if (!entries.some(({ digest }) => digest === entry.digest)) entries.push(entry);
    }
  }
  checkPlatforms(entries);
  const isDocker = Object.keys(options.annotations).length === 0 &&
    entries.every(({ mediaType }) => mediaType === MEDIA_TYPES.dockerManifest);
  const mediaType = isDocker ? MEDIA_TYPES.dockerIndex : MEDIA_TYPES.ociIndex;
  const { annotations } = options;
  const bytes = manifestBytes({ schemaVersion: 2, mediaType, manifests: entries, annotations });
  return { mediaType, digest: sha256(bytes), bytes };
}

async function entriesOf(
  { reference, source, stored }: FoundImage,
  signal: AbortSignal,
): Promise<readonly Descriptor[]> {
  const operation = `put ${formatReference(reference)} into an index`;
  const manifest = readManifest(stored, operation);
  if (isIndex(manifest)) return manifest.manifests;
  const { config } = await readConfig(source, manifest, operation, signal);
  const { os, architecture, variant } = config;
  const platform = variant === undefined ? { os, architecture } : { os, architecture, variant };
  return [{ mediaType: manifest.mediaType, digest: stored.digest, size: stored.bytes.length, platform }];
}

function checkPlatforms(entries: readonly Descriptor[]): void {
  const seen = new Map<string, string>();
  for (const { platform, digest } of entries) {
    if (platform === undefined || platform.os === "unknown") continue;
    const text = formatPlatform(platform);
    const other = seen.get(text);
    if (other !== undefined) {
      throw new FormatError(`Cannot make an index: ${other} and ${digest} are both for ${text}`);
    }
    seen.set(text, digest);
  }
}
