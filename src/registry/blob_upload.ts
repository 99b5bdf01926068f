/**
 * A blob on its way out: POST, PATCH in chunks that resume where a broken connection left them, PUT with the digest.
 * Registries that take no chunks get the blob as one stream. Source: distribution-spec, pushing blobs.
 */
import type { BlobSource } from "../blob/blob_store.ts";
import type { Descriptor } from "../oci/descriptor.ts";
import { isRetryable, redactUrl, RegistryError } from "./registry_error.ts";
import { type CallName, discard, type Reply } from "./reply.ts";
import { MAX_ATTEMPTS } from "./retry.ts";
import type { RegistrySession, SessionRequest } from "./session.ts";

/** What an upload needs of a session. */
export type UploadSession = Pick<RegistrySession, "path" | "origin" | "repository" | "send" | "failure" | "wait">;

/** How an upload may go. */
export interface UploadOptions {
  /** A repository of the same registry that has the blob. */
  readonly mountFrom?: string | undefined;
  /** Bytes of one chunk; the registry may ask for more. Default 8 MiB. */
  readonly chunkBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Bytes of one PATCH: fast as one piece, and small enough to send again. */
export const UPLOAD_CHUNK_BYTES = 8 * 1024 * 1024;

interface Upload {
  readonly session: UploadSession;
  readonly descriptor: Descriptor;
  readonly source: BlobSource;
  readonly operation: string;
  readonly chunkBytes: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Puts the blob into the repository, whatever is there already. Answers whether it was uploaded or mounted. After a
 * failure that may go away the upload starts again, up to four times in all. Throws RegistryError, and what `source`
 * throws.
 */
export async function uploadBlob(
  session: UploadSession,
  descriptor: Descriptor,
  source: BlobSource,
  options: UploadOptions = {},
): Promise<"mounted" | "uploaded"> {
  const { registry, repository } = session.repository;
  const operation = `push blob ${descriptor.digest} to ${registry}/${repository}`;
  const { chunkBytes = UPLOAD_CHUNK_BYTES, signal, mountFrom } = options;
  const upload: Upload = { session, descriptor, source, operation, chunkBytes, signal };
  let takesChunks = true;
  for (let attempt = 1;; attempt++) {
    try {
      const location = await start(upload, attempt === 1 ? mountFrom : undefined);
      if (location === undefined) return "mounted";
      const end = await sendBytes(upload, location, takesChunks);
      if (end === "done") return "uploaded";
      takesChunks = false;
    } catch (error: unknown) {
      if (attempt >= MAX_ATTEMPTS || !isRetryable(error)) throw error;
      await session.wait(attempt, signal);
      if (await isThere(upload)) return "uploaded";
    }
  }
}

/** Opens an upload session and closes it again: whether this login may push. Throws RegistryError. */
export async function probeUpload(session: UploadSession, signal?: AbortSignal): Promise<void> {
  const { registry, repository } = session.repository;
  const operation = `push to ${registry}/${repository}`;
  const url = `${session.path}/blobs/uploads/`;
  const request: SessionRequest = { operation, method: "POST", url, headers: { "content-length": "0" }, signal };
  const reply = await session.send(request);
  if (reply.status !== 202 && reply.status !== 201) throw await session.failure(reply, request);
  await discard(reply);
  const location = nextLocation(session, reply);
  if (location === undefined) return;
  // Only tidying up: a registry that cannot cancel forgets the session by itself.
  await session.send({ operation, method: "DELETE", url: location, retries: false, signal }).then(discard, () => {});
}

/** The location of a new upload session, with its least chunk; undefined when the blob was mounted. */
async function start(upload: Upload, mountFrom: string | undefined): Promise<Session | undefined> {
  const { session, descriptor, operation, signal } = upload;
  const mount = mountFrom === undefined ? "" : `?mount=${descriptor.digest}&from=${encodeURIComponent(mountFrom)}`;
  const request: SessionRequest = {
    operation,
    method: "POST",
    url: `${session.path}/blobs/uploads/${mount}`,
    headers: { "content-length": "0" },
    signal,
    ...(mountFrom === undefined ? {} : { alsoPulls: [mountFrom] }),
  };
  const reply = await session.send(request);
  if (reply.status === 201 && mountFrom !== undefined) {
    await discard(reply);
    return undefined;
  }
  if (reply.status !== 202) {
    const failure = await session.failure(reply, request);
    // Not every login that may push here may read there.
    if (mountFrom !== undefined && !failure.failure.retryable) return await start(upload, undefined);
    throw failure;
  }
  await discard(reply);
  const location = nextLocation(session, reply);
  if (location === undefined) throw protocolError(request, reply, "the registry gave no upload location");
  const least = Number(reply.headers.get("oci-chunk-min-length") ?? 0);
  return { location, leastChunkBytes: Number.isSafeInteger(least) && least <= MAX_CHUNK_BYTES ? least : 0 };
}

interface Session {
  readonly location: string;
  readonly leastChunkBytes: number;
}

async function sendBytes(upload: Upload, { location, leastChunkBytes }: Session, takesChunks: boolean): Promise<
  "done" | "chunks-refused"
> {
  const chunkBytes = Math.max(upload.chunkBytes, leastChunkBytes);
  const stream = await upload.source.open(upload.descriptor, upload.signal);
  if (upload.descriptor.size > chunkBytes && !takesChunks) {
    await finish(upload, await sendStream(upload, location, stream));
    return "done";
  }
  let at = location;
  let offset = 0;
  for await (const chunk of chunksOf(stream, chunkBytes)) {
    if (chunk.length === upload.descriptor.size) {
      await finish(upload, at, chunk);
      return "done";
    }
    const next = await sendChunk(upload, at, chunk, offset);
    if (next === undefined) return "chunks-refused";
    at = next;
    offset += chunk.length;
  }
  await finish(upload, at);
  return "done";
}

/** Sends one chunk, the rest of it again after a drop. The next location, or undefined when chunks are refused. */
async function sendChunk(
  upload: Upload,
  location: string,
  chunk: Uint8Array<ArrayBuffer>,
  offset: number,
): Promise<string | undefined> {
  const { session, operation, signal } = upload;
  let at = location;
  let sent = 0;
  for (let attempt = 1;; attempt++) {
    const range = `${offset + sent}-${offset + chunk.length - 1}`;
    const headers = { "content-type": OCTETS, "content-range": range };
    const body = chunk.subarray(sent);
    const request: SessionRequest = { operation, method: "PATCH", url: at, headers, body, retries: false, signal };
    try {
      const reply = await session.send(request);
      if (reply.status >= 200 && reply.status < 300) {
        await discard(reply);
        return nextLocation(session, reply) ?? at;
      }
      const failure = await session.failure(reply, request);
      if (CHUNK_REFUSALS.has(reply.status)) return undefined;
      throw failure;
    } catch (error: unknown) {
      if (attempt >= MAX_ATTEMPTS || !isRetryable(error)) throw error;
    }
    await session.wait(attempt, signal);
    const state = await uploadState(upload, at);
    if (state.received < offset || state.received > offset + chunk.length) {
      throw lostSession(request, `the registry has ${state.received} bytes of the upload, not ${offset}`);
    }
    at = state.location;
    sent = state.received - offset;
    if (sent === chunk.length) return at;
  }
}

/** How many bytes an upload session has, and where it goes on. */
async function uploadState(upload: Upload, location: string): Promise<{ received: number; location: string }> {
  const { session, operation, signal } = upload;
  const request: SessionRequest = { operation, method: "GET", url: location, signal };
  const reply = await session.send(request);
  if (reply.status < 200 || reply.status > 299) {
    const failure = await session.failure(reply, request);
    throw reply.status === 404 ? lostSession(request, "the registry has forgotten the upload") : failure;
  }
  await discard(reply);
  // "0-0" is what registries say of an upload without a byte too.
  const last = Number(/^(?:bytes=)?0-(\d+)$/.exec(reply.headers.get("range") ?? "")?.[1] ?? 0);
  return { received: last === 0 ? 0 : last + 1, location: nextLocation(session, reply) ?? location };
}

async function sendStream(upload: Upload, location: string, stream: ReadableStream<Uint8Array>): Promise<string> {
  const { session, operation, signal } = upload;
  const headers = { "content-type": OCTETS };
  const request: SessionRequest = { operation, method: "PATCH", url: location, headers, body: stream, signal };
  const reply = await session.send(request);
  if (reply.status < 200 || reply.status > 299) throw await session.failure(reply, request);
  await discard(reply);
  return nextLocation(session, reply) ?? location;
}

/** Closes the upload under the blob's digest; `bytes` is the whole blob when nothing was sent before. */
async function finish(upload: Upload, location: string, bytes?: Uint8Array<ArrayBuffer>): Promise<void> {
  const { session, descriptor, operation, signal } = upload;
  const url = new URL(location);
  url.searchParams.set("digest", descriptor.digest);
  const headers = bytes === undefined ? { "content-length": "0" } : { "content-type": OCTETS };
  const request: SessionRequest = {
    operation,
    method: "PUT",
    url: url.href,
    headers,
    signal,
    ...(bytes === undefined ? {} : { body: bytes }),
  };
  const reply = await session.send(request);
  if (reply.status < 200 || reply.status > 299) {
    const failure = await session.failure(reply, request);
    // The PUT before may have been the one that counted, its answer lost.
    throw reply.status === 404 ? lostSession(request, "the registry has forgotten the upload") : failure;
  }
  await discard(reply);
  const answered = reply.headers.get("docker-content-digest");
  if (answered !== null && answered !== descriptor.digest) {
    throw protocolError(request, reply, `the registry stored it as "${answered.slice(0, 100)}"`);
  }
}

async function isThere(upload: Upload): Promise<boolean> {
  const { session, descriptor, operation, signal } = upload;
  const url = `${session.path}/blobs/${descriptor.digest}`;
  const reply = await session.send({ operation, method: "HEAD", url, signal });
  await discard(reply);
  return reply.status === 200;
}

/** Where the upload goes on. A registry behind a TLS proxy may name itself with http; the scheme stays ours. */
function nextLocation(session: UploadSession, reply: Reply): string | undefined {
  const location = reply.headers.get("location");
  if (location === null || !URL.canParse(location, reply.url)) return undefined;
  const url = new URL(location, reply.url);
  const home = new URL(session.origin);
  if (url.protocol === "http:" && home.protocol === "https:" && url.hostname === home.hostname) {
    return `${home.origin}${url.pathname}${url.search}`;
  }
  return url.href;
}

/** `stream` in pieces of exactly `chunkBytes`, the last one shorter; at least one piece, empty for an empty stream. */
async function* chunksOf(
  stream: ReadableStream<Uint8Array>,
  chunkBytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let chunk = new Uint8Array(chunkBytes);
  let filled = 0;
  let isFirst = true;
  for await (let bytes of stream) {
    while (bytes.length > 0) {
      // Yielded only when more follows, so that the last piece is known as such.
      if (filled === chunkBytes) {
        yield chunk;
        isFirst = false;
        chunk = new Uint8Array(chunkBytes);
        filled = 0;
      }
      const taken = Math.min(bytes.length, chunkBytes - filled);
      chunk.set(bytes.subarray(0, taken), filled);
      filled += taken;
      bytes = bytes.subarray(taken);
    }
  }
  if (filled > 0 || isFirst) yield chunk.subarray(0, filled);
}

function lostSession(request: SessionRequest, reason: string): RegistryError {
  const { operation, method, url } = request;
  return new RegistryError({ operation, method, url: redactUrl(url), errorCodes: [], retryable: true }, reason);
}

function protocolError(request: CallName, reply: Reply, reason: string): RegistryError {
  const { operation, method } = request;
  const failure = { operation, method, url: redactUrl(reply.url), status: reply.status, errorCodes: [] };
  return new RegistryError({ ...failure, retryable: false }, reason);
}

const OCTETS = "application/octet-stream";
const MAX_CHUNK_BYTES = 64 * 1024 * 1024;
/** Answers to a PATCH with a range that mean "not like this", when the same bytes may pass as one stream. */
const CHUNK_REFUSALS: ReadonlySet<number> = new Set([400, 404, 405, 411, 415, 416, 501]);
