/** Which image of an index serves a machine. Source: image-spec image-index.md, platform; BuildKit's attestations. */
import type { Descriptor } from "../oci/descriptor.ts";
import type { ImageIndex } from "../oci/manifest.ts";
import { formatPlatform, type Platform, platformFit } from "../oci/platform.ts";
import { RegistryError } from "./registry_error.ts";

/**
 * The entry of `index` that fits `wanted` best; among equals the first. Attestations (platform unknown/unknown) are no
 * images. An entry without a platform is taken when it is the only image. Throws RegistryError that lists the platforms
 * on offer; `operation` reads after "Cannot".
 */
export function choosePlatform(index: ImageIndex, wanted: Platform, operation: string): Descriptor {
  const images = index.manifests.filter((entry) => !isAttestation(entry));
  let best: { readonly entry: Descriptor; readonly fit: number } | undefined;
  for (const entry of images) {
    const fit = entry.platform === undefined ? undefined : platformFit(wanted, entry.platform);
    if (fit !== undefined && (best === undefined || fit > best.fit)) best = { entry, fit };
  }
  if (best !== undefined) return best.entry;
  const [only, ...others] = images;
  if (only !== undefined && others.length === 0 && only.platform === undefined) return only;
  const offered = images.flatMap(({ platform }) => platform === undefined ? [] : [formatPlatform(platform)]);
  const list = [...new Set(offered)].sort().slice(0, MAX_LISTED).join(", ");
  throw new RegistryError(
    { operation, method: "GET", url: "", errorCodes: [], retryable: false },
    `no image for ${formatPlatform(wanted)}; it has ${list === "" ? "none with a platform" : list}`,
    { hint: "Choose one of these with --custom-platform, or another base image" },
  );
}

function isAttestation(entry: Descriptor): boolean {
  return entry.platform?.os === "unknown" ||
    entry.annotations?.["vnd.docker.reference.type"] === "attestation-manifest";
}

const MAX_LISTED = 32;
