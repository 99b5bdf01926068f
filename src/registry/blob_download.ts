/** A blob on its way in: resumed where a broken connection left it, verified to the last byte. */
import { type BuilderError, errorText } from "../errors.ts";
import { verifyStream } from "../blob/verify_stream.ts";
import { type Descriptor, MEDIA_TYPES } from "../oci/descriptor.ts";
import { isRetryable, redactUrl, RegistryError } from "./registry_error.ts";
import { discard, type Reply } from "./reply.ts";
import type { RegistrySession, SessionRequest } from "./session.ts";

/** What a download needs of a session. */
export type DownloadSession = Pick<RegistrySession, "path" | "repository" | "send" | "failure" | "wait">;

/**
 * The bytes of `descriptor`, from the registry, or, for a foreign layer that the registry has not, from the `urls` of
 * the descriptor; other blobs' `urls` are never followed. The stream errors with IntegrityError on wrong bytes and with
 * RegistryError when the connection cannot be had again. Throws RegistryError.
 */
export async function downloadBlob(
  session: DownloadSession,
  descriptor: Descriptor,
  signal?: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const { registry, repository } = session.repository;
  const operation = `pull blob ${descriptor.digest} of ${registry}/${repository}`;
  const foreign = isForeignLayer(descriptor.mediaType) ? (descriptor.urls ?? []).filter(isHttpUrl) : [];
  const urls = [`${session.path}/blobs/${descriptor.digest}`, ...foreign];
  let failure: RegistryError | undefined;
  for (const url of urls) {
    const request: SessionRequest = { operation, method: "GET", url, isContentAddressed: true, signal };
    const reply = await session.send(request);
    if (reply.status === 200 && reply.body !== null) {
      return verifyStream(resuming(session, request, descriptor, reply.body), descriptor);
    }
    failure ??= await session.failure(reply, request);
    await discard(reply);
  }
  throw failure;
}

/** Whether layers of this media type live elsewhere, and are neither pushed nor asked for at a registry alone. */
export function isForeignLayer(mediaType: string): boolean {
  return mediaType === MEDIA_TYPES.ociForeignLayer || mediaType === MEDIA_TYPES.ociForeignLayerGzip ||
    mediaType === MEDIA_TYPES.ociForeignLayerZstd || mediaType === MEDIA_TYPES.dockerForeignLayerGzip;
}

function isHttpUrl(url: string): boolean {
  return URL.canParse(url) && /^https?:$/.test(new URL(url).protocol);
}

/** `first`, continued by Range requests while it breaks off before the descriptor's size. */
function resuming(
  session: DownloadSession,
  request: SessionRequest,
  descriptor: Descriptor,
  first: ReadableStream<Uint8Array>,
): ReadableStream<Uint8Array> {
  let reader = first.getReader();
  let offset = 0;
  let resumes = 0;
  let offsetAtResume = -1;
  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      for (;;) {
        const piece = await readPiece(reader);
        if (piece.kind === "bytes") {
          offset += piece.bytes.length;
          return controller.enqueue(piece.bytes);
        }
        request.signal?.throwIfAborted();
        // A source that ends early twice at the same place has no more; the verification says so.
        const isStuck = piece.kind === "end" && offset === offsetAtResume;
        // A connection that breaks behind the last byte has lost nothing.
        if (isStuck || offset >= descriptor.size) return controller.close();
        if (++resumes > MAX_RESUMES) throw brokenOff(request, piece.cause);
        offsetAtResume = offset;
        await session.wait(Math.min(resumes, 4), request.signal);
        const next = await continueAt(session, request, offset, piece.cause);
        if (next === undefined) return controller.close();
        reader = next.getReader();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

type Piece =
  | { readonly kind: "bytes"; readonly bytes: Uint8Array }
  | { readonly kind: "end"; readonly cause?: undefined }
  | { readonly kind: "broken"; readonly cause: unknown };

async function readPiece(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Piece> {
  try {
    const { done, value } = await reader.read();
    return done ? { kind: "end" } : { kind: "bytes", bytes: value };
  } catch (cause: unknown) {
    return { kind: "broken", cause };
  }
}

/** The rest of the blob from `offset`; undefined when the server says that there is none. */
async function continueAt(
  session: DownloadSession,
  request: SessionRequest,
  offset: number,
  cause: unknown,
): Promise<ReadableStream<Uint8Array> | undefined> {
  if (offset === 0) return await wholeBody(session, request, await session.send(request), cause);
  const reply = await session.send({ ...request, headers: { range: `bytes=${offset}-` } });
  if (reply.status === 416) {
    await discard(reply);
    return undefined;
  }
  if (reply.status === 206 && reply.body !== null) {
    const start = /^bytes (\d+)-/.exec(reply.headers.get("content-range") ?? "")?.[1];
    if (Number(start) === offset) return reply.body;
    await discard(reply);
    throw brokenOff(request, `the server continued at another place`);
  }
  return skipBytes(await wholeBody(session, request, reply, cause), offset);
}

async function wholeBody(
  session: DownloadSession,
  request: SessionRequest,
  reply: Reply,
  cause: unknown,
): Promise<ReadableStream<Uint8Array>> {
  if (reply.status === 200 && reply.body !== null) return reply.body;
  const failure: BuilderError = await session.failure(reply, request);
  throw isRetryable(failure) && cause !== undefined ? brokenOff(request, cause) : failure;
}

function skipBytes(stream: ReadableStream<Uint8Array>, count: number): ReadableStream<Uint8Array> {
  let left = count;
  return stream.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller): void {
        const skipped = Math.min(left, chunk.length);
        left -= skipped;
        if (skipped < chunk.length) controller.enqueue(chunk.subarray(skipped));
      },
    }),
  );
}

function brokenOff(request: SessionRequest, cause: unknown): RegistryError {
  const { operation, method, url } = request;
  const shown = URL.canParse(url) ? redactUrl(url) : url;
  const failure = { operation, method, url: shown, errorCodes: [], retryable: true };
  return new RegistryError(failure, `the connection broke off: ${errorText(cause)}`, { cause });
}

const MAX_RESUMES = 10;
