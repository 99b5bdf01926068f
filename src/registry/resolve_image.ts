/** From a name to one image: through indexes by platform to a verified manifest, and its config. For any kind of store. */
import type { BlobSource, ManifestStore, StoredManifest } from "../blob/blob_store.ts";
import { IntegrityError } from "../blob/verify_stream.ts";
import { errorText, FormatError } from "../errors.ts";
import type { Logger } from "../log/logger.ts";
import { type ImageConfig, MAX_CONFIG_BYTES, parseImageConfig } from "../oci/image_config.ts";
import { type ImageManifest, isIndex, parseManifest } from "../oci/manifest.ts";
import { formatPlatform, type Platform, platformFit } from "../oci/platform.ts";
import { formatReference, type Reference } from "../oci/reference.ts";
import type { ResolvedImage } from "../plan/plan.ts";
import { choosePlatform } from "./choose_platform.ts";
import { RegistryError } from "./registry_error.ts";

/** Where an image is read from. */
export type ImageSource = BlobSource & Pick<ManifestStore, "getManifest">;

/** One image that is wanted. */
export interface WantedImage {
  readonly reference: Reference;
  /** Tag or digest at the source. */
  readonly target: string;
  readonly platform: Platform;
  /** Reads after "Cannot". */
  readonly operation: string;
}

/** What resolving takes of the world. */
export interface ResolveServices {
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The image, with nothing read but manifests and config. Throws RegistryError, FormatError and IntegrityError. */
export async function resolveImage(
  source: ImageSource,
  wanted: WantedImage,
  services: ResolveServices,
): Promise<ResolvedImage> {
  const { reference, platform, operation } = wanted;
  const { stored, manifest } = await findManifest(source, wanted, services.signal);
  const { config } = await readConfig(source, manifest, operation, services.signal);
  if (config.rootfs.diff_ids.length !== manifest.layers.length) {
    throw new FormatError(
      `Cannot ${operation}: its config names ${config.rootfs.diff_ids.length} layers, its manifest ${manifest.layers.length}`,
    );
  }
  if (platformFit(platform, config) === undefined) {
    const wantedPlatform = formatPlatform(platform);
    services.log.warn(`${formatReference(reference)} is for ${formatPlatform(config)}, not for ${wantedPlatform}`);
  }
  const manifestDescriptor = { mediaType: manifest.mediaType, digest: stored.digest, size: stored.bytes.length };
  return { reference, digest: stored.digest, manifest, manifestDescriptor, config };
}

/** The manifest that `target` names; through indexes, at most three deep, by platform. */
export async function findManifest(
  source: ImageSource,
  { target, platform, operation }: Omit<WantedImage, "reference">,
  signal: AbortSignal,
): Promise<{ readonly stored: StoredManifest; readonly manifest: ImageManifest }> {
  let next = target;
  let expectedBytes: number | undefined;
  for (let depth = 0; depth <= MAX_INDEX_DEPTH; depth++) {
    const stored = await source.getManifest(next, signal);
    if (stored === undefined) throw missingManifest(operation, next);
    if (expectedBytes !== undefined && stored.bytes.length !== expectedBytes) {
      throw new IntegrityError(`Cannot ${operation}: ${next} has ${stored.bytes.length} bytes, not ${expectedBytes}`, {
        expectedDigest: stored.digest,
        expectedSizeBytes: expectedBytes,
        actualSizeBytes: stored.bytes.length,
      });
    }
    const manifest = readManifest(stored, operation);
    if (!isIndex(manifest)) return { stored, manifest };
    const chosen = choosePlatform(manifest, platform, operation);
    next = chosen.digest;
    expectedBytes = chosen.size;
  }
  throw new FormatError(`Cannot ${operation}: its indexes are nested more than ${MAX_INDEX_DEPTH} deep`);
}

/** The manifest or index in `stored`. Throws FormatError that begins with the operation. */
export function readManifest(stored: StoredManifest, operation: string): ReturnType<typeof parseManifest> {
  try {
    return parseManifest(stored.bytes, stored.mediaType);
  } catch (error: unknown) {
    throw new FormatError(`Cannot ${operation}: ${errorText(error)}`, { cause: error });
  }
}

/** The config that `manifest` names, as bytes and understood. Throws FormatError and IntegrityError. */
export async function readConfig(
  source: BlobSource,
  { config }: Pick<ImageManifest, "config">,
  operation: string,
  signal: AbortSignal,
): Promise<{ readonly bytes: Uint8Array; readonly config: ImageConfig }> {
  if (config.size > MAX_CONFIG_BYTES) {
    throw new FormatError(`Cannot ${operation}: its config has ${config.size} bytes, more than ${MAX_CONFIG_BYTES}`);
  }
  const stream = await source.open(config, signal);
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  try {
    return { bytes, config: parseImageConfig(bytes) };
  } catch (error: unknown) {
    throw new FormatError(`Cannot ${operation}: ${errorText(error)}`, { cause: error });
  }
}

/** The error for a name that the source has not. */
export function missingManifest(operation: string, target: string): RegistryError {
  return new RegistryError({
    operation,
    method: "GET",
    url: target,
    status: 404,
    errorCodes: ["MANIFEST_UNKNOWN"],
    retryable: false,
  }, "manifest unknown (404)");
}

const MAX_INDEX_DEPTH = 3;
