/** One repository of a registry as a store of blobs and manifests. Source: distribution-spec, pull and push. */
import type { BlobSource, BlobStore, ManifestStore, StoredManifest } from "../blob/blob_store.ts";
import { IntegrityError } from "../blob/verify_stream.ts";
import { type Descriptor, MEDIA_TYPES } from "../oci/descriptor.ts";
import { type Digest, isDigest, sha256 } from "../oci/digest.ts";
import { MANIFEST_MEDIA_TYPES, MAX_MANIFEST_BYTES } from "../oci/manifest.ts";
import { downloadBlob } from "./blob_download.ts";
import { probeUpload, uploadBlob, type UploadOptions } from "./blob_upload.ts";
import { discard, readBody, type Reply } from "./reply.ts";
import type { RegistrySession, SessionRequest } from "./session.ts";

/** How a blob came into the repository. */
export type PutResult = "present" | "mounted" | "uploaded";

/** Reads and writes one repository. */
export class RegistryClient implements BlobStore, ManifestStore {
  readonly #session: RegistrySession;
  readonly #puts = new Map<Digest, Promise<PutResult>>();

  constructor(session: RegistrySession) {
    this.#session = session;
  }

  /** "host/repository", for messages. */
  get name(): string {
    const { registry, repository } = this.#session.repository;
    return `${registry}/${repository}`;
  }

  /** Whether the registry has the blob. Throws RegistryError. */
  async has(descriptor: Descriptor, signal?: AbortSignal): Promise<boolean> {
    const operation = `look for blob ${descriptor.digest} in ${this.name}`;
    const url = `${this.#session.path}/blobs/${descriptor.digest}`;
    const request: SessionRequest = { operation, method: "HEAD", url, isContentAddressed: true, signal };
    const reply = await this.#session.send(request);
    if (reply.status !== 200 && reply.status !== 404) throw await this.#session.failure(reply, request);
    await discard(reply);
    const length = reply.headers.get("content-length");
    return reply.status === 200 && (length === null || Number(length) === descriptor.size);
  }

  /** See BlobSource. Resumes after broken connections. Throws RegistryError. */
  open(descriptor: Descriptor, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return downloadBlob(this.#session, descriptor, signal);
  }

  /** See BlobStore; a blob that is there is not sent again. Throws RegistryError and what `source` throws. */
  async put(descriptor: Descriptor, source: BlobSource, signal?: AbortSignal): Promise<void> {
    await this.putBlob(descriptor, source, { signal });
  }

  /** Like `put`, mounting the blob from another repository where `options` name one. Equal blobs are sent once. */
  putBlob(descriptor: Descriptor, source: BlobSource, options: UploadOptions = {}): Promise<PutResult> {
    const known = this.#puts.get(descriptor.digest);
    if (known !== undefined) return known;
    const put = this.#putBlob(descriptor, source, options);
    this.#puts.set(descriptor.digest, put);
    put.catch(() => this.#puts.delete(descriptor.digest));
    return put;
  }

  /** See ManifestStore. Throws RegistryError, and IntegrityError when the bytes are not those of the digest. */
  async getManifest(tagOrDigest: string, signal?: AbortSignal): Promise<StoredManifest | undefined> {
    const request = this.#manifestRequest("GET", tagOrDigest, signal);
    const reply = await this.#session.send({ ...request, maxBodyBytes: MAX_MANIFEST_BYTES });
    if (reply.status === 404) {
      await discard(reply);
      return undefined;
    }
    if (reply.status !== 200) throw await this.#session.failure(reply, request);
    const bytes = await readBody(reply, MAX_MANIFEST_BYTES, request);
    const digest = sha256(bytes);
    for (const promised of [tagOrDigest, reply.headers.get("docker-content-digest") ?? ""]) {
      if (!isDigest(promised) || promised === digest) continue;
      throw new IntegrityError(`Cannot ${request.operation}: its bytes have the digest ${digest}, not ${promised}`, {
        expectedDigest: promised,
        actualDigest: digest,
        actualSizeBytes: bytes.length,
      });
    }
    return { mediaType: mediaTypeOf(reply), digest, bytes };
  }

  /** Type, digest and size of a manifest without its bytes; undefined when it is not there. Throws RegistryError. */
  async headManifest(tagOrDigest: string, signal?: AbortSignal): Promise<Descriptor | undefined> {
    const request = this.#manifestRequest("HEAD", tagOrDigest, signal);
    const reply = await this.#session.send(request);
    await discard(reply);
    if (reply.status === 404) return undefined;
    if (reply.status !== 200) throw await this.#session.failure(reply, request);
    const digest = reply.headers.get("docker-content-digest") ?? "";
    const size = Number(reply.headers.get("content-length") ?? NaN);
    if (isDigest(digest) && Number.isSafeInteger(size)) return { mediaType: mediaTypeOf(reply), digest, size };
    const manifest = await this.getManifest(tagOrDigest, signal);
    return manifest && { mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length };
  }

  /** See ManifestStore. Throws RegistryError, and IntegrityError when the registry stored other bytes. */
  async putManifest(tagOrDigest: string, manifest: StoredManifest, signal?: AbortSignal): Promise<void> {
    await this.#putManifest(tagOrDigest, manifest, signal);
  }

  /** Stores a manifest that has a subject; whether the registry itself lists it as a referrer of that (OCI 1.1). */
  async putReferrer(manifest: StoredManifest, signal?: AbortSignal): Promise<boolean> {
    return (await this.#putManifest(manifest.digest, manifest, signal)).has("oci-subject");
  }

  /**
   * The pages of the registry's list of referrers of `digest`, as they come; undefined when it has no such list. Throws
   * RegistryError.
   */
  async getReferrers(digest: Digest, signal?: AbortSignal): Promise<readonly Uint8Array[] | undefined> {
    const pages: Uint8Array[] = [];
    let url: string | undefined = `${this.#session.path}/referrers/${digest}`;
    while (url !== undefined && pages.length < MAX_REFERRER_PAGES) {
      const operation = `list what refers to ${this.#named(digest)}`;
      const headers = { accept: MEDIA_TYPES.ociIndex };
      const request: SessionRequest = { operation, method: "GET", url, headers, signal };
      const reply: Reply = await this.#session.send({ ...request, maxBodyBytes: MAX_MANIFEST_BYTES });
      const isIndex = mediaTypeOf(reply) === MEDIA_TYPES.ociIndex;
      if (reply.status === 404 || (reply.status === 200 && !isIndex)) {
        await discard(reply);
        return undefined;
      }
      if (reply.status !== 200) throw await this.#session.failure(reply, request);
      pages.push(await readBody(reply, MAX_MANIFEST_BYTES, request));
      url = nextPage(reply);
    }
    return pages;
  }

  async #putManifest(tagOrDigest: string, manifest: StoredManifest, signal?: AbortSignal): Promise<Headers> {
    const request: SessionRequest = {
      operation: `push ${this.#named(tagOrDigest)}`,
      method: "PUT",
      url: `${this.#session.path}/manifests/${tagOrDigest}`,
      headers: { "content-type": manifest.mediaType },
      body: new Uint8Array(manifest.bytes),
      signal,
    };
    const reply = await this.#session.send(request);
    if (reply.status < 200 || reply.status > 299) throw await this.#session.failure(reply, request);
    await discard(reply);
    const answered = reply.headers.get("docker-content-digest") ??
      (await this.headManifest(tagOrDigest, signal))?.digest;
    if (answered === manifest.digest) return reply.headers;
    throw new IntegrityError(
      `Cannot ${request.operation}: the registry stored ${
        JSON.stringify(answered ?? "nothing").slice(0, 100)
      }, not ${manifest.digest}`,
      { expectedDigest: manifest.digest, ...(answered === undefined ? {} : { actualDigest: answered }) },
    );
  }

  /** Throws RegistryError unless this login may push here. */
  async checkPush(signal?: AbortSignal): Promise<void> {
    await probeUpload(this.#session, signal);
  }

  async #putBlob(descriptor: Descriptor, source: BlobSource, options: UploadOptions): Promise<PutResult> {
    if (await this.has(descriptor, options.signal)) return "present";
    return await uploadBlob(this.#session, descriptor, source, options);
  }

  #manifestRequest(method: "GET" | "HEAD", tagOrDigest: string, signal?: AbortSignal): SessionRequest {
    return {
      operation: `pull ${this.#named(tagOrDigest)}`,
      method,
      url: `${this.#session.path}/manifests/${tagOrDigest}`,
      headers: { accept: MANIFEST_MEDIA_TYPES.join(", ") },
      isContentAddressed: isDigest(tagOrDigest),
      signal,
    };
  }

  #named(tagOrDigest: string): string {
    return `${this.name}${isDigest(tagOrDigest) ? "@" : ":"}${tagOrDigest}`;
  }
}

function mediaTypeOf(reply: Reply): string {
  return (reply.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/** The address behind `rel="next"` of a Link header, within the registry that answered. */
function nextPage(reply: Reply): string | undefined {
  const target = /<([^>]*)>\s*;\s*rel="?next"?/.exec(reply.headers.get("link") ?? "")?.[1];
  if (target === undefined || !URL.canParse(target, reply.url)) return undefined;
  const url = new URL(target, reply.url);
  return url.origin === new URL(reply.url).origin ? url.href : undefined;
}

const MAX_REFERRER_PAGES = 100;
