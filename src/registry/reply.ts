/** Answers of a registry: bodies read up to a limit, error bodies understood, failures turned into one sentence. */
import * as z from "zod/mini";
import { redactUrl, RegistryAuthError, RegistryError } from "./registry_error.ts";
import { isRetryableStatus } from "./retry.ts";

/** One answer. Who gets it reads the body or discards it. */
export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** The address that answered, after redirects. */
  readonly url: string;
  readonly body: ReadableStream<Uint8Array> | null;
}

/** The call that an answer is for. */
export interface CallName {
  /** Reads after "Cannot": "pull 127.0.0.1:5000/x:1". */
  readonly operation: string;
  readonly method: string;
}

/** Lets go of an answer whose body is of no interest, so that its connection can be used again. */
export async function discard(reply: Reply): Promise<void> {
  await reply.body?.cancel().catch(() => {/* the body is not wanted, neither is its failure */});
}

/** The whole body. Throws RegistryError when it is larger than `maxBytes`. */
export async function readBody(reply: Reply, maxBytes: number, call: CallName): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readUpTo(reply, maxBytes);
  if (bytes !== undefined) return bytes;
  const { operation, method } = call;
  const failure = {
    operation,
    method,
    url: redactUrl(reply.url),
    status: reply.status,
    errorCodes: [],
    retryable: false,
  };
  throw new RegistryError(failure, `the answer is larger than ${maxBytes} bytes`);
}

/**
 * The error that `reply` stands for; reads its body. The reason is the registry's own first message, or the status:
 * "manifest unknown (404)". A 401 or 403 is a RegistryAuthError with `authHint`.
 */
export async function replyError(reply: Reply, call: CallName, authHint?: string): Promise<RegistryError> {
  const errors = await readErrors(reply);
  const failure = {
    operation: call.operation,
    method: call.method,
    url: redactUrl(reply.url),
    status: reply.status,
    errorCodes: errors.map((error) => error.code),
    retryable: isRetryableStatus(reply.status),
  };
  const said = errors.map((error) => error.text).find((text) => text !== "");
  const reason = `${said ?? STATUS_TEXTS[reply.status] ?? "unexpected answer"} (${reply.status})`;
  if (reply.status === 401 || reply.status === 403) return new RegistryAuthError(failure, reason, { hint: authHint });
  return new RegistryError(failure, reason);
}

interface ErrorEntry {
  readonly code: string;
  readonly text: string;
}

async function readErrors(reply: Reply): Promise<readonly ErrorEntry[]> {
  let document: unknown;
  try {
    const bytes = await readUpTo(reply, MAX_ERROR_BODY_BYTES);
    document = JSON.parse(new TextDecoder().decode(bytes ?? new Uint8Array()));
  } catch {
    // An error page that is not JSON or breaks off: the status alone is the reason.
    return [];
  }
  const parsed = ERRORS_SCHEMA.safeParse(document);
  if (!parsed.success) return [];
  return parsed.data.errors.slice(0, MAX_ERRORS).map(({ code, message }) => ({
    code: code ?? "",
    text: oneLine(message || (code ?? "").toLowerCase().replaceAll("_", " ")),
  }));
}

async function readUpTo(reply: Reply, maxBytes: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (reply.body === null) return new Uint8Array();
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of reply.body) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(sizeBytes);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

function oneLine(text: string): string {
  // deno-lint-ignore no-control-regex -- control characters of a hostile server must not reach a terminal
  return text.replace(/[\x00-\x1f\x7f-\x9f]+/g, " ").trim().slice(0, MAX_ERROR_TEXT_CHARS);
}

const MAX_ERROR_BODY_BYTES = 64 * 1024;
const MAX_ERROR_TEXT_CHARS = 300;
const MAX_ERRORS = 10;
const ERRORS_SCHEMA = z.object({
  errors: z.array(z.object({ code: z.optional(z.string()), message: z.optional(z.string()) })),
});
const STATUS_TEXTS: Readonly<Record<number, string>> = {
  400: "bad request",
  401: "authentication required",
  403: "access denied",
  404: "not found",
  405: "method not allowed",
  413: "too large for the registry",
  416: "range not accepted",
  429: "too many requests",
  500: "internal server error",
  502: "bad gateway",
  503: "service unavailable",
  504: "gateway timeout",
};
