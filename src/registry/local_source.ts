/** Images in files as sources: an OCI layout or a docker-archive, read as a registry is, without one. */
import type { StoredManifest } from "../blob/blob_store.ts";
import { OciLayout } from "../blob/oci_layout.ts";
import { errorText, FormatError, isBuilderError } from "../errors.ts";
import { DockerArchive } from "../image/docker_archive.ts";
import { MEDIA_TYPES } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import { formatLocalImage, type LocalImage } from "../oci/local_image.ts";
import { manifestBytes } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import type { Reference } from "../oci/reference.ts";
import type { ResolvedImage } from "../plan/plan.ts";
import { type ImageSource, resolveImage, type ResolveServices } from "./resolve_image.ts";

export type { ImageSource } from "./resolve_image.ts";

/** The images in files that one build reads, each opened once. */
export class LocalImages {
  readonly #sources = new Map<string, Promise<ImageSource>>();

  /** The paths of all that were opened. */
  get paths(): readonly string[] {
    return [...this.#sources.keys()].map((key) => key.slice(key.indexOf(" ") + 1));
  }

  /** The source behind `image`. Throws FormatError when there is none, or a broken one. */
  open(image: LocalImage): Promise<ImageSource> {
    const key = `${image.kind} ${image.path}`;
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    const opened = openLocalSource(image);
    this.#sources.set(key, opened);
    opened.catch(() => this.#sources.delete(key));
    return opened;
  }

  /** See BaseResolver. */
  async resolve(
    image: LocalImage,
    reference: Reference,
    platform: Platform,
    services: ResolveServices,
  ): Promise<ResolvedImage> {
    const operation = `read ${formatLocalImage(image)}`;
    const wanted = { reference, target: image.target ?? "", platform, operation };
    return await resolveImage(await this.open(image), wanted, services);
  }
}

/** Opens an image in files for reading. The target "" is the only image of the file, or all of a layout as an index. */
export async function openLocalSource(image: Pick<LocalImage, "kind" | "path">): Promise<ImageSource> {
  return image.kind === "docker-archive" ? await openArchive(image.path) : await openLayout(image.path);
}

async function openArchive(path: string): Promise<ImageSource> {
  const archive = await DockerArchive.open(path);
  return {
    open: (descriptor, signal) => archive.open(descriptor, signal),
    getManifest: (target) => archive.getManifest(target),
  };
}

async function openLayout(path: string): Promise<ImageSource> {
  const layout = await existingLayout(path);
  return {
    open: (descriptor, signal) => layout.open(descriptor, signal),
    getManifest: async (target, signal) =>
      target === "" ? await wholeLayout(layout) : await layout.getManifest(target, signal),
  };
}

/** Opens the layout in `path`, which must be there. */
async function existingLayout(path: string): Promise<OciLayout> {
  try {
    await Deno.stat(`${path}/index.json`);
    return await OciLayout.open(path);
  } catch (error: unknown) {
    if (isBuilderError(error)) throw error;
    const reason = error instanceof Deno.errors.NotFound ? "there is no index.json" : errorText(error);
    throw new FormatError(`Cannot open "${path}" as an OCI image layout: ${reason}`, { cause: error });
  }
}

/** The only entry of the layout's index, or the index itself, from which the platform chooses. */
async function wholeLayout(layout: OciLayout): Promise<StoredManifest | undefined> {
  const { manifests } = await layout.index();
  const [first, ...others] = manifests;
  if (first === undefined) throw new FormatError(`Cannot use the OCI image layout "${layout.path}": it is empty`);
  if (others.every(({ digest }) => digest === first.digest)) return await layout.getManifest(first.digest);
  if (manifests.every(({ platform }) => platform !== undefined)) {
    const bytes = manifestBytes({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests });
    return { mediaType: MEDIA_TYPES.ociIndex, digest: sha256(bytes), bytes };
  }
  const names = manifests.flatMap(({ annotations }) => annotations?.["org.opencontainers.image.ref.name"] ?? []);
  throw new FormatError(
    `Cannot choose an image of the OCI image layout "${layout.path}": it has ${names.slice(0, 10).join(", ")}`,
    { hint: "Add the tag behind the path: oci-layout://PATH:TAG" },
  );
}
