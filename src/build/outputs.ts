/** What is done with a finished image: archive, layout, push, and only then the files that tell its digest. */
import { OciLayout } from "../blob/oci_layout.ts";
import { ContextError } from "../context/context_error.ts";
import { errorText } from "../errors.ts";
import { saveToLayout, writeDockerArchive } from "../image/archive.ts";
import { type EncodedImage, encodeImage, type Image } from "../image/image.ts";
import { withAnnotations, withFormat, withLatestTime } from "../image/mutate.ts";
import { layerCompression } from "../oci/descriptor.ts";
import { formatReference, type Reference, repositoryName } from "../oci/reference.ts";
import type { Registry } from "../registry/registry.ts";
import { rawPath } from "../sys/raw_path.ts";
import { lstat } from "../sys/stat.ts";
import type { BuildResult, OutputOptions } from "./build_request.ts";
import type { Services } from "./services.ts";

/** Name that a docker-archive without a destination carries. */
const UNNAMED = "index.docker.io/unset-repo/unset-image-name:latest";

/**
 * `image` as it is asked for: with the wanted annotations, and with no time of this build later than `epochSeconds`
 * (SOURCE_DATE_EPOCH) where that is given. Unless a family of media types is wanted it keeps the base's, or gets OCI's when it
 * holds what Docker's cannot say, or goes into an OCI layout.
 */
export function finishImage(
  image: Image,
  { format, annotations, ociLayoutPath }: Pick<OutputOptions, "format" | "annotations" | "ociLayoutPath">,
  epochSeconds?: number,
): Image {
  const annotated = withAnnotations(image, annotations);
  const isOci = ociLayoutPath !== undefined || needsOci(annotated);
  const written = withFormat(annotated, format ?? (isOci ? "oci" : image.format));
  return epochSeconds === undefined ? written : withLatestTime(written, epochSeconds * 1000);
}

function needsOci(image: Image): boolean {
  const hasZstd = image.layers.some(({ descriptor }) => layerCompression(descriptor.mediaType) === "zstd");
  return hasZstd || Object.keys(image.annotations).length > 0;
}

/** Saves and pushes `image` as asked. A failure leaves no digest file. */
export async function deliver(
  image: Image,
  options: OutputOptions,
  registry: Pick<Registry, "push">,
  services: Services,
): Promise<BuildResult> {
  const encoded = encodeImage(image);
  const digest = encoded.manifestDescriptor.digest;
  const { log, signal } = services;
  if (options.tarPath !== undefined) {
    log.info(`Writing docker-archive ${options.tarPath}`);
    const names = options.destinations.map((reference) => archiveName(reference));
    await writeWhole(options.tarPath, await writeDockerArchive(image, names.length > 0 ? names : [UNNAMED], signal));
  }
  if (options.ociLayoutPath !== undefined) {
    log.info(`Writing OCI layout ${options.ociLayoutPath}`);
    const layout = await OciLayout.open(options.ociLayoutPath);
    await saveToLayout(image, layout, options.destinations[0]?.tag ?? "latest", signal);
  }
  const pushed = options.push ? await push(image, encoded, options.destinations, registry, services) : [];
  await writeDigestFiles(digest, options);
  return { digest, configDigest: encoded.configDescriptor.digest, pushed };
}

async function push(
  image: Image,
  encoded: EncodedImage,
  destinations: readonly Reference[],
  registry: Pick<Registry, "push">,
  { log }: Services,
): Promise<readonly Reference[]> {
  for (const reference of destinations) log.info(`Pushing ${formatReference(reference)}`);
  const pushed = await registry.push({ ...encoded, layers: image.layers }, destinations);
  return pushed.map(({ reference }) => reference);
}

/** Docker Hub's names are stored short, as `docker save` writes them, so that `docker load` gives the expected tag. */
function archiveName(reference: Reference): string {
  return formatReference(reference).replace(/^index\.docker\.io\/(library\/)?/, "");
}

async function writeDigestFiles(digest: string, options: OutputOptions): Promise<void> {
  const names = options.destinations.map((reference) => ({ reference, repository: repositoryName(reference) }));
  if (options.digestFile !== undefined) await writeText(options.digestFile, digest);
  if (options.imageNameWithDigestFile !== undefined) {
    const lines = names.map(({ repository }) => `${repository}@${digest}\n`);
    await writeText(options.imageNameWithDigestFile, lines.join(""));
  }
  if (options.imageNameTagWithDigestFile !== undefined) {
    const lines = names.map(({ repository, reference }) => `${repository}:${reference.tag ?? "latest"}@${digest}\n`);
    await writeText(options.imageNameTagWithDigestFile, lines.join(""));
  }
}

async function writeText(path: string, text: string): Promise<void> {
  await inOutput(path, async () => {
    await makeParent(path);
    await Deno.writeTextFile(path, text);
  });
}

/**
 * Writes a temporary neighbour and renames it, so that the file is whole or absent. What is there and is no regular file (a
 * device, a fifo, a link) is written through, never replaced.
 */
async function writeWhole(path: string, bytes: ReadableStream<Uint8Array>): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}.partial`;
  await inOutput(path, async () => {
    await makeParent(path);
    const existing = lstat(rawPath(path));
    if (existing !== undefined && existing.type !== "file") return await Deno.writeFile(path, bytes, { create: false });
    try {
      await Deno.writeFile(temporary, bytes);
      await Deno.rename(temporary, path);
    } catch (error: unknown) {
      await Deno.remove(temporary).catch(() => {}); // it may not have been made
      throw error;
    }
  });
}

async function makeParent(path: string): Promise<void> {
  const slash = path.lastIndexOf("/");
  if (slash > 0) await Deno.mkdir(path.slice(0, slash), { recursive: true });
}

async function inOutput<T>(path: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error: unknown) {
    if (!(error instanceof Error) || !isFileError(error)) throw error;
    throw new ContextError({ action: "write", source: path, reason: errorText(error) }, { cause: error });
  }
}

/** Whether the failure is the file system's and not, say, a registry's that the bytes come from. */
function isFileError(error: Error): boolean {
  return Object.values(Deno.errors).some((kind) => error instanceof kind) ||
    "code" in error && error.constructor === Error;
}
