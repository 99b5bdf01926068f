/**
 * One file of ADD or of a context, fetched by HTTP into a folder: whole or not at all, verified where a checksum is given.
 * Source of mode, time and name: Dockerfile reference, ADD; BuildKit's http source.
 */
import { errorText, isBuilderError } from "../errors.ts";
import { type Digest, Sha256Hasher } from "../oci/digest.ts";
import { ContextError } from "./context_error.ts";
import { callHttp, type FetchServices, type HttpAnswer, withAttempts } from "./http_call.ts";
import { redactUrl, urlFileName } from "./remote_url.ts";

/** What to fetch. */
export interface UrlRequest {
  /** http or https; may carry a login. */
  readonly url: string;
  /** What the file must have; anything is right when undefined. */
  readonly checksum?: Digest | undefined;
  /** What is being done, for messages. "add" by default. */
  readonly action?: string;
  /** The file is not larger than this. */
  readonly maxBytes?: number;
}

/** A fetched file. */
export interface FetchedFile {
  /** Absolute; its last part is the name that the URL gives it. */
  readonly path: string;
  readonly digest: Digest;
  readonly size: number;
}

/** Largest file that is fetched unless told otherwise: 64 GiB. */
export const MAX_FILE_BYTES = 64 * 1024 ** 3;

const FILE_MODE = 0o600;

/**
 * Fetches into `folder`, which is there and holds no such file. The file has mode 0600 and the time of Last-Modified, or 1970.
 * Throws ContextError, with the URL redacted; nothing is left then.
 */
export async function fetchUrl(request: UrlRequest, folder: string, services: FetchServices): Promise<FetchedFile> {
  const { url, action = "add", checksum } = request;
  if (!URL.canParse(url)) {
    throw new ContextError({ action, source: redactUrl(url), reason: "it is not a valid URL" });
  }
  const path = `${folder}/${fileName(url, action)}`;
  try {
    return await withAttempts({ action, url }, services, async () => {
      const answer = await callHttp({ action, url, isVerified: checksum !== undefined }, services);
      const file = { path, ...await store(answer, path, request) };
      if (checksum !== undefined && file.digest !== checksum) {
        const reason = `its digest is ${file.digest}, not ${checksum}`;
        throw new ContextError({ action, source: redactUrl(url), reason });
      }
      const modifiedMs = Date.parse(answer.headers.get("last-modified") ?? "");
      const modified = new Date(Number.isNaN(modifiedMs) ? 0 : modifiedMs);
      await Deno.utime(path, modified, modified);
      return file;
    });
  } catch (error: unknown) {
    await Deno.remove(path).catch(() => {}); // It may not be there; what failed is the error to report.
    throw error;
  }
}

function fileName(url: string, action: string): string {
  const name = urlFileName(url);
  if (!name.includes("\0") && new TextEncoder().encode(name).length <= 255) return name;
  throw new ContextError({ action, source: redactUrl(url), reason: "its last part cannot be the name of a file" });
}

async function store(
  { body }: HttpAnswer,
  path: string,
  { url, action = "add", maxBytes = MAX_FILE_BYTES }: UrlRequest,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const hasher = new Sha256Hasher();
  using file = await Deno.open(path, { write: true, create: true, truncate: true, mode: FILE_MODE });
  for await (const chunk of body) {
    hasher.update(chunk);
    if (hasher.sizeBytes > maxBytes) {
      throw new ContextError({ action, source: redactUrl(url), reason: `it is larger than ${maxBytes} bytes` });
    }
    await writeAll(file, chunk, path);
  }
  const size = hasher.sizeBytes;
  return { digest: hasher.digest(), size };
}

/** A disk that is full is not the network's fault, and no reason to try again. */
async function writeAll(file: Deno.FsFile, chunk: Uint8Array, path: string): Promise<void> {
  try {
    for (let at = 0; at < chunk.length;) at += await file.write(chunk.subarray(at));
  } catch (error: unknown) {
    if (isBuilderError(error)) throw error;
    throw new ContextError({ action: "write", source: path, reason: errorText(error) }, { cause: error });
  }
}
