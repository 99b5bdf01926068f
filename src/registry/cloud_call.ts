/** Calls to the clouds' own services for logins: bounded, without redirects, and never with a secret over plain HTTP. */
import { FormatError } from "../errors.ts";
import type { Logger } from "../log/logger.ts";
import { redactUrl } from "./registry_error.ts";
import { isLoopback } from "./registry_options.ts";
import { readBody, replyError } from "./reply.ts";
import type { Transport } from "./transport.ts";

/** What finding a cloud's login takes of the world. */
export interface CloudServices {
  readonly transport: Pick<Transport, "send">;
  readonly env: Readonly<Record<string, string>>;
  /** The text of a file; undefined when it does not exist. */
  readonly readTextFile: (path: string) => Promise<string | undefined>;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** One call. */
export interface CloudRequest {
  /** Reads after "Cannot". */
  readonly operation: string;
  readonly method: "GET" | "POST" | "PUT";
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** A service of the machine itself: plain HTTP, asked once, and given up soon, as most machines have none. */
  readonly isMetadata?: boolean;
}

/** Something with an end, such as a token. */
export interface Expiring<T> {
  readonly value: T;
  readonly expiresAtMs: number;
}

/**
 * The body of the answer 200 to `request`. Throws RegistryError for any other answer and for none, FormatError for an
 * address that a secret must not be sent to.
 */
export async function cloudCall(request: CloudRequest, services: CloudServices): Promise<string> {
  const { operation, method, url, isMetadata = false } = request;
  checkAddress(request, services.env);
  const limit = isMetadata ? [AbortSignal.timeout(METADATA_TIMEOUT_MS)] : [];
  const call = {
    operation,
    method,
    url,
    headers: request.headers ?? {},
    purpose: "pull",
    followsRedirects: false,
    retries: !isMetadata,
    maxBodyBytes: MAX_ANSWER_BYTES,
    signal: AbortSignal.any([services.signal, ...limit]),
    ...(request.body === undefined ? {} : { body: request.body }),
  } as const;
  try {
    const reply = await services.transport.send(call);
    if (reply.status !== 200) throw await replyError(reply, call);
    return new TextDecoder().decode(await readBody(reply, MAX_ANSWER_BYTES, call));
  } catch (error: unknown) {
    services.signal.throwIfAborted();
    if (!(error instanceof DOMException)) throw error;
    throw new FormatError(`Cannot ${operation}: ${redactUrl(url)} does not answer`, { cause: error });
  }
}

/** A form, as token services want it. */
export function formBody(fields: Readonly<Record<string, string>>): Pick<CloudRequest, "headers" | "body"> {
  return {
    headers: { "content-type": "application/x-www-form-urlencoded", accept: "application/json" },
    body: new URLSearchParams(fields).toString(),
  };
}

function checkAddress({ operation, url, isMetadata }: CloudRequest, env: CloudServices["env"]): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) throw new FormatError(`Cannot ${operation}: its address is not a URL`);
  if (parsed.protocol === "https:") return;
  const isOwn = parsed.protocol === "http:" && (isMetadata === true || isLoopback(parsed.host));
  if (!isOwn) throw new FormatError(`Cannot ${operation}: ${redactUrl(url)} is not https`);
  // A metadata service's answer is a secret, and a proxy would read it.
  const proxy = env.HTTP_PROXY || env.http_proxy;
  if (proxy && !isUnproxied(parsed.hostname, env.NO_PROXY || env.no_proxy || "")) {
    throw new FormatError(`Cannot ${operation}: HTTP_PROXY would see the answer of ${parsed.hostname}`, {
      hint: `Add ${parsed.hostname} to NO_PROXY`,
    });
  }
}

function isUnproxied(host: string, noProxy: string): boolean {
  return noProxy.split(",").map((entry) => entry.trim().replace(/^\*?\./, "")).some((entry) =>
    entry === "*" || entry === host || (entry !== "" && host.endsWith(`.${entry}`)) || isInRange(host, entry)
  );
}

/** The ranges that people write for link-local addresses. */
function isInRange(host: string, entry: string): boolean {
  return entry === "169.254.0.0/16" && /^169\.254\.\d+\.\d+$/.test(host);
}

const METADATA_TIMEOUT_MS = 2000;
const MAX_ANSWER_BYTES = 1024 * 1024;
