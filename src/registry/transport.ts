/**
 * The one place that makes HTTP calls for registries: retries, redirects by hand, silence limits. Credentials go to the
 * origin they are for and to no other.
 */
import { BuilderError } from "../errors.ts";
import type { Connections } from "./connections.ts";
import { type NetworkFailure, networkFailure } from "./network_failure.ts";
import { redactUrl, RegistryError, type RegistryFailure } from "./registry_error.ts";
import type { Purpose } from "./registry_options.ts";
import type { RegistryServices } from "./registry_services.ts";
import { type CallName, discard, readBody, type Reply } from "./reply.ts";
import { isRetryableStatus, MAX_ATTEMPTS, retryDelayMs } from "./retry.ts";
import { failOnSilence, withinTime } from "./stall.ts";

/** One call. */
export interface TransportRequest extends CallName {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly url: string;
  readonly purpose: Purpose;
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream is sent once: such a call is neither retried nor redirected. */
  readonly body?: Uint8Array<ArrayBuffer> | string | ReadableStream<Uint8Array>;
  /** Sent to the origin of `url` alone. */
  readonly authorization?: string | undefined;
  /** False for calls that must not be repeated blindly. Default true. */
  readonly retries?: boolean;
  /** False for calls that carry secrets besides `authorization`: an answer that redirects is then the answer. */
  readonly followsRedirects?: boolean;
  /** Whether the bytes are checked against a digest, so that a redirect from https to http does no harm. */
  readonly isContentAddressed?: boolean;
  /**
   * Reads the body of an answer with status 200 within the attempt, so that a connection that breaks meanwhile is
   * retried too; a larger body is an error.
   */
  readonly maxBodyBytes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What the transport is set up with. */
export interface TransportOptions {
  /** Longest silence of a server, in milliseconds. */
  readonly stallTimeoutMs: number;
  readonly userAgent: string;
}

/** The usual set-up. */
export const DEFAULT_TRANSPORT_OPTIONS: TransportOptions = { stallTimeoutMs: 60_000, userAgent: "kiln" };

/** Makes calls. */
export class Transport {
  readonly #connections: Connections;
  readonly #services: RegistryServices;
  readonly #options: TransportOptions;

  constructor(connections: Connections, services: RegistryServices, options: Partial<TransportOptions> = {}) {
    this.#connections = connections;
    this.#services = services;
    this.#options = { ...DEFAULT_TRANSPORT_OPTIONS, ...options };
  }

  /**
   * The answer to `request`, whatever its status, after up to four attempts (broken connections, 408, 429, 5xx). Throws
   * RegistryError when no answer came. The caller reads or discards the body.
   */
  async send(request: TransportRequest): Promise<Reply> {
    const isRepeatable = request.retries !== false && !(request.body instanceof ReadableStream);
    const attempts = isRepeatable ? MAX_ATTEMPTS : 1;
    for (let attempt = 1;; attempt++) {
      let retryAfter: string | null = null;
      try {
        const reply = await this.#follow(request);
        if (attempt >= attempts || !isRetryableStatus(reply.status)) return await bufferBody(reply, request);
        retryAfter = reply.headers.get("retry-after");
        await discard(reply);
      } catch (error: unknown) {
        this.#throwIfStopped(request);
        if (error instanceof BuilderError) throw error;
        const failed = networkFailure(error, new URL(request.url).host);
        if (attempt >= attempts || !failed.retryable) {
          throw this.#error(request, failed.reason, { ...failed, cause: error });
        }
      }
      await this.wait(attempt, request.signal, retryAfter);
    }
  }

  /** Waits as long as is right after failed attempt number `attempt` (from 1). */
  async wait(attempt: number, signal?: AbortSignal, retryAfter?: string | null): Promise<void> {
    const stop = signal === undefined ? this.#services.signal : AbortSignal.any([this.#services.signal, signal]);
    await this.#services.sleep(retryDelayMs(attempt, this.#services, retryAfter), stop);
  }

  async #follow(request: TransportRequest): Promise<Reply> {
    const origin = new URL(request.url).origin;
    let url = request.url;
    for (let hops = 0;; hops++) {
      const isHome = new URL(url).origin === origin;
      const reply = await this.#call({ ...request, url, authorization: isHome ? request.authorization : undefined });
      const next = redirectTarget(request, reply);
      if (next === undefined) return reply;
      await discard(reply);
      if (hops >= MAX_REDIRECTS) throw this.#error(request, `more than ${MAX_REDIRECTS} redirects`);
      if (new URL(next).protocol === "http:" && url.startsWith("https:") && request.isContentAddressed !== true) {
        throw this.#error(request, `refused a redirect from https to ${redactUrl(next)}`);
      }
      url = next;
    }
  }

  async #call(request: TransportRequest): Promise<Reply> {
    const call = await this.#connections.fetchFor(new URL(request.url).host, request.purpose);
    const stalled = new AbortController();
    const signals = [this.#services.signal, stalled.signal, ...(request.signal === undefined ? [] : [request.signal])];
    const answer = call(request.url, {
      method: request.method,
      headers: this.#headers(request),
      redirect: "manual",
      signal: AbortSignal.any(signals),
      ...(request.body === undefined ? {} : { body: request.body }),
    });
    const response = request.body instanceof ReadableStream
      ? await answer
      : await withinTime(answer, this.#patienceMs(request.body), (error) => stalled.abort(error));
    const body = response.body === null ? null : failOnSilence(response.body, this.#options.stallTimeoutMs);
    return { status: response.status, headers: response.headers, url: request.url, body };
  }

  #headers(request: TransportRequest): Record<string, string> {
    return {
      "user-agent": this.#options.userAgent,
      // Bodies as they are stored: sizes, ranges and digests are those of the stored bytes.
      "accept-encoding": "identity",
      ...request.headers,
      ...(request.authorization === undefined ? {} : { authorization: request.authorization }),
    };
  }

  /** The silence limit plus the time that sending a body of this size takes on a slow line. */
  #patienceMs(body: Uint8Array | string | undefined): number {
    return this.#options.stallTimeoutMs + (body?.length ?? 0) / SLOW_LINE_BYTES_PER_MS;
  }

  #throwIfStopped(request: TransportRequest): void {
    this.#services.signal.throwIfAborted();
    request.signal?.throwIfAborted();
  }

  #error(
    request: TransportRequest,
    reason: string,
    options: Partial<NetworkFailure> & { cause?: unknown } = {},
  ): RegistryError {
    const { operation, method } = request;
    const { retryable = false, cause, hint } = options;
    const failure: RegistryFailure = { operation, method, url: redactUrl(request.url), errorCodes: [], retryable };
    return new RegistryError(failure, reason, { cause, hint });
  }
}

async function bufferBody(reply: Reply, request: TransportRequest): Promise<Reply> {
  if (request.maxBodyBytes === undefined || reply.status !== 200 || reply.body === null) return reply;
  return { ...reply, body: new Response(await readBody(reply, request.maxBodyBytes, request)).body };
}

/** Where the answer sends this call, or undefined when the answer is to be taken as it is. */
function redirectTarget(request: TransportRequest, reply: Reply): string | undefined {
  const keepsMethod = reply.status === 307 || reply.status === 308;
  const isRead = request.method === "GET" || request.method === "HEAD";
  if (request.followsRedirects === false) return undefined;
  const isRedirect = keepsMethod || reply.status === 301 || reply.status === 302 || reply.status === 303;
  if (!isRedirect || !(isRead || keepsMethod) || request.body instanceof ReadableStream) return undefined;
  const location = reply.headers.get("location");
  if (location === null || !URL.canParse(location, reply.url)) return undefined;
  const target = new URL(location, reply.url);
  return target.protocol === "http:" || target.protocol === "https:" ? target.href : undefined;
}

const MAX_REDIRECTS = 5;
/** 64 KiB a second. */
const SLOW_LINE_BYTES_PER_MS = 64;
