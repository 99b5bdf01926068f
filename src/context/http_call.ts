/**
 * HTTP for what COPY, ADD and contexts take from elsewhere: redirects by hand, so that a login goes to its own origin
 * alone, limits on silence, and further attempts where the network failed.
 */
import { errorText, isBuilderError } from "../errors.ts";
import type { Logger } from "../log/logger.ts";
import { ContextError } from "./context_error.ts";
import { redactUrl, splitLogin, type UrlLogin } from "./remote_url.ts";

/** What fetching takes from the outside world. */
export interface FetchServices {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Resolves after so many milliseconds; rejects with the signal's reason when it is aborted. */
  readonly sleep: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/** One call. */
export interface HttpCall {
  /** What is being done, for messages: "add", "fetch". */
  readonly action: string;
  /** May carry a login, which is sent as basic authentication. */
  readonly url: string;
  /** What messages call it, secrets and all; `url` when absent. */
  readonly source?: string;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array<ArrayBuffer>;
  /** Whether the bytes are checked against a digest, so that a redirect from https to http does no harm. */
  readonly isVerified?: boolean;
}

/** An answer with status 200; the caller reads or cancels the body. */
export interface HttpAnswer {
  /** Where it came from in the end, without a login. */
  readonly url: string;
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array>;
}

/** Attempts of one transfer, the first included. */
export const MAX_ATTEMPTS = 4;

const MAX_REDIRECTS = 10;
const SILENCE_MS = 60_000;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** A failure that may pass. */
class PassingFailure extends ContextError {
  override name = "ContextError";
  retryAfterMs: number | undefined;
}

/**
 * Performs `transfer` up to four times, as long as it fails for reasons of the network. Throws ContextError with `source`
 * redacted; errors of ours pass as they are.
 */
export async function withAttempts<T>(
  { action, url }: Pick<HttpCall, "action" | "url">,
  services: FetchServices,
  transfer: () => Promise<T>,
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    let delayMs = Math.min(FIRST_DELAY_MS * 2 ** (attempt - 1), MAX_DELAY_MS);
    try {
      return await transfer();
    } catch (error: unknown) {
      services.signal.throwIfAborted();
      const failure = asFailure(error, action, url);
      if (!(failure instanceof PassingFailure) || attempt >= MAX_ATTEMPTS) throw failure;
      delayMs = Math.min(failure.retryAfterMs ?? delayMs, MAX_DELAY_MS);
      services.log.debug(`${failure.message}; trying again in ${delayMs} ms`);
    }
    await services.sleep(delayMs, services.signal);
  }
}

/** Makes one call and follows redirects. Throws ContextError for any status but 200, and whatever the network throws. */
export async function callHttp(call: HttpCall, services: FetchServices): Promise<HttpAnswer> {
  const { url: start, login } = splitLogin(call.url);
  const home = new URL(start).origin;
  let url = start;
  for (let hops = 0;; hops++) {
    const isHome = new URL(url).origin === home;
    const response = await send(call, { url, login: isHome ? login : undefined }, services);
    const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
    if (location === null) return accept(response, url, call);
    await response.body?.cancel();
    url = redirected(call, { from: url, location, hops });
  }
}

/** The value of `reading`, unless it takes longer than a server may be silent: then it is a failure that may pass. */
export async function beforeSilence<T>(reading: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(silenceError()), SILENCE_MS);
  });
  try {
    return await Promise.race([reading, silence]);
  } finally {
    clearTimeout(timer);
  }
}

async function send(
  call: HttpCall,
  { url, login }: { readonly url: string; readonly login: UrlLogin | undefined },
  services: FetchServices,
): Promise<Response> {
  const silence = new AbortController();
  const watch = watchSilence(silence);
  try {
    const response = await services.fetch(url, {
      method: call.method ?? "GET",
      headers: {
        "user-agent": "kiln",
        "accept-encoding": "identity",
        ...call.headers,
        ...(login === undefined ? {} : { authorization: basicLogin(login) }),
      },
      redirect: "manual",
      signal: AbortSignal.any([services.signal, silence.signal]),
      ...(call.body === undefined ? {} : { body: call.body }),
    });
    if (response.body === null) return response;
    const { status, headers } = response;
    return new Response(watched(response.body, silence), { status, headers });
  } finally {
    clearTimeout(watch);
  }
}

function accept(response: Response, url: string, call: HttpCall): HttpAnswer {
  const { status, headers } = response;
  if (status === 200) return { url, headers, body: response.body ?? new Blob().stream() };
  response.body?.cancel().catch(() => {}); // The status is what matters.
  const failure = {
    action: call.action,
    source: redactUrl(call.source ?? call.url),
    reason: statusReason(status, url, call.url),
  };
  const mayPass = status === 408 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
  if (!mayPass) throw new ContextError(failure, status === 401 || status === 403 ? { hint: LOGIN_HINT } : {});
  const passing = new PassingFailure(failure);
  const seconds = headers.get("retry-after");
  if (seconds !== null && /^\d{1,6}$/.test(seconds)) passing.retryAfterMs = Number(seconds) * 1000;
  throw passing;
}

const LOGIN_HINT = "A login may stand in the URL: https://user:password@host/path";

function statusReason(status: number, url: string, asked: string): string {
  const { host } = new URL(url);
  const isElsewhere = host !== new URL(asked).host;
  return `the server${isElsewhere ? ` ${host}` : ""} answered with status ${status}`;
}

function redirected(
  call: HttpCall,
  { from, location, hops }: { readonly from: string; readonly location: string; readonly hops: number },
): string {
  const fail = (reason: string): ContextError =>
    new ContextError({ action: call.action, source: redactUrl(call.source ?? call.url), reason });
  if (hops >= MAX_REDIRECTS) throw fail(`more than ${MAX_REDIRECTS} redirects`);
  if (!URL.canParse(location, from)) throw fail("the server redirects to what is no URL");
  const target = new URL(location, from);
  if (target.protocol !== "http:" && target.protocol !== "https:") {
    throw fail(`the server redirects to ${target.protocol}//, which is not followed`);
  }
  if (target.protocol === "http:" && from.startsWith("https:") && call.isVerified !== true) {
    throw fail(`refused a redirect from https to ${redactUrl(target.href)}`);
  }
  target.username = "";
  target.password = "";
  return target.href;
}

function basicLogin({ user, password }: UrlLogin): string {
  const bytes = new TextEncoder().encode(`${user}:${password}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function watchSilence(silence: AbortController): ReturnType<typeof setTimeout> {
  return setTimeout(() => silence.abort(silenceError()), SILENCE_MS);
}

function silenceError(): DOMException {
  return new DOMException(`no byte for ${SILENCE_MS / 1000} seconds`, "TimeoutError");
}

/** `body`, given up when a read takes too long. */
function watched(body: ReadableStream<Uint8Array>, silence: AbortController): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller): Promise<void> {
      const watch = watchSilence(silence);
      try {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      } finally {
        clearTimeout(watch);
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

function asFailure(error: unknown, action: string, url: string): ContextError | Error {
  if (isBuilderError(error)) return error;
  let inner = error;
  while (inner instanceof Error && inner.cause instanceof Error) inner = inner.cause;
  const text = errorText(inner).replace(/^error sending request for url \([^)]*\): /, "")
    .replace(/\bhttps?:\/\/[^\s)"']+/gi, redactUrl);
  const failure = { action, source: redactUrl(url), reason: text };
  const isLasting = /invalid peer certificate|certificate (?:verify|has expired|required)|self.signed/i.test(text);
  return isLasting ? new ContextError(failure, { cause: error }) : new PassingFailure(failure, { cause: error });
}
