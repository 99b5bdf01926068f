/** An image leaves as files: a docker-archive, which is one tar, or an OCI layout directory. */
import type { OciLayout } from "../blob/oci_layout.ts";
import { UnsupportedError } from "../errors.ts";
import { type Layer, openUncompressed } from "../layer/layer.ts";
import { type Descriptor, layerCompression } from "../oci/descriptor.ts";
import { sha256 } from "../oci/digest.ts";
import { rawPath } from "../sys/raw_path.ts";
import { NO_XATTRS, type TarHeader } from "../tar/header.ts";
import { type TarEntry, writeTar } from "../tar/write.ts";
import { encodeImage, type Image } from "./image.ts";

/** A layer as a file of the archive. */
interface LayerFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly open: () => Promise<ReadableStream<Uint8Array>>;
}

/**
 * The docker-archive of `image`: config, layers, then manifest.json, which gives it `names` ("name:tag" as `docker load`
 * shall call it). gzip and plain layers are copied as they are; zstd layers are decompressed, as not every reader knows zstd.
 * Throws what a layer's source throws; the stream errors with that too. The reader owns the stream.
 */
export async function writeDockerArchive(
  image: Image,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const { configBytes } = encodeImage({ ...image, format: "oci" });
  return await writeArchive({ configBytes, layers: image.layers }, names, signal);
}

/** What an archive holds: the config as stored, so that the image keeps its identity, and the layers, lowest first. */
export interface ArchiveParts {
  readonly configBytes: Uint8Array;
  readonly layers: readonly Layer[];
}

/** The same for an image that is there as bytes already. */
export async function writeArchive(
  { configBytes, layers }: ArchiveParts,
  names: readonly string[],
  signal?: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const files: LayerFile[] = [];
  for (const layer of layers) files.push(await layerFile(layer, signal));
  const configName = `${hexOf(sha256(configBytes))}.json`;
  const manifest = [{ Config: configName, RepoTags: names, Layers: files.map(({ name }) => name) }];
  const manifestJson = new TextEncoder().encode(JSON.stringify(manifest));
  return writeTar(archiveEntries({ name: configName, bytes: configBytes }, files, manifestJson));
}

/**
 * Copies `image` into `layout`, under `tag`; without one the layout's index lists it by digest alone. Blobs that are there
 * are not opened. Gives the manifest's descriptor. Throws what the layers' sources and the layout throw.
 */
export async function saveToLayout(
  image: Image,
  layout: OciLayout,
  tag?: string,
  signal?: AbortSignal,
): Promise<Descriptor> {
  const { configBytes, manifestBytes, manifestDescriptor } = encodeImage(image);
  for (const { descriptor, source } of image.layers) await layout.put(descriptor, source, signal);
  await layout.putBytes(configBytes);
  const { mediaType, digest } = manifestDescriptor;
  await layout.putManifest(tag ?? digest, { mediaType, digest, bytes: manifestBytes }, signal);
  return manifestDescriptor;
}

async function* archiveEntries(
  config: { readonly name: string; readonly bytes: Uint8Array },
  files: readonly LayerFile[],
  manifestJson: Uint8Array,
): AsyncGenerator<TarEntry, void> {
  yield { header: fileHeader(config.name, config.bytes.length), body: [config.bytes] };
  const written = new Set<string>();
  for (const file of files) {
    if (written.has(file.name)) continue; // the same layer twice is one file, named twice
    written.add(file.name);
    yield { header: fileHeader(file.name, file.sizeBytes), body: await file.open() };
  }
  yield { header: fileHeader("manifest.json", manifestJson.length), body: [manifestJson] };
}

async function layerFile(layer: Layer, signal: AbortSignal | undefined): Promise<LayerFile> {
  const { descriptor, source } = layer;
  const compression = layerCompression(descriptor.mediaType);
  if (compression === undefined) {
    const { digest, mediaType } = descriptor;
    throw new UnsupportedError(`Cannot archive layer ${digest}: media type "${mediaType}" is not supported`);
  }
  if (compression === "zstd") {
    const open = (): Promise<ReadableStream<Uint8Array>> => openUncompressed(layer, signal);
    return { name: `${hexOf(layer.diffId)}.tar`, sizeBytes: await countBytes(await open()), open };
  }
  return {
    name: `${hexOf(descriptor.digest)}.tar${compression === "gzip" ? ".gz" : ""}`,
    sizeBytes: descriptor.size,
    open: () => source.open(descriptor, signal),
  };
}

/** A tar header states the size before the bytes come. */
async function countBytes(stream: ReadableStream<Uint8Array>): Promise<number> {
  let sizeBytes = 0;
  for await (const chunk of stream) sizeBytes += chunk.length;
  return sizeBytes;
}

function fileHeader(name: string, size: number): TarHeader {
  return {
    path: rawPath(name),
    type: "file",
    mode: 0o644,
    uid: 0,
    gid: 0,
    size,
    mtimeNs: 0n,
    linkPath: rawPath(""),
    devMajor: 0,
    devMinor: 0,
    xattrs: NO_XATTRS,
  };
}

function hexOf(digest: string): string {
  return digest.slice("sha256:".length);
}
