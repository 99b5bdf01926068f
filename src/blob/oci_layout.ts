/**
 * An OCI image layout: a directory that holds blobs by digest and manifests by tag. Nothing in it is ever half written:
 * blobs and index come by rename. Source: image-spec image-layout.md.
 */
import { FormatError } from "../errors.ts";
import { type Descriptor, MEDIA_TYPES } from "../oci/descriptor.ts";
import { type Digest, isDigest, parseDigest, sha256, Sha256Hasher } from "../oci/digest.ts";
import { type ImageIndex, isIndex, manifestBytes, parseManifest } from "../oci/manifest.ts";
import { inLayout } from "./_layout_error.ts";
import { findTag, REF_NAME, withEntry } from "./_layout_index.ts";
import { fileStream } from "./file_stream.ts";
import type { BlobSource, BlobStore, ManifestStore, StoredManifest } from "./blob_store.ts";
import { IntegrityError, verifyStream } from "./verify_stream.ts";

const LAYOUT_FILE = '{"imageLayoutVersion":"1.0.0"}';
const MAX_INDEX_BYTES = 64 * 1024 * 1024;
const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** What {@link OciLayout.ingest} found the bytes to be. */
export interface IngestedBlob {
  readonly digest: Digest;
  readonly size: number;
}

/**
 * The layout in one directory. Several processes may write it at the same time: blobs have one content under one name,
 * and the index is rewritten under a lock.
 */
export class OciLayout implements BlobStore, ManifestStore {
  /** The directory. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Opens the layout in `path`, and makes it where there is none. Throws FormatError for a layout of another version. */
  static async open(path: string): Promise<OciLayout> {
    const layout = new OciLayout(path);
    await layout.#attempt(`open the image layout "${path}"`, async () => {
      await Deno.mkdir(`${path}/blobs/sha256`, { recursive: true });
      const marker = await readBounded(`${path}/oci-layout`, MAX_MANIFEST_BYTES);
      if (marker === undefined) await layout.#createMarker();
      else checkVersion(path, marker);
    });
    return layout;
  }

  /** @inheritdoc */
  async has(descriptor: Descriptor): Promise<boolean> {
    const path = this.#blobPath(descriptor.digest);
    return await this.#attempt(`look for blob ${descriptor.digest}`, async () => {
      const entry = await Deno.stat(path).catch(undefinedIfMissing);
      return entry !== undefined && entry.isFile && entry.size === descriptor.size;
    });
  }

  /** @inheritdoc */
  async open(descriptor: Descriptor, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    signal?.throwIfAborted();
    const path = this.#blobPath(descriptor.digest);
    const file = await this.#attempt(`open blob ${descriptor.digest}`, () => Deno.open(path));
    return verifyStream(fileStream(file), descriptor);
  }

  /** @inheritdoc */
  async put(descriptor: Descriptor, source: BlobSource, signal?: AbortSignal): Promise<void> {
    if (await this.has(descriptor)) return;
    const stream = verifyStream(await source.open(descriptor, signal), descriptor);
    await this.#store(stream, signal, () => descriptor.digest);
  }

  /**
   * Stores bytes whose digest is not known yet, and says what it is. `stream` is read to its end, or cancelled on failure;
   * after a failure nothing is left behind.
   */
  async ingest(stream: ReadableStream<Uint8Array>, signal?: AbortSignal): Promise<IngestedBlob> {
    const hasher = new Sha256Hasher();
    const counted = stream.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(chunk, controller): void {
          hasher.update(chunk);
          controller.enqueue(chunk);
        },
      }),
    );
    const digest = await this.#store(counted, signal, () => hasher.digest());
    return { digest, size: hasher.sizeBytes };
  }

  /** Removes a blob that nobody needs any more; one that is not there is no failure. */
  async remove(descriptor: Pick<Descriptor, "digest">): Promise<void> {
    const path = this.#blobPath(descriptor.digest);
    await this.#attempt(`remove blob ${descriptor.digest}`, () => Deno.remove(path).catch(undefinedIfMissing));
  }

  /** Stores `bytes`, and gives their digest. */
  async putBytes(bytes: Uint8Array): Promise<Digest> {
    const digest = sha256(bytes);
    const path = this.#blobPath(digest);
    await this.#attempt(`write blob ${digest}`, () => this.#replaceFile(path, bytes));
    return digest;
  }

  /** @inheritdoc */
  async getManifest(tagOrDigest: string, signal?: AbortSignal): Promise<StoredManifest | undefined> {
    signal?.throwIfAborted();
    const entry = isDigest(tagOrDigest) ? undefined : findTag((await this.index()).manifests, tagOrDigest);
    if (entry === undefined && !isDigest(tagOrDigest)) return undefined;
    const digest = entry?.digest ?? parseDigest(tagOrDigest);
    const bytes = await this.#readBlob(digest, entry !== undefined);
    if (bytes === undefined) return undefined;
    const mediaType = entry?.mediaType ?? parseManifest(bytes).mediaType;
    return { mediaType, digest, bytes };
  }

  /** @inheritdoc */
  async putManifest(tagOrDigest: string, manifest: StoredManifest, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const digest = await this.putBytes(manifest.bytes);
    const expected = isDigest(tagOrDigest) ? tagOrDigest : manifest.digest;
    if (digest !== expected || digest !== manifest.digest) {
      throw new IntegrityError(`Cannot store manifest ${expected}: its bytes have the digest ${digest}`, {
        expectedDigest: expected,
        actualDigest: digest,
      });
    }
    const plain: Descriptor = { mediaType: manifest.mediaType, digest, size: manifest.bytes.length };
    const entry = isDigest(tagOrDigest) ? plain : { ...plain, annotations: { [REF_NAME]: tagOrDigest } };
    await this.#updateIndex((index) => ({ ...index, manifests: withEntry(index.manifests, entry) }));
  }

  /** The layout's index: what it holds under which tags. Throws FormatError when it cannot be understood. */
  async index(): Promise<ImageIndex> {
    const path = `${this.path}/index.json`;
    return await this.#attempt(`read "${path}"`, async () => {
      const bytes = await readBounded(path, MAX_INDEX_BYTES);
      if (bytes === undefined) return { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] };
      const index = parseManifest(bytes, MEDIA_TYPES.ociIndex);
      if (!isIndex(index)) throw new FormatError(`Cannot read "${path}": it is not an image index`);
      return index;
    });
  }

  async #readBlob(digest: Digest, isExpected: boolean): Promise<Uint8Array | undefined> {
    const path = this.#blobPath(digest);
    const bytes = await this.#attempt(`read manifest ${digest}`, () => readBounded(path, MAX_MANIFEST_BYTES));
    if (bytes === undefined) {
      if (!isExpected) return undefined;
      throw new FormatError(
        `Cannot read manifest ${digest}: the index of "${this.path}" names it, but it is not there`,
      );
    }
    const actualDigest = sha256(bytes);
    if (actualDigest === digest) return bytes;
    throw new IntegrityError(`Cannot use manifest ${digest}: its bytes have the digest ${actualDigest}`, {
      expectedDigest: digest,
      actualDigest,
    });
  }

  /** Writes the stream to a file of its own, then gives it the name of its digest. */
  async #store(
    stream: ReadableStream<Uint8Array>,
    signal: AbortSignal | undefined,
    digestAtEnd: () => Digest,
  ): Promise<Digest> {
    const temporary = this.#temporaryPath();
    return await this.#attempt("write a blob", async () => {
      try {
        const file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o644 });
        await stream.pipeTo(file.writable, signal === undefined ? {} : { signal });
        const digest = digestAtEnd();
        await Deno.rename(temporary, this.#blobPath(digest));
        return digest;
      } catch (error: unknown) {
        await Promise.allSettled([stream.cancel(error), Deno.remove(temporary)]);
        throw error;
      }
    });
  }

  async #updateIndex(change: (index: ImageIndex) => ImageIndex): Promise<void> {
    await this.#attempt(`update the index of "${this.path}"`, async () => {
      // The marker file is locked, not one of our own: the lock ends with the process, and no extra file is left behind.
      using marker = await Deno.open(`${this.path}/oci-layout`);
      await marker.lock(true);
      await this.#replaceFile(`${this.path}/index.json`, manifestBytes(change(await this.index())));
    });
  }

  /** Made by link, so that of two processes one wins and both lock the same file. */
  async #createMarker(): Promise<void> {
    const temporary = this.#temporaryPath();
    await Deno.writeTextFile(temporary, LAYOUT_FILE, { createNew: true, mode: 0o644 });
    try {
      await Deno.link(temporary, `${this.path}/oci-layout`);
    } catch (error: unknown) {
      if (error instanceof Deno.errors.AlreadyExists) return;
      await Deno.rename(temporary, `${this.path}/oci-layout`); // a file system without links
    } finally {
      await Promise.allSettled([Deno.remove(temporary)]);
    }
  }

  async #replaceFile(path: string, bytes: Uint8Array): Promise<void> {
    const temporary = this.#temporaryPath();
    try {
      await Deno.writeFile(temporary, bytes, { createNew: true, mode: 0o644 });
      await Deno.rename(temporary, path);
    } catch (error: unknown) {
      await Promise.allSettled([Deno.remove(temporary)]);
      throw error;
    }
  }

  /** Temporary files are in the layout, on the same file system as what they become. */
  #temporaryPath(): string {
    return `${this.path}/.tmp-${crypto.randomUUID()}`;
  }

  /** Parsed again, since a digest becomes a path here. */
  #blobPath(digest: string): string {
    return `${this.path}/blobs/sha256/${parseDigest(digest).slice("sha256:".length)}`;
  }

  #attempt<T>(what: string, action: () => Promise<T>): Promise<T> {
    return inLayout(what, this.path, action);
  }
}

function checkVersion(path: string, marker: Uint8Array): void {
  const text = new TextDecoder().decode(marker);
  if (/"imageLayoutVersion"\s*:\s*"1\.\d+\.\d+"/.test(text)) return;
  throw new FormatError(
    `Cannot open the image layout "${path}": its oci-layout file says ${text.trim().slice(0, 100)}`,
  );
}

async function readBounded(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const entry = await Deno.stat(path).catch(undefinedIfMissing);
  if (entry === undefined) return undefined;
  if (entry.size > maxBytes) {
    throw new FormatError(`Cannot read "${path}": ${entry.size} bytes, more than the limit of ${maxBytes}`);
  }
  return await Deno.readFile(path).catch(undefinedIfMissing);
}

function undefinedIfMissing(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
