/**
 * A docker-archive (`docker save`, `skopeo copy docker-archive:`, kiln's own `--tar-path`) as a source of manifests and
 * blobs. The archive has no manifest of the registry's kind, so one is made; its config keeps its bytes and so its digest.
 */
import * as z from "zod/mini";
import type { BlobSource, StoredManifest } from "../blob/blob_store.ts";
import { verifyStream } from "../blob/verify_stream.ts";
import { errorText, FormatError, isBuilderError } from "../errors.ts";
import { detectCompression, MAGIC_BYTES } from "../layer/compression.ts";
import { type Compression, type Descriptor, layerMediaType, MEDIA_TYPES } from "../oci/descriptor.ts";
import { type Digest, parseDigest, sha256, Sha256Hasher } from "../oci/digest.ts";
import { MAX_CONFIG_BYTES, parseImageConfig } from "../oci/image_config.ts";
import { checkDocument, decodeJson } from "../oci/json_document.ts";
import { manifestBytes } from "../oci/manifest.ts";
import { formatReference, parseReference } from "../oci/reference.ts";
import { type ArchiveMembers, type ArchiveSlice, listMembers, openSlice } from "./archive_members.ts";

/** One image of the archive. */
export interface ArchivedImage {
  /** As `docker load` would call it: "app:1". */
  readonly names: readonly string[];
  readonly manifest: StoredManifest;
}

/** The archive in one file. The file must stay as it is while the archive is in use. */
export class DockerArchive implements BlobSource {
  readonly path: string;
  readonly images: readonly ArchivedImage[];
  readonly #slices: ReadonlyMap<Digest, ArchiveSlice>;

  private constructor(path: string, images: readonly ArchivedImage[], slices: ReadonlyMap<Digest, ArchiveSlice>) {
    this.path = path;
    this.images = images;
    this.#slices = slices;
  }

  /** Reads the archive's table of contents. Throws FormatError for a file that is none or is broken. */
  static async open(path: string, signal?: AbortSignal): Promise<DockerArchive> {
    try {
      const members = await listMembers(path, signal);
      const slices = new Map<Digest, ArchiveSlice>();
      const images: ArchivedImage[] = [];
      for (const entry of await readContents(path, members)) {
        images.push({ names: entry.RepoTags, manifest: await makeManifest(path, entry, members, slices) });
      }
      return new DockerArchive(path, images, slices);
    } catch (error: unknown) {
      if (signal?.aborted || isBuilderError(error)) throw error;
      throw new FormatError(`Cannot read archive "${path}": ${errorText(error)}`, { cause: error });
    }
  }

  /** The manifest of the image with this name or digest; without a name that of the only image. */
  getManifest(nameOrDigest?: string): Promise<StoredManifest | undefined> {
    if (nameOrDigest === undefined || nameOrDigest === "") {
      const [only, ...others] = this.images;
      if (only !== undefined && others.length === 0) return Promise.resolve(only.manifest);
      const names = this.images.flatMap((image) => image.names).slice(0, MAX_LISTED).join(", ");
      throw new FormatError(
        `Cannot choose an image of archive "${this.path}": it has ${this.images.length}, ${names}`,
        {
          hint: "Add the name behind the path: docker-archive://PATH:NAME",
        },
      );
    }
    const wanted = completeName(nameOrDigest);
    const found = this.images.find(({ names, manifest }) =>
      manifest.digest === nameOrDigest || names.some((name) => completeName(name) === wanted)
    );
    return Promise.resolve(found?.manifest);
  }

  /** See BlobSource. Throws FormatError for a blob that the archive has not. */
  async open(descriptor: Descriptor, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    signal?.throwIfAborted();
    const slice = this.#slices.get(descriptor.digest);
    if (slice === undefined) throw new FormatError(`Archive "${this.path}" has no blob ${descriptor.digest}`);
    return verifyStream(await openSlice(this.path, slice), descriptor);
  }
}

async function readContents(path: string, members: ArchiveMembers): Promise<readonly z.infer<typeof ENTRY_SCHEMA>[]> {
  const bytes = await readMemberBytes(path, members, "manifest.json", MAX_CONTENTS_BYTES);
  const kind = { name: `manifest.json of archive "${path}"`, maxBytes: MAX_CONTENTS_BYTES };
  const entries = checkDocument(z.array(ENTRY_SCHEMA), decodeJson(bytes, kind), kind);
  if (entries.length === 0) throw new FormatError(`Cannot read archive "${path}": it has no image`);
  return entries;
}

async function makeManifest(
  path: string,
  entry: z.infer<typeof ENTRY_SCHEMA>,
  members: ArchiveMembers,
  slices: Map<Digest, ArchiveSlice>,
): Promise<StoredManifest> {
  const configBytes = await readMemberBytes(path, members, entry.Config, MAX_CONFIG_BYTES);
  const { diff_ids: diffIds } = parseImageConfig(configBytes).rootfs;
  if (diffIds.length !== entry.Layers.length) {
    throw new FormatError(
      `Cannot read archive "${path}": "${entry.Config}" names ${diffIds.length} layers, manifest.json ${entry.Layers.length}`,
    );
  }
  const found: FoundLayer[] = [];
  for (const [index, name] of entry.Layers.entries()) {
    found.push(await readLayer(path, memberOf(path, members, name), diffIds[index] ?? ""));
  }
  const isOci = found.some(({ compression }) => compression === "zstd");
  const layers = found.map(({ compression, digest, slice }): Descriptor => {
    slices.set(digest, slice);
    const mediaType = layerMediaType(isOci ? "oci" : "docker", compression) ?? MEDIA_TYPES.ociLayer;
    return { mediaType, digest, size: slice.sizeBytes };
  });
  const configDigest = sha256(configBytes);
  slices.set(configDigest, memberOf(path, members, entry.Config));
  const mediaType = isOci ? MEDIA_TYPES.ociManifest : MEDIA_TYPES.dockerManifest;
  const bytes = manifestBytes({
    schemaVersion: 2,
    mediaType,
    config: {
      mediaType: isOci ? MEDIA_TYPES.ociConfig : MEDIA_TYPES.dockerConfig,
      digest: configDigest,
      size: configBytes.length,
    },
    layers,
  });
  return { mediaType, digest: sha256(bytes), bytes };
}

interface FoundLayer {
  readonly compression: Compression;
  readonly digest: Digest;
  readonly slice: ArchiveSlice;
}

/** A plain layer's digest is its diffId, checked when it is read; a compressed one is hashed here. */
async function readLayer(path: string, slice: ArchiveSlice, diffId: string): Promise<FoundLayer> {
  const head = await readAll(await openSlice(path, { ...slice, sizeBytes: Math.min(slice.sizeBytes, MAGIC_BYTES) }));
  const compression = detectCompression(head);
  if (compression === "none") return { compression, digest: parseDigest(diffId), slice };
  if (compression !== "gzip" && compression !== "zstd") {
    throw new FormatError(`Cannot read archive "${path}": a layer is compressed with ${compression}`);
  }
  const hasher = new Sha256Hasher();
  for await (const chunk of await openSlice(path, slice)) hasher.update(chunk);
  return { compression, digest: hasher.digest(), slice };
}

async function readMemberBytes(
  path: string,
  members: ArchiveMembers,
  name: string,
  maxBytes: number,
): Promise<Uint8Array> {
  const slice = memberOf(path, members, name);
  if (slice.sizeBytes > maxBytes) {
    throw new FormatError(
      `Cannot read archive "${path}": "${name}" has ${slice.sizeBytes} bytes, more than ${maxBytes}`,
    );
  }
  return await readAll(await openSlice(path, slice));
}

function memberOf(path: string, members: ArchiveMembers, name: string): ArchiveSlice {
  const slice = members.get(name.replace(/^(?:\.?\/)+/, ""));
  if (slice !== undefined) return slice;
  const hint = name === "manifest.json" ? "It must be a docker-archive, as docker save writes it" : undefined;
  throw new FormatError(`Cannot read archive "${path}": there is no "${name}" in it`, { hint });
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The whole name, or the text itself where it is no name. */
function completeName(name: string): string {
  try {
    return formatReference(parseReference(name));
  } catch {
    // Names in archives are free text; such a name is only equal to itself.
    return name;
  }
}

const MAX_CONTENTS_BYTES = 4 * 1024 * 1024;
const MAX_LISTED = 10;
const ENTRY_SCHEMA = z.object({
  Config: z.string(),
  RepoTags: z._default(z.array(z.string()), []),
  Layers: z.array(z.string()),
});
