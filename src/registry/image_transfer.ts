/** Images between registries, layouts and archives: `copy`, `push` and `index` are all this. */
import type { StoredManifest } from "../blob/blob_store.ts";
import { OciLayout } from "../blob/oci_layout.ts";
import { errorText, FormatError } from "../errors.ts";
import { writeArchive } from "../image/archive.ts";
import { compressLayers, type StoredImage } from "../image/compress_layers.ts";
import { imageOf } from "../image/image.ts";
import type { Logger } from "../log/logger.ts";
import { isIndex } from "../oci/manifest.ts";
import type { Platform } from "../oci/platform.ts";
import { formatReference, type Reference, referenceTarget } from "../oci/reference.ts";
import { copyImage, type ImageSink, layoutSink, registrySink } from "./copy_image.ts";
import type { RegistryClient } from "./client.ts";
import type { LocalImages } from "./local_source.ts";
import { isImmutableTag } from "./push.ts";
import { isRetryable } from "./registry_error.ts";
import type { RegistryOptions, Repository } from "./registry_options.ts";
import { findManifest, type ImageSource, missingManifest, readConfig, readManifest } from "./resolve_image.ts";

/** What a transfer takes of the rest. */
export interface TransferServices {
  /** Reads a repository, through mirrors. */
  readonly source: (reference: Reference) => ImageSource;
  readonly locals: LocalImages;
  /** The client for writing a repository. */
  readonly client: (repository: Repository) => RegistryClient;
  readonly sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** An image that is to be moved: where it is, its manifest or index, and the name it had. */
export interface FoundImage {
  readonly reference: Reference;
  readonly source: ImageSource;
  readonly stored: StoredManifest;
}

type TransferOptions = Pick<RegistryOptions, "concurrency" | "pushRetry" | "ignoreImmutableTagErrors">;

/**
 * Finds what `reference` names: an index as a whole, or, where `platform` is given, the image in it for that platform.
 * Throws RegistryError and FormatError.
 */
export async function findImage(
  reference: Reference,
  platform: Platform | undefined,
  services: TransferServices,
): Promise<FoundImage> {
  const { local } = reference;
  const operation = `read ${formatReference(reference)}`;
  const source = local === undefined ? services.source(reference) : await services.locals.open(local);
  const target = local === undefined ? referenceTarget(reference) : local.target ?? "";
  if (platform !== undefined) {
    return { reference, source, ...await findManifest(source, { target, platform, operation }, services.signal) };
  }
  const stored = await source.getManifest(target, services.signal);
  if (stored === undefined) throw missingManifest(operation, target);
  return { reference, source, stored };
}

/**
 * Copies `found` to `to`: bytes and digests unchanged, but plain layers of an archive are compressed for a registry or a
 * layout. Gives the manifest as it is there. A tag moves only when everything it needs is there.
 */
export async function transfer(
  found: FoundImage,
  to: Reference,
  options: TransferOptions,
  services: TransferServices,
): Promise<StoredManifest> {
  if (to.local?.kind === "docker-archive") return await saveArchive(found, to, services);
  if (found.reference.local?.kind !== "docker-archive") return await copyTo(found, to, options, services);
  const folder = await Deno.makeTempDir({ prefix: "kiln-layers-" });
  try {
    const compressed = await compressLayers(found, await OciLayout.open(folder), services.signal);
    return await copyTo({ ...found, ...withManifests(compressed) }, to, options, services);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function withManifests({ stored, source }: StoredImage): Pick<FoundImage, "source" | "stored"> {
  return { stored, source: { open: (...call) => source.open(...call), getManifest: () => Promise.resolve(undefined) } };
}

async function copyTo(
  found: FoundImage,
  to: Reference,
  options: TransferOptions,
  services: TransferServices,
): Promise<StoredManifest> {
  const { stored, source } = found;
  const { signal, log } = services;
  const operation = `copy ${formatReference(found.reference)} to ${formatReference(to)}`;
  const copyOptions = { concurrency: options.concurrency, signal, operation };
  const sink = await openSink(found.reference, to, services);
  const tag = tagAt(to);
  for (let attempt = 1;; attempt++) {
    try {
      await copyImage(source, stored, sink, tag, copyOptions);
      return stored;
    } catch (error: unknown) {
      signal.throwIfAborted();
      if (options.ignoreImmutableTagErrors && isImmutableTag(error)) {
        log.warn(`${formatReference(to)} exists and its tag must not move; left as it is`);
        return stored;
      }
      if (attempt > options.pushRetry || !isRetryable(error)) throw error;
      log.warn(`${errorText(error)}; trying again`, { attempt });
      await services.sleep(Math.min(1000 * 2 ** (attempt - 1), 60_000), signal);
    }
  }
}

/** The tag that a copy gets; a destination named by digest gets none. */
function tagAt(to: Reference): string | undefined {
  if (to.local !== undefined) return to.local.target;
  return to.digest === undefined ? to.tag ?? "latest" : undefined;
}

async function openSink(from: Reference, to: Reference, services: TransferServices): Promise<ImageSink> {
  if (to.local !== undefined) return layoutSink(await OciLayout.open(to.local.path));
  const isMountable = from.registry === to.registry && from.repository !== to.repository;
  return registrySink(services.client(to), isMountable ? from.repository : undefined);
}

/** Writes a docker-archive beside `to` and renames it, so that the file is whole or absent. */
async function saveArchive(found: FoundImage, to: Reference, services: TransferServices): Promise<StoredManifest> {
  const { stored, source, reference } = found;
  const { signal } = services;
  const operation = `copy ${formatReference(reference)} to ${formatReference(to)}`;
  const manifest = readManifest(stored, operation);
  if (isIndex(manifest)) {
    throw new FormatError(`Cannot ${operation}: an archive holds one image, and this is an index`, {
      hint: "Choose one with --platform=OS/ARCH",
    });
  }
  const { bytes, config } = await readConfig(source, manifest, operation, signal);
  const { layers } = imageOf({ manifest, config }, source);
  const name = to.local?.target ?? (reference.local === undefined ? formatReference(reference) : undefined);
  const names = name === undefined ? [] : [name.replace(/^index\.docker\.io\/(library\/)?/, "")];
  const path = to.local?.path ?? "";
  const temporary = `${path}.partial`;
  try {
    await Deno.writeFile(temporary, await writeArchive({ configBytes: bytes, layers }, names, signal));
    await Deno.rename(temporary, path);
  } catch (error: unknown) {
    await Deno.remove(temporary).catch(() => {}); // it may not have been made
    throw error;
  }
  return stored;
}
